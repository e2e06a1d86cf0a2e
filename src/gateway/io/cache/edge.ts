/**
 * The edge cache of one worker: finds stored responses, and fetches those that are missing, each once.
 *
 * The store is shared by all workers (see edge/store); flights are this worker's own. What is being looked up now, its
 * key and hashes, stands in this object, so that a hit allocates nothing; whoever goes on later keeps a `CacheKey`.
 */
import {
  type Counter,
  type FieldLine,
  layOutHead,
  matchesVariant,
  type Purge,
  type Store,
  type StoredMeta,
  StoredResponse,
  tagsOf,
  urlKey,
  varyKey,
  writeCacheKey,
  writeMeta,
} from "../../../edge/index.ts";
import type { RequestView } from "../../route.ts";
import type { Serving } from "../serving.ts";
import { Fetch, type FetchOrder } from "./fetch.ts";
import { Flight } from "./flight.ts";
import { ViewedRequest } from "./messages.ts";
import type { RuleCache } from "./rule-cache.ts";

/** Longest key; a request with a longer one goes around the cache. */
const KEY_BYTES_MAX = 16 * 1024;

/** How long other workers leave a key to the one that fetches it: longer than any target may take, as a rule. */
const CLAIM_MS = 60_000;

/** What identifies a response, kept beyond the turn in which it was looked up. */
export interface CacheKey {
  readonly bytes: Uint8Array;
  readonly hashHi: number;
  readonly hashLo: number;
  readonly urlHash: number;
  readonly urlStart: number;
  readonly pathEnd: number;
}

/** A response to be stored. */
export interface Keeping {
  readonly key: CacheKey;
  readonly cache: RuleCache;
  readonly meta: StoredMeta;
  readonly fields: readonly FieldLine[];
  /** The words of its status line. */
  readonly reason: string;
  readonly body: readonly Uint8Array[];
  /** The number of the latest purge before the request went out. */
  readonly startSequence: number;
}

/** What an edge works with. */
export interface EdgeContext {
  readonly store: Store;
  readonly serving: Serving;
  /** Column of this worker in the store. */
  readonly worker: number;
}

export class Edge {
  readonly store: Store;
  readonly #serving: Serving;
  readonly #worker: number;
  readonly #flights = new Map<string, Fetch>();
  readonly #key = new Uint8Array(KEY_BYTES_MAX);
  readonly #place = { urlStart: 0, pathEnd: 0, urlEnd: 0, end: 0 };
  #hashHi = 0;
  #hashLo = 0;
  /** The request in the worker's view, as the policy reads it. */
  readonly viewed: ViewedRequest;
  #stored: StoredResponse | undefined;

  constructor({ store, serving, worker }: EdgeContext) {
    this.store = store;
    this.#worker = worker;
    this.#serving = serving;
    this.viewed = new ViewedRequest(serving.view);
  }

