/**
 * Client-side caching: who has read which key, so that it can be told when the key changes (Redis' CLIENT TRACKING).
 *
 * Plain mode remembers a name per key that was read, up to a bound: beyond it the oldest is forgotten, by telling its readers
 * that it changed. Broadcast mode remembers prefixes alone; what changes in one round of requests is one message for each
 * prefix, which `settle` sends.
 */
import type { Session } from "./session.ts";

/** How one client is told. */
export interface Tracking {
  readonly broadcast: boolean;
  readonly prefixes: readonly string[];
  readonly optIn: boolean;
  readonly optOut: boolean;
  readonly noLoop: boolean;
  /** The client that is told in its stead; 0 for itself. */
  readonly redirect: number;
  /** What CLIENT CACHING said about the next command. */
  caching: boolean | undefined;
}

/** Tells a client that keys have changed; undefined for all keys. */
export type Invalidate = (session: Session, keys: readonly string[] | undefined) => void;

/** Keys of one message: what one arrival of requests changed mostly fits, and a client need not hold more at once. */
const BROADCAST_KEYS_MAX = 10_000;

/** Who is told. */
export class TrackingTable {
  keysMax = 1_000_000;
  readonly #readers = new Map<string, Set<Session>>();
  readonly #broadcast = new Set<Session>();
  readonly #clients = new Set<Session>();
  readonly #invalidate: Invalidate;
  /** Clients in broadcast mode -> prefix -> keys that have changed and were not told yet. */
  readonly #untold = new Map<Session, Map<string, Set<string>>>();

  constructor(invalidate: Invalidate) {
    this.#invalidate = invalidate;
  }

  get isEmpty(): boolean {
    return this.#clients.size === 0;
  }
  get clients(): number {
    return this.#clients.size;
  }
  get keys(): number {
    return this.#readers.size;
  }

  start(session: Session, tracking: Tracking): void {
    this.stop(session);
    session.tracking = tracking;
    this.#clients.add(session);
    if (tracking.broadcast) this.#broadcast.add(session);
  }

  /** The keys it has read are forgotten as they change. */
  stop(session: Session): void {
    session.tracking = undefined;
    this.#clients.delete(session);
    this.#broadcast.delete(session);
    this.#untold.delete(session);
  }

  /** Whether the keys of a read are to be remembered. */
  wants({ tracking }: Session): boolean {
    if (tracking === undefined || tracking.broadcast) return false;
    if (tracking.optIn) return tracking.caching === true;
    return !(tracking.optOut && tracking.caching === false);
  }

  remember(session: Session, key: string): void {
    const readers = this.#readers.get(key);
    if (readers !== undefined) {
      readers.add(session);
      return;
    }
    this.#readers.set(key, new Set([session]));
    if (this.#readers.size > this.keysMax) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [oldest] = this.#readers.keys();
    if (oldest !== undefined) this.#tell(oldest, undefined);
  }

  /** A key has changed; `by` is who changed it. */
  changed(key: string, by: Session | undefined): void {
    this.#tell(key, by);
    for (const session of this.#broadcast) {
      const { tracking } = session;
      if (tracking === undefined || (tracking.noLoop && session === by)) continue;
      const prefix =
        tracking.prefixes.length === 0 ? "" : tracking.prefixes.find((one) => key.startsWith(one));
      if (prefix !== undefined) this.#note(session, prefix, key);
    }
  }

  #note(session: Session, prefix: string, key: string): void {
    const byPrefix = this.#untold.get(session) ?? new Map<string, Set<string>>();
    this.#untold.set(session, byPrefix);
    const keys = byPrefix.get(prefix) ?? new Set();
    byPrefix.set(prefix, keys.add(key));
    if (keys.size < BROADCAST_KEYS_MAX) return;
    byPrefix.delete(prefix);
    this.#invalidate(session, [...keys]);
  }

  /** Tells the clients in broadcast mode what has changed since the last time. */
  settle(): void {
    if (this.#untold.size === 0) return;
    const untold = [...this.#untold];
    this.#untold.clear();
    for (const [session, byPrefix] of untold)
      for (const keys of byPrefix.values()) this.#invalidate(session, [...keys]);
  }

  #tell(key: string, by: Session | undefined): void {
    const readers = this.#readers.get(key);
    if (readers === undefined) return;
    this.#readers.delete(key);
    for (const session of readers) {
      const { tracking } = session;
      if (tracking === undefined || tracking.broadcast || (tracking.noLoop && session === by)) continue;
      this.#invalidate(session, [key]);
    }
  }

  /** Every key has gone. */
  flushed(): void {
    this.#readers.clear();
    this.#untold.clear();
    for (const session of this.#clients) this.#invalidate(session, undefined);
  }
}
