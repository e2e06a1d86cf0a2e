/**
 * Sessions without a store: all fields sealed in the cookie itself.
 *
 * The seal is only as fresh as the browser's last response: of two requests at the same time the later response wins
 * whole, a copied cookie works until it ends, and nobody can be signed out but by their own browser. For more, use a store.
 */
import { randomBytes as systemRandomBytes } from "node:crypto";
import { type Clock, systemClock } from "../base/index.ts";
import { FieldChanges } from "./changes.ts";
import {
  type CookieSettings,
  clearCookie,
  cookieSettings,
  readCookie,
  refuseOffLocalhost,
  writeCookie,
} from "./cookie.ts";
import { SessionError } from "./errors.ts";
import { durationMs } from "./options.ts";
import { createSealer, type Keys, type Sealer } from "./seal.ts";
import type {
  Fields,
  OpenSession,
  RequestFacts,
  Session,
  SessionSource,
  SessionStatus,
  SignInCheck,
} from "./session.ts";
import type { RandomBytes } from "./token.ts";

/** What sealed sessions are made of. Durations are texts as "30m". */
export interface SealedSessionOptions {
  /** Number -> secret of at least 32 characters; the highest number seals, all open. */
  readonly keys: Keys;
  /** Ends a session that nobody uses. Default "30m". */
  readonly idle?: string;
  /** Ends a session however much it is used. Default "8h". */
  readonly absolute?: string;
  /** Default `__Host-session`; must begin with `__Host-`. */
  readonly cookie?: string;
  /** Keeps the cookie when the browser is closed, up to `idle`. Default false. */
  readonly persistent?: boolean;
  /** For plain http on localhost, as in `SessionOptions`. Default false. */
  readonly development?: boolean;
  readonly clock?: Clock;
  readonly randomBytes?: RandomBytes;
}

/** What is in the seal. */
interface Content {
  readonly sinceMs: number;
  readonly user?: string;
  /** Name -> JSON text. */
  readonly fields: readonly (readonly [string, string])[];
}

interface Sealing {
  readonly sealer: Sealer;
  readonly cookie: CookieSettings;
  readonly isDevelopment: boolean;
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly clock: Clock;
}

/** A seal is renewed when this share of its idle time has gone: not with every response. */
const RENEWED_AFTER = 0.25;

/** @throws SessionError "session-options" when a key is too short, or an option is not usable. */
export function sealedSessions<T extends Fields = Readonly<Record<string, unknown>>>(
  options: SealedSessionOptions,
): SessionSource<T> {
  const isDevelopment = options.development ?? false;
  const idleMs = durationMs("idle", options.idle ?? "30m");
  const absoluteMs = durationMs("absolute", options.absolute ?? "8h");
  const cookie = cookieSettings(options.cookie, isDevelopment, options.persistent ? idleMs : undefined);
  const sealer = createSealer(options.keys, cookie.name, options.randomBytes ?? systemRandomBytes);
  const clock = options.clock ?? systemClock;
  const sealing: Sealing = { sealer, cookie, isDevelopment, idleMs, absoluteMs, clock };
  return {
    open: async (facts) => {
      const text = readCookie(facts.cookie, cookie.name);
      const opened = text === undefined ? undefined : sealer.unseal(text, clock.wallMs());
      if (opened?.status !== "open") return new SealedSession<T>(sealing, facts, undefined, 0);
      return new SealedSession<T>(sealing, facts, opened.value as Content, opened.endsMs);
    },
  };
}

/** The session of one request, its fields in the cookie. */
class SealedSession<T extends Fields> implements Session<T>, OpenSession<T> {
  readonly #sealing: Sealing;
  readonly #facts: RequestFacts;
  readonly #endsMs: number;
  #changes: FieldChanges;
  #content: Content | undefined;
  #isEnded = false;
  #isRotated = false;
  #isCommitted = false;

  constructor(sealing: Sealing, facts: RequestFacts, content: Content | undefined, endsMs: number) {
    this.#sealing = sealing;
    this.#facts = facts;
    this.#content = content;
    this.#endsMs = endsMs;
    this.#changes = new FieldChanges(new Map(content?.fields));
  }

  get session(): Session<T> {
    return this;
  }

  get status(): SessionStatus {
    return this.#content === undefined ? "new" : "active";
  }

  get user(): string | undefined {
    return this.#content?.user;
  }

  /** There is no list of devices for it to be in. */
  get handle(): undefined {
    return undefined;
  }

  get<K extends keyof T & string>(name: K): T[K] | undefined {
    return this.#changes.get(name) as T[K] | undefined;
  }

  has(name: keyof T & string): boolean {
    return this.#changes.has(name);
  }

  names(): string[] {
    return this.#changes.names();
  }

  set<K extends keyof T & string>(name: K, value: T[K]): void {
    this.#writable().set(name, value);
  }

  delete(name: keyof T & string): void {
    this.#writable().delete(name);
  }

  increment(name: keyof T & string, by = 1): number {
    return this.#writable().increment(name, by);
  }

  setIfAbsent<K extends keyof T & string>(name: K, value: T[K]): void {
    this.#writable().setIfAbsent(name, value);
  }

  async update<K extends keyof T & string>(
    name: K,
    change: (value: T[K] | undefined) => T[K],
  ): Promise<T[K]> {
    this.set(name, change(this.get(name)));
    return this.get(name) as T[K];
  }

  async signIn(user: string, check?: SignInCheck): Promise<boolean> {
    this.#writable();
    if (check !== undefined && !(await check())) return false;
    this.#writable();
    // What belonged to another user does not go over to this one.
    if (this.user !== undefined && this.user !== user) this.#changes = new FieldChanges(new Map());
    this.#content = { sinceMs: this.#sealing.clock.wallMs(), user, fields: [] };
    this.#isRotated = true;
    return true;
  }

  async signOut(): Promise<void> {
    this.#writable();
    this.#content = undefined;
    this.#changes = new FieldChanges(new Map());
    this.#isEnded = true;
  }

  rotate(): void {
    this.#writable();
    this.#isRotated = true;
  }

  /** There is nowhere to save to but the response. */
  async save(): Promise<void> {}

  async commit(): Promise<readonly string[]> {
    if (this.#isCommitted) return [];
    this.#isCommitted = true;
    const { sealer, cookie, clock, idleMs, absoluteMs, isDevelopment } = this.#sealing;
    const wallMs = clock.wallMs();
    const isChanged = this.#changes.isChanged || this.#isRotated;
    const isAging = this.#content !== undefined && this.#endsMs - wallMs < idleMs * (1 - RENEWED_AFTER);
    if (!isChanged && !isAging && !this.#isEnded) return [];
    if (isDevelopment) refuseOffLocalhost(this.#facts.host);
    if (!isChanged && this.#isEnded) return [clearCookie(cookie)];
    const { sinceMs = wallMs, user } = this.#content ?? {};
    const content = { sinceMs, ...(user === undefined ? {} : { user }), fields: [...this.#changes.texts()] };
    const endsMs = Math.min(wallMs + idleMs, sinceMs + absoluteMs);
    return [writeCookie(sealer.seal(content, endsMs), cookie)];
  }

  /** After the head of the response a change would be lost, so that it is refused. */
  #writable(): FieldChanges {
    if (this.#isCommitted) throw new SessionError("session-headers-sent");
    return this.#changes;
  }
}
