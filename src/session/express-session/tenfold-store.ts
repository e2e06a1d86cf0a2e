/**
 * A store for express-session, so that an app which uses it changes one line:
 *
 *     session({ store: new TenfoldStore({ store }), … })
 *
 * express-session saves a session whole, so that of two requests at once the later takes back what the earlier changed.
 * This store remembers what each request loaded and writes only the fields that the request itself changed.
 */
import { EventEmitter } from "node:events";
import { type Clock, systemClock } from "../../base/index.ts";
import { sessionErrorOf } from "../errors.ts";
import type { RecordStore } from "../store.ts";
import { digest } from "../token.ts";

/** A session of express-session, as far as it is looked at. */
export interface ExpressSession {
  cookie: ExpressCookie;
  [name: string]: unknown;
}

/** The cookie's settings that express-session keeps in the session. */
export interface ExpressCookie {
  expires?: Date | string | null | false | undefined;
  originalMaxAge?: number | null | undefined;
}

/** A request of express-session, or what its `load` makes up. */
export interface ExpressSessionRequest {
  sessionID: string;
  session?: unknown;
}

/** Called with an error, or with null or undefined and the result. */
export type StoreCallback<R = void> = (error?: unknown, result?: R) => void;

/** What the store is made of. */
export interface TenfoldStoreOptions {
  /** A session store; or `jsonStore(…)` for sessions as connect-redis keeps them. */
  readonly store: RecordStore;
  /** How long a session lives whose cookie has no end, ms. Default one day, as in connect-redis. */
  readonly ttlMs?: number;
  /** Whether ids are hashed before they become keys. Default true; false for the format of connect-redis. */
  readonly hashIds?: boolean;
  readonly clock?: Clock;
}

/** As in connect-redis. */
const TTL_MS = 86_400_000;

export class TenfoldStore extends EventEmitter {
  /** Put here by express-session: makes `request.session` anew, with a new id. */
  generate?: (request: ExpressSessionRequest) => void;
  readonly #store: RecordStore;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #key: (id: string) => string;
  #classes: ExpressClasses | undefined;
  /** Session object -> its fields as they are in the store, as far as this request knows. */
  readonly #loaded = new WeakMap<object, ReadonlyMap<string, string>>();

  constructor({ store, ttlMs = TTL_MS, hashIds = true, clock = systemClock }: TenfoldStoreOptions) {
    super();
    this.#store = store;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#key = hashIds ? digest : (id) => id;
  }

  /** Calls back with a session's fields, or with null when there is none. */
  get(id: string, callback: StoreCallback<ExpressSession | null>): void {
    respond(
      async () => {
        const record = await this.#store.load(this.#key(id));
        if (record === undefined) return null;
        const session = parseFields(record.fields);
        this.#loaded.set(session, record.fields);
        return session;
      },
      "session-store-unavailable",
      callback,
    );
  }

