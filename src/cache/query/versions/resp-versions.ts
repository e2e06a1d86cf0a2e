/**
 * Versions in a store that speaks RESP, shared by all processes. Plain commands only, no scripts.
 *
 *   <prefix>v:<table>   a counter, begun at random, so that a store that lost it never repeats an old version
 *   <prefix>w:<table>   a sorted set: token id -> when the mark expires, in the store's own time
 *
 * A set without members does not exist, so one EXISTS over the tables says whether any is marked. Marks are read before
 * versions: what is marked between the two reads is later than the reader. Nothing expires silently: whoever meets a mark
 * past its time changes the version and takes the mark away in one transaction.
 */
import { type Clock, type Random, systemClock, systemRandom } from "../../../base/index.ts";
import { type Reply, ReplyError, type Request, textOf } from "../../../resp/index.ts";
import { MARK_MS, SCHEMA, type VersionStore, type WriteToken } from "./versions.ts";

/** What is used of a client; `RespClient` of `tenfold/resp` is one. */
export interface RespCaller {
  /** Sends requests in one piece; refusals are `ReplyError` values. Rejects when a reply does not come in time. */
  readonly pipeline: (requests: readonly Request[], deadlineMs?: number) => Promise<Reply[]>;
}

/** What versions in a store are made of. */
export interface RespVersionsOptions {
  readonly store: RespCaller;
  /** Before all keys. In a Redis cluster it needs a hash tag. Default "{tq}:". */
  readonly prefix?: string;
  /** Default `MARK_MS`. */
  readonly markMs?: number;
  /** Longest wait for the store. Default 50 ms. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Longest wait for the store, ms: a query is answered in less by most databases. */
export const STORE_DEADLINE_MS = 50;

/** A process looks for expired marks so often, at most. */
const SWEEP_MS = 1000;

/** Versions begin below this: far from 2^53, and two beginnings hardly meet. */
const FIRST_VERSION_MAX = 2 ** 48;

/** Makes versions in a store. */
export function respVersions(options: RespVersionsOptions): VersionStore {
  const store = new RespVersions(options);
  return {
    markMs: options.markMs ?? MARK_MS,
    snapshot: (tables) => store.snapshot(tables),
    before: (tables) => store.before(tables),
    renew: (token) => store.renew(token),
    committed: (token) => store.committed(token),
    rolledBack: (token) => store.rolledBack(token),
  };
}

class RespVersions {
  readonly #store: RespCaller;
  readonly #prefix: string;
  readonly #markMs: number;
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Added to the monotonic clock it gives the store's time. */
  #offsetMs: number | undefined;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RespVersionsOptions) {
    this.#store = options.store;
    this.#prefix = options.prefix ?? "{tq}:";
    this.#markMs = options.markMs ?? MARK_MS;
    this.#deadlineMs = options.deadlineMs ?? STORE_DEADLINE_MS;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async snapshot(tables: readonly string[]): Promise<readonly string[] | undefined> {
    const [marked, versions] = await this.#call([
      ["EXISTS", ...tables.map((table) => this.#marks(table))],
      ["MGET", ...tables.map((table) => this.#version(table))],
    ]);
    if (marked !== 0) {
      await this.#sweep(tables);
      return undefined;
    }
    const found = Array.isArray(versions) ? versions.map((each: Reply) => textOf(each)) : [];
    const known = found.flatMap((version) => version ?? []);
    if (known.length === tables.length) return known;
    // A table that nobody has asked for, or a store that has lost its memory. The next reader finds it.
    await this.#call(
      tables.filter((_, index) => found[index] === undefined).map((table) => this.#begin(table)),
    );
    return undefined;
  }

  async before(tables: readonly string[]): Promise<WriteToken> {
    const id = crypto.randomUUID();
    const expiry = await this.#expiry();
    const replies = await this.#transaction([
      ...tables.map((table): Request => ["ZADD", this.#marks(table), expiry, id]),
      this.#begin(SCHEMA),
      ["GET", this.#version(SCHEMA)],
      ["ZCARD", this.#marks(SCHEMA)],
      ["TIME"],
    ]);
    const [version, marks, time] = replies.slice(-3);
    this.#learnTime(time);
    const own = tables.includes(SCHEMA) ? 1 : 0;
    return { id, tables, schema: marks === own ? textOf(version) : undefined };
  }

  async renew(token: WriteToken): Promise<void> {
    const expiry = await this.#expiry();
    await this.#call(token.tables.map((table): Request => ["ZADD", this.#marks(table), expiry, token.id]));
  }

  async committed(token: WriteToken): Promise<string | undefined> {
    const replies = await this.#transaction([
      ...token.tables.flatMap((table): Request[] => [
        ...this.#change(table),
        ["ZREM", this.#marks(table), token.id],
      ]),
      ["GET", this.#version(SCHEMA)],
      ["ZCARD", this.#marks(SCHEMA)],
    ]);
    const [version, marks] = replies.slice(-2);
    return marks === 0 ? textOf(version) : undefined;
  }

  async rolledBack(token: WriteToken): Promise<void> {
    await this.#call(token.tables.map((table): Request => ["ZREM", this.#marks(table), token.id]));
  }

  /** Turns expired marks into changes. */
  async #sweep(tables: readonly string[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sweptAtMs < Math.min(SWEEP_MS, this.#markMs)) return;
    this.#sweptAtMs = nowMs;
    const until = await this.#storeNowMs();
    const counts = await this.#call(
      tables.map((table): Request => ["ZCOUNT", this.#marks(table), "-inf", String(until)]),
    );
    const expired = tables.filter((_, index) => counts[index] !== 0);
    if (expired.length === 0) return;
    await this.#transaction(
      expired.flatMap((table): Request[] => [
        ...this.#change(table),
        ["ZREMRANGEBYSCORE", this.#marks(table), "-inf", String(until)],
      ]),
    );
  }

  // --- requests -----------------------------------------------------------------------------------------------

  #version(table: string): string {
    return `${this.#prefix}v:${table}`;
  }

  #marks(table: string): string {
    return `${this.#prefix}w:${table}`;
  }

  #begin(table: string): Request {
    return ["SET", this.#version(table), String(Math.floor(this.#random() * FIRST_VERSION_MAX)), "NX"];
  }

  #change(table: string): Request[] {
    return [this.#begin(table), ["INCR", this.#version(table)]];
  }

  async #expiry(): Promise<string> {
    return String((await this.#storeNowMs()) + this.#markMs);
  }

  /** The store's time, from what it said last: what two machines' clocks differ by does not matter. */
  async #storeNowMs(): Promise<number> {
    if (this.#offsetMs === undefined) {
      const [time] = await this.#call([["TIME"]]);
      this.#learnTime(time);
    }
    return Math.floor(this.#clock.nowMs() + (this.#offsetMs ?? 0));
  }

  #learnTime(reply: Reply | undefined): void {
    const [seconds, micros] = (Array.isArray(reply) ? reply : []).map((each: Reply) => Number(textOf(each)));
    if (seconds === undefined || micros === undefined) return;
    this.#offsetMs = seconds * 1000 + Math.floor(micros / 1000) - this.#clock.nowMs();
  }

  async #call(requests: readonly Request[]): Promise<Reply[]> {
    const replies = await this.#store.pipeline(requests, this.#deadlineMs);
    const refused = replies.find((reply) => reply instanceof ReplyError);
    if (refused !== undefined) throw refused;
    return replies;
  }

  async #transaction(requests: readonly Request[]): Promise<readonly Reply[]> {
    const replies = await this.#call([["MULTI"], ...requests, ["EXEC"]]);
    const results = replies.at(-1);
    if (!Array.isArray(results)) throw new ReplyError("EXECABORT the store ran no transaction");
    const refused = results.find((reply: Reply) => reply instanceof ReplyError);
    if (refused !== undefined) throw refused;
    return results;
  }
}
