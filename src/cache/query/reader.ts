/**
 * Answers queries from the cache, or asks the database once for all who want the same.
 *
 * Versions are taken before the query runs, and its answer is kept under those. When they have moved by the time it is to
 * be kept, it is not.
 */
import { createHash } from "node:crypto";
import type { Random } from "../../base/index.ts";
import { type Answer, answerOf, classOf, type QueryResult, type ResultClass, sizeOf } from "./answer.ts";
import type { GuardedCalls } from "./guarded-calls.ts";
import type { Reason } from "./reasons.ts";
import type { ResultStore, StoredAnswer } from "./results/results.ts";
import type { Counters } from "./stats.ts";
import type { VersionStore } from "./versions/versions.ts";

/** What a reader is made of. */
export interface ReaderOptions {
  readonly versions: VersionStore;
  readonly results: ResultStore;
  readonly versionsBreaker: GuardedCalls;
  readonly resultsBreaker: GuardedCalls;
  readonly counters: Counters;
  readonly random: Random;
  readonly ttlMs: number;
  readonly bytesMax: number;
}

/** One query. */
export interface Wanted {
  /** What makes it one query: database, session, statement, parameters. */
  readonly identity: readonly string[];
  /** `SCHEMA` first. */
  readonly reads: readonly string[];
  /** The version of `SCHEMA` that the catalog belongs to. */
  readonly schema: string;
  /** Asks the database, for texts in arrays. */
  readonly run: () => Promise<QueryResult>;
}

/** An answer, or why there is none: the query then goes to the database as it is. */
export type Found =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "bypass"; readonly reason: Reason }
  | { readonly kind: "schema-moved" };

/** Lives of answers are spread over this share of the TTL, so that they do not all end at once; none is longer. */
const JITTER = 0.1;

/** Reads for one wrapped pool or client. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #flights = new Map<string, Promise<Answer>>();
  readonly #storing = new Set<Promise<void>>();
  /** pg's `Result`, once one was seen. */
  resultClass: ResultClass | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Resolves when all answers that were to be kept are. */
  async settled(): Promise<void> {
    await Promise.all(this.#storing);
  }

  /** Finds the answer. Rejects as the database does. */
  async find(wanted: Wanted): Promise<Found> {
    const { versions, results, versionsBreaker, resultsBreaker, counters } = this.#options;
    const key = keyOf(wanted.identity);
    const [snapshot, stored] = await Promise.all([
      versionsBreaker.run(() => versions.snapshot(wanted.reads)),
      resultsBreaker.run(() => results.get(key)),
    ]);
    if (snapshot === "failed") return { kind: "bypass", reason: "store-unavailable" };
    if (snapshot === undefined) return { kind: "bypass", reason: "being-written" };
    if (snapshot[0] !== wanted.schema) return { kind: "schema-moved" };
    if (stored !== "failed" && stored !== undefined && isSame(stored.versions, snapshot)) {
      counters.hits += 1;
      return { kind: "answer", answer: stored.answer };
    }
    return this.#load(wanted, key, snapshot);
  }

  /** One load for all who miss the same key under the same versions. Where it fails, the others ask for themselves. */
  async #load(wanted: Wanted, key: string, versions: readonly string[]): Promise<Found> {
    const { counters } = this.#options;
    const flightKey = `${key} ${versions.join(" ")}`;
    const flight = this.#flights.get(flightKey);
    if (flight !== undefined) {
      counters.joined += 1;
      const joined = await flight.catch(() => undefined);
      if (joined !== undefined) return { kind: "answer", answer: joined };
    }
    counters.misses += 1;
    const load = wanted.run().then((result) => {
      this.resultClass ??= classOf(result);
      return answerOf(result);
    });
    this.#flights.set(flightKey, load);
    try {
      const answer = await load;
      this.#keep(key, { versions, answer }, wanted.reads);
      return { kind: "answer", answer };
    } finally {
      if (this.#flights.get(flightKey) === load) this.#flights.delete(flightKey);
    }
  }

  #keep(key: string, stored: StoredAnswer, reads: readonly string[]): void {
    const bytes = sizeOf(stored.answer);
    if (bytes > this.#options.bytesMax) {
      this.#options.counters.tooLarge += 1;
      return;
    }
    const storing = this.#store(key, stored, reads, bytes).finally(() => this.#storing.delete(storing));
    this.#storing.add(storing);
  }

  async #store(key: string, stored: StoredAnswer, reads: readonly string[], bytes: number): Promise<void> {
    const { versions, results, versionsBreaker, resultsBreaker, counters, random, ttlMs } = this.#options;
    const now = await versionsBreaker.run(() => versions.snapshot(reads));
    if (now === "failed" || now === undefined || !isSame(now, stored.versions)) {
      counters.outdated += 1;
      return;
    }
    const lifeMs = ttlMs * (1 - JITTER * random());
    const kept = await resultsBreaker.run(() => results.set(key, stored, lifeMs, bytes));
    if (kept !== "failed") counters.stored += 1;
  }
}

function keyOf(identity: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(identity)).digest("base64url");
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((version, index) => version === other[index]);
}