  /** Saves what changed since the session was loaded; a new session whole. One that was destroyed meanwhile stays so. */
  set(id: string, session: ExpressSession, callback?: StoreCallback): void {
    respond(
      async () => {
        const [key, fields, loaded] = [this.#key(id), textsOf(session), this.#loaded.get(session)];
        const ttlMs = this.#ttlOf(session);
        if (ttlMs <= 0) await this.#store.remove(key);
        else if (loaded === undefined) await this.#store.create(key, fields, ttlMs);
        else {
          const set = new Map([...fields].filter(([name, text]) => loaded.get(name) !== text));
          const remove = [...loaded.keys()].filter((name) => !fields.has(name));
          await this.#store.patch(key, { set, remove, ttlMs });
        }
        this.#loaded.set(session, fields);
      },
      "session-not-saved",
      callback,
    );
  }

  /** Gives a session more time without writing its fields. */
  touch(id: string, session: ExpressSession, callback?: StoreCallback): void {
    const touched = async (): Promise<void> => {
      await this.#store.patch(this.#key(id), { ttlMs: Math.max(1, this.#ttlOf(session)) });
    };
    respond(touched, "session-not-saved", callback);
  }

  destroy(id: string, callback?: StoreCallback): void {
    const destroyed = async (): Promise<void> => void (await this.#store.remove(this.#key(id)));
    respond(destroyed, "session-not-saved", callback);
  }

  /** As express-session's own store does: ends the session, and begins another with a new id. */
  regenerate(request: ExpressSessionRequest, callback: StoreCallback): void {
    this.destroy(request.sessionID, (error) => {
      this.generate?.(request);
      callback(error);
    });
  }

  /** As express-session's own store does: a session by its id, without a request. */
  load(id: string, callback: StoreCallback<unknown>): void {
    this.get(id, (error, session) => {
      if (error || !session) {
        callback(error);
        return;
      }
      const request = { sessionID: id, sessionStore: this };
      callback(null, this.createSession(request, session));
    });
  }

  /** Makes `request.session` of loaded fields, as express-session's own store does, and remembers them. */
  createSession(request: ExpressSessionRequest, loaded: ExpressSession): ExpressSession {
    this.#classes ??= this.#learnClasses(request);
    const cookie = cookieOf(loaded.cookie, this.#classes.cookiePrototype);
    const session = new this.#classes.Session(request, { ...loaded, cookie });
    request.session = session;
    const texts = this.#loaded.get(loaded);
    if (texts !== undefined) this.#loaded.set(session, texts);
    return session;
  }

  /** The classes of express-session, without importing it: from a session that it generates. */
  #learnClasses(request: ExpressSessionRequest): ExpressClasses {
    const id = request.sessionID;
    this.generate?.(request);
    request.sessionID = id;
    const { constructor: Session, cookie } = request.session as ExpressSession;
    // The class of cookies has no `constructor`: its prototype is a literal.
    return { Session, cookiePrototype: Object.getPrototypeOf(cookie) } as unknown as ExpressClasses;
  }

  #ttlOf({ cookie }: ExpressSession): number {
    if (!cookie?.expires) return this.#ttlMs;
    return Number(new Date(cookie.expires)) - this.#clock.wallMs();
  }
}

interface ExpressClasses {
  readonly Session: new (request: ExpressSessionRequest, fields: ExpressSession) => ExpressSession;
  readonly cookiePrototype: object;
}

/** A cookie with its settings, made as express-session's class makes it: `expires` and `maxAge` are setters of the prototype. */
function cookieOf(settings: ExpressCookie, prototype: object): ExpressCookie {
  // Read like this a session without a cookie fails as it does on express-session's own store.
  const [expires, originalMaxAge] = [settings.expires, settings.originalMaxAge];
  const cookie = Object.create(prototype) as ExpressCookie;
  Object.assign(cookie, { path: "/", maxAge: null, httpOnly: true }, settings);
  if (typeof expires === "string") cookie.expires = new Date(expires);
  // Last, because setting `expires` changes it.
  cookie.originalMaxAge = originalMaxAge;
  return cookie;
}

function parseFields(fields: ReadonlyMap<string, string>): ExpressSession {
  const parsed = [...fields].map(([name, text]) => [name, JSON.parse(text) as unknown] as const);
  return Object.fromEntries(parsed) as ExpressSession;
}

/** Each property as JSON; what JSON leaves out is left out. */
function textsOf(session: ExpressSession): Map<string, string> {
  const plain = JSON.parse(JSON.stringify(session)) as Record<string, unknown>;
  return new Map(Object.entries(plain).map(([name, value]) => [name, JSON.stringify(value)]));
}

/** Runs, and tells the callback; without one an error is nobody's. */
function respond<R>(
  run: () => Promise<R>,
  code: "session-store-unavailable" | "session-not-saved",
  callback: StoreCallback<R> = () => {},
): void {
  // What a callback throws is its own, and no rejection of ours.
  run().then(
    (result) => queueMicrotask(() => callback(null, result)),
    (error: unknown) => queueMicrotask(() => callback(sessionErrorOf(code, error))),
  );
}
