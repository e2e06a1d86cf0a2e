/**
 * Who may log in: users of the config, and those that the server has, fetched when they come.
 *
 * What is fetched is the verifier (`pg_authid.rolpassword`). With it a client's password can be checked, and the client's
 * proof reveals the key by which the router itself logs in to the server as this user: nobody's password is known here. A
 * user of the config whose password is given in clear logs in to the server by it.
 */
import { createHmac } from "node:crypto";
import type { Clock } from "../../../base/index.ts";
import { makeVerifier, parseVerifier, type ScramKeys, type ScramVerifier } from "../../../pgwire/index.ts";

/** A user of the config: the password, or the verifier as PostgreSQL stores it ("SCRAM-SHA-256$…"). */
export interface UserConfig {
  readonly password?: string;
  readonly verifier?: string;
}

/** Fetches a user's `rolpassword`: undefined when there is no such user or no password. Rejects when the server cannot be asked. */
export type FetchVerifier = (user: string) => Promise<string | undefined>;

/** What a look-up brings: a verifier; undefined: no such user; "unknown": the server cannot be asked. */
export type FoundUser = ScramVerifier | undefined | "unknown";

/** How long a fetched verifier is used before it is fetched again. */
const KEEP_MS = 10_000;

/** Fetched users that are kept; a flood of names that do not exist must not fill the memory. */
const KEEP_MAX = 1000;

/** What a users' table is made of. */
export interface UsersParts {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly users: Readonly<Record<string, UserConfig>>;
  readonly fetch?: FetchVerifier | undefined;
}

interface Fetched {
  readonly verifier: ScramVerifier | undefined;
  readonly untilMs: number;
}

export class Users {
  readonly #parts: UsersParts;
  #users: Readonly<Record<string, UserConfig>>;
  readonly #made = new Map<string, ScramVerifier | undefined>();
  readonly #fetched = new Map<string, Fetched>();
  readonly #fetching = new Map<string, ((found: FoundUser) => void)[]>();
  readonly #keys = new Map<string, ScramKeys>();
  readonly #secret: Uint8Array;

  constructor(parts: UsersParts) {
    this.#parts = parts;
    this.#users = parts.users;
    this.#secret = parts.randomBytes(32);
  }

  /** Other users of the config from now on; fetched ones are fetched again. Who is in stays in. */
  replace(users: Readonly<Record<string, UserConfig>>): void {
    this.#users = users;
    this.#made.clear();
    this.#fetched.clear();
  }

  /** Tells `answer` the user's verifier, at once or later. */
  find(user: string, answer: (found: FoundUser) => void): void {
    const known = this.known(user);
    if (known !== "unknown") return answer(known);
    const waiting = this.#fetching.get(user);
    if (waiting !== undefined) {
      waiting.push(answer);
      return;
    }
    this.#fetching.set(user, [answer]);
    this.#fetch(user).then(
      (found) => this.#tell(user, found),
      () => this.#tell(user, this.#fetched.get(user)?.verifier ?? "unknown"),
    );
  }

  /** What is known without asking the server. */
  known(user: string): FoundUser {
    const config = Object.hasOwn(this.#users, user) ? this.#users[user] : undefined;
    if (config !== undefined) return this.#verifierOf(user, config);
    if (this.#parts.fetch === undefined) return undefined;
    const fetched = this.#fetched.get(user);
    return fetched !== undefined && fetched.untilMs > this.#parts.clock.nowMs()
      ? fetched.verifier
      : "unknown";
  }

  /** A verifier that no password fits, always the same for a name: an exchange with it tells nothing. */
  madeUp(user: string): ScramVerifier {
    const derive = (what: string): Uint8Array =>
      new Uint8Array(createHmac("sha256", this.#secret).update(`${what} ${user}`).digest());
    return {
      iterations: 4096,
      salt: derive("salt").slice(0, 16),
      storedKey: derive("stored"),
      serverKey: derive("server"),
    };
  }

  /** A client's proof has revealed the keys of its password. */
  learnKeys(user: string, keys: ScramKeys): void {
    this.#keys.set(user, keys);
  }

  /** By what the router logs in to the server as this user. */
  secretOf(user: string): string | ScramKeys | undefined {
    const config = Object.hasOwn(this.#users, user) ? this.#users[user] : undefined;
    return config?.password ?? this.#keys.get(user);
  }

  #verifierOf(user: string, { password, verifier }: UserConfig): ScramVerifier | undefined {
    if (!this.#made.has(user)) {
      const salt = this.#parts.randomBytes(16);
      this.#made.set(
        user,
        verifier !== undefined || password === undefined
          ? parseVerifier(verifier ?? "")
          : makeVerifier(password, salt),
      );
    }
    return this.#made.get(user);
  }

  async #fetch(user: string): Promise<ScramVerifier | undefined> {
    const stored = await this.#parts.fetch?.(user);
    const verifier = stored === undefined ? undefined : parseVerifier(stored);
    this.#fetched.delete(user);
    this.#fetched.set(user, { verifier, untilMs: this.#parts.clock.nowMs() + KEEP_MS });
    if (this.#fetched.size > KEEP_MAX) {
      const [oldest] = this.#fetched.keys();
      if (oldest !== undefined) this.#fetched.delete(oldest);
    }
    return verifier;
  }

  #tell(user: string, found: FoundUser): void {
    const waiting = this.#fetching.get(user) ?? [];
    this.#fetching.delete(user);
    for (const answer of waiting) answer(found);
  }
}

/** The query that fetches a verifier; `user` becomes a literal. */
export function verifierQuery(user: string): string {
  const name = `E'${user.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  return `SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = ${name} AND rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > pg_catalog.now())`;
}
