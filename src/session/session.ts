/**
 * A session as the app and the handlers see it, whether its fields lie in a store or in the cookie.
 */

/** Where the session stands in this request. */
export type SessionStatus =
  /** No session yet; one begins with the first field that is set. */
  | "new"
  | "active"
  /** The cookie is from before a rotation and works for a few seconds more; it cannot be renewed. */
  | "grace"
  /** The store is away; what can be read comes from the snapshot cookie, nothing can be written. */
  | "snapshot"
  /** The store is away, and nothing is known. */
  | "unavailable";

/** The fields of an app's session, for instance `{ cart: string[]; views: number }`. */
export type Fields = object;

/**
 * One request's view of a session. Reads see what this request changed; other requests see it after `save`, which the
 * handlers call before the response is sent. Values are JSON, and are frozen: change one by `set` or `update`.
 *
 * Methods throw `SessionError`: "session-store-unavailable" or "session-read-only" for any change while the store is
 * away, "session-field-refused" for a value that is no JSON or over 64 KiB.
 */
export interface Session<T extends Fields = Readonly<Record<string, unknown>>> {
  readonly status: SessionStatus;
  /** Who is signed in; undefined for a guest, and with an old cookie from before the sign-in. */
  readonly user: string | undefined;
  /** Names this session in a list of devices. No secret. Undefined while it is new. */
  readonly handle: string | undefined;
  get<K extends keyof T & string>(name: K): T[K] | undefined;
  has(name: keyof T & string): boolean;
  /** Names of all fields. */
  names(): string[];
  /** Last writer wins, for this field alone. `undefined` deletes. */
  set<K extends keyof T & string>(name: K, value: T[K]): void;
  delete(name: keyof T & string): void;
  /** Adds a whole number in the store, so that no concurrent increment is lost. Returns the sum as this request sees it. */
  increment(name: keyof T & string, by?: number): number;
  /** Sets a field that is absent, in the store: of several requests the first one wins. */
  setIfAbsent<K extends keyof T & string>(name: K, value: T[K]): void;
  /**
   * Saves a new value made from the current one, and tries again when another request was quicker: nothing that goes
   * into a list or an object is lost. `change` may run several times. Saves all that is pending first.
   */
  update<K extends keyof T & string>(name: K, change: (value: T[K] | undefined) => T[K]): Promise<T[K]>;
  /**
   * Binds the session to a user, under a new cookie. A session of somebody else is left and a fresh one begun. Rejects with
   * "session-revoked" when `revokeAll` ended the user's sessions meanwhile: the password that was checked may be an old one.
   *
   * Give the check of the password as `check`: it is made once the sign-in counts as begun, so that a change of the password
   * cannot come between the two. It reads what it compares with by itself. When it gives false nobody is signed in: false.
   */
  signIn(user: string, check?: SignInCheck): Promise<boolean>;
  /** Ends the session, in the store and in the browser; it is new then, and may be begun again. */
  signOut(): Promise<void>;
  /** A new cookie for the same session; call it whenever the user's rights change. The old one works for 10 s more. */
  rotate(): void;
  /** Saves now. Handlers do it before they send the response; call it for changes made after that. */
  save(): Promise<void>;
}

/** Whether somebody is who they say. */
export type SignInCheck = () => boolean | Promise<boolean>;

/** What a handler tells of a request. */
export interface RequestFacts {
  /** The Cookie field; several joined by "; ". */
  readonly cookie: string | undefined;
  /** The Host field; looked at in development only. */
  readonly host?: string | undefined;
  readonly userAgent?: string | undefined;
  /** The client's address, for the list of devices; only its first part is kept. */
  readonly address?: string | undefined;
}

/** A session with what only a handler does. */
export interface OpenSession<T extends Fields = Readonly<Record<string, unknown>>> {
  readonly session: Session<T>;
  /**
   * Saves, and gives the Set-Cookie fields that the response needs. To be called before the head is sent; what is
   * changed later is saved by a second call, which has no cookies.
   *
   * @throws SessionError "session-not-saved": the response must not claim that it worked.
   */
  commit(): Promise<readonly string[]>;
}

/** Opens the session of each request. */
export interface SessionSource<T extends Fields = Readonly<Record<string, unknown>>> {
  /** Never rejects because the store is away: `session.status` says so. */
  open(facts: RequestFacts): Promise<OpenSession<T>>;
}