  /**
   * The stored response for the request in the view, or undefined. It stays in place until the next look or `release`.
   * False when the key is too long.
   */
  look(cache: RuleCache, view: RequestView): StoredResponse | undefined | false {
    const place = this.#place;
    if (!writeCacheKey(cache.key, view, this.#key, place)) return false;
    this.#hashHi = this.store.hashHigh(this.#key, 0, place.end);
    this.#hashLo = this.store.hashLow(this.#key, 0, place.end);
    return this.#find(this.#hashHi, this.#hashLo, this.#key, place.end);
  }

  /** The same for a key that was kept; the request must be in the view. */
  lookAgain({ hashHi, hashLo, bytes }: CacheKey): StoredResponse | undefined {
    return this.#find(hashHi, hashLo, bytes, bytes.length);
  }

  #find(hashHi: number, hashLo: number, key: Uint8Array, end: number): StoredResponse | undefined {
    let entry = this.store.find(hashHi, hashLo, key, 0, end);
    while (entry !== undefined) {
      if (this.#stored?.entry !== entry) this.#stored = new StoredResponse(entry);
      if (matchesVariant(this.#stored, this.viewed)) return this.#stored;
      entry = this.store.next();
    }
    return undefined;
  }

  release(): void {
    this.store.release();
  }

  /** The key that was looked up last, for later. */
  keepKey(): CacheKey {
    const { urlStart, pathEnd, urlEnd, end } = this.#place;
    const bytes = this.#key.slice(0, end);
    const urlHash = this.store.hashHigh(bytes, urlStart, urlEnd);
    return { bytes, hashHi: this.#hashHi, hashLo: this.#hashLo, urlHash, urlStart, pathEnd };
  }

  // --- fetching -----------------------------------------------------------------------------------------------

  /** The fetch for a key that others may join, if one is under way. */
  fetchOf(flightKey: string): Fetch | undefined {
    return this.#flights.get(flightKey);
  }

  /** A fetch that is about to start; others may join it if its flight is shared. */
  prepare(order: FetchOrder, flight: Flight): Fetch {
    const fetch = new Fetch(this, this.#serving, order, flight);
    if (flight.isShared) this.#flights.set(flight.key, fetch);
    return fetch;
  }

  /** Fetches for the store alone, unless somebody already does. */
  refresh(order: FetchOrder, flightKey: string): void {
    if (this.#flights.has(flightKey) || !this.claim(order.key)) return;
    this.prepare(order, new Flight(flightKey, true)).start();
  }

  /** Whether this worker is the one to fetch: no other one is at it. */
  claim({ hashHi, hashLo }: CacheKey): boolean {
    const nowMs = this.#serving.wallMs();
    const leader = this.store.flights.claim(hashHi, hashLo, nowMs | 0, (nowMs + CLAIM_MS) | 0);
    return leader < 0 || leader === this.#worker;
  }

  /** Whether responses for the key could not be kept lately: then nobody waits for another's. */
  isMarked({ hashHi, hashLo }: CacheKey): boolean {
    return this.store.markers.isMarked(hashHi, hashLo, Math.floor(this.#serving.wallMs() / 1000));
  }

  /** The flight has landed, or takes nobody else. */
  landed(fetch: Fetch): void {
    const { flight } = fetch;
    if (this.#flights.get(flight.key) !== fetch) return;
    this.#flights.delete(flight.key);
    const { hashHi, hashLo } = fetch.key;
    this.store.flights.release(hashHi, hashLo);
  }

  // --- the store ----------------------------------------------------------------------------------------------

  /** Stores a response; the request that it answers is in the view. It is no matter if there is no room. */
  keep({ key, cache, meta, fields, reason, body, startSequence }: Keeping): void {
    const { store } = this;
    const bodyBytes = body.reduce((sum, { length }) => sum + length, 0);
    const head = layOutHead({ status: meta.status, reason }, fields, bodyBytes, cache.policy);
    if (head === undefined) return;
    this.#removeOthers(key, meta);
    const record = store.reserve({
      hashHi: key.hashHi,
      hashLo: key.hashLo,
      urlHash: key.urlHash,
      key: key.bytes,
      urlStart: key.urlStart,
      pathEnd: key.pathEnd,
      vary: varyKey(meta),
      tags: tagsOf(fields).map((tag) => this.tagHash(tag)),
      headBytes: head.bytes.length,
      bodyBytes,
      startSequence,
      nowS: Math.floor(this.#serving.wallMs() / 1000),
      usableUntilS: 0,
    });
    if (typeof record === "string") return;
    record.bytes.set(head.bytes, record.headOffset);
    let at = record.bodyOffset;
    for (const chunk of body) {
      record.bytes.set(chunk, at);
      at += chunk.length;
    }
    writeMeta(record, meta, head);
    if (record.commit() !== undefined) record.abort();
    store.markers.unmark(key.hashHi, key.hashLo);
  }

  /** A response with another Vary that would answer the same request is out of date now. */
  #removeOthers(key: CacheKey, meta: StoredMeta): void {
    const stored = this.lookAgain(key);
    if (stored !== undefined && stored.varyNames !== meta.varyNames) this.remove(key);
    this.release();
  }

  /** Removes all variants of a key. */
  remove({ hashHi, hashLo, bytes }: CacheKey): void {
    this.store.remove(hashHi, hashLo, bytes, 0, bytes.length);
  }

  count(counter: Counter, by = 1): void {
    this.store.count(counter, by);
  }

  // --- purging ------------------------------------------------------------------------------------------------

  /** Removes what is stored of a URL, in all its variants: for unsafe methods and for PURGE. */
  purgeUrl(cache: RuleCache, view: RequestView): void {
    const place = this.#place;
    if (!writeCacheKey(cache.key, view, this.#key, place)) return;
    const hash = this.store.hashHigh(this.#key, place.urlStart, place.urlEnd);
    this.#purge({ kind: "url", hash, hard: true });
  }

  /** The same for a path (with its query) on the same host. */
  purgePath(cache: RuleCache, url: { readonly host: string; readonly target: string }): void {
    const key = urlKey(cache.key, url);
    this.#purge({ kind: "url", hash: this.store.hashHigh(key, 0, key.length), hard: true });
  }

  purgeTag(tag: string): void {
    this.#purge({ kind: "tag", hash: this.tagHash(tag), hard: true });
  }

  tagHash(tag: string): number {
    const bytes = Buffer.from(tag, "latin1");
    return this.store.hashLow(bytes, 0, bytes.length);
  }

  #purge(purge: Purge): void {
    this.store.purge(purge);
  }
}
