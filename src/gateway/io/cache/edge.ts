/**
 * The edge cache of one worker: finds stored responses, stores new ones, and knows which are being fetched.
 *
 * The store is shared by all workers (see edge/store); recordings are this worker's own. What is being looked up now, its
 * key and hashes, stands in this object, so that a hit allocates nothing; whoever goes on later keeps a `CacheKey`.
 */
import {
  type Counter,
  FLIGHT,
  HEAD_BYTES_MAX,
  layOutHead,
  matchesVariant,
  NOT_KEPT,
  type NotKept,
  type Purge,
  type ReserveRequest,
  type Store,
  type StoredMeta,
  StoredResponse,
  tagHash,
  type Update,
  urlHash,
  writeKey,
  writeMeta,
} from "../../../edge/index.ts";
import type { DiskTier } from "../../../edge/io/index.ts";
import { copy, equals } from "../../../http/index.ts";
import type { Serving } from "../serving.ts";
import { type CacheKey, keyBehind } from "./cache-key.ts";
import { bestCoding, Coder } from "./coder.ts";
import { EdgeDisk, type Held } from "./edge-disk.ts";
import type { FetchOrder } from "./fetch-order.ts";
import { type Keeping, roomFor } from "./keeping.ts";
import { LateStore } from "./late-store.ts";
import { Link } from "./link.ts";
import { ViewedRequest } from "./messages.ts";
import { Recording } from "./recording.ts";
import { Recordings } from "./recordings.ts";
import type { RuleCache } from "./rule-cache.ts";

/** Longest key; a request with a longer one goes around the cache. */
export const KEY_BYTES_MAX: number = 16 * 1024;

/** How long other workers leave a key to the one that fetches it: longer than any target may take, as a rule. */
const CLAIM_MS = 60_000;

export type { Piece } from "./keeping.ts";

/** What an edge works with. */
export interface EdgeContext {
  readonly store: Store;
  /** Below the store; absent: memory alone. */
  readonly disk?: DiskTier | undefined;
  readonly serving: Serving;
  /** Column of this worker in the store. */
  readonly worker: number;
}

export class Edge {
  readonly store: Store;
  readonly disk: EdgeDisk | undefined;
  readonly #serving: Serving;
  readonly #worker: number;
  readonly #recordings = new Recordings<Recording>();
  readonly #key = new Uint8Array(KEY_BYTES_MAX);
  /** For the head of a response that is stored in the turn in which it comes. */
  readonly headRoom: Uint8Array = new Uint8Array(HEAD_BYTES_MAX);
  readonly #place = { urlStart: 0, pathEnd: 0, urlEnd: 0 };
  #end = 0;
  #hashHi = 0;
  #hashLo = 0;
  /** The request in the worker's view, as the policy reads it. */
  readonly viewed: ViewedRequest;
  #stored: StoredResponse | undefined;
  /** What the latest look found on disk. */
  #shown: Held | undefined;
  #link: Link | undefined;
  readonly #coder: Coder = new Coder(this);

  constructor({ store, disk, serving, worker }: EdgeContext) {
    this.store = store;
    this.disk = disk === undefined ? undefined : new EdgeDisk(disk, store);
    this.#worker = worker;
    this.#serving = serving;
    this.viewed = new ViewedRequest(serving.view);
  }

  /** Opens the way to the other workers. Throws when the socket cannot be made. */
  openLink(pathOf: (worker: number) => string): void {
    this.#link = new Link(this, { worker: this.#worker, pathOf, nowMs: this.#serving.nowMs });
  }

  stop(): void {
    this.#link?.stop();
    void this.disk?.stop();
  }

  // --- looking up ---------------------------------------------------------------------------------------------

  /**
   * The stored response for the request in the view, or undefined. It stays in place until the next look or `release`.
   * False when the key is too long.
   */
  look(cache: RuleCache): StoredResponse | undefined | false {
    const end = writeKey(this.viewed, cache.key, this.#key, this.#place);
    if (end < 0) return false;
    this.#end = end;
    this.#hashHi = this.store.hashHigh(this.#key, 0, end);
    this.#hashLo = this.store.hashLow(this.#key, 0, end);
    return this.#find(this.#hashHi, this.#hashLo, this.#key, end);
  }

  /** The same for a key that was kept; the request must be in the view. */
  lookAgain({ hashHi, hashLo, bytes }: CacheKey): StoredResponse | undefined {
    return this.#find(hashHi, hashLo, bytes, bytes.length);
  }

  #find(hashHi: number, hashLo: number, key: Uint8Array, end: number): StoredResponse | undefined {
    this.#shown = undefined;
    let entry = this.store.find(hashHi, hashLo, key, 0, end);
    while (entry !== undefined) {
      this.#stored ??= new StoredResponse(entry);
      if (matchesVariant(this.#stored, this.viewed)) {
        entry.touch();
        return this.#stored;
      }
      entry = this.store.next();
    }
    this.#shown = this.disk?.find(hashHi, hashLo, key, end, this.matches);
    return this.#shown?.stored;
  }

  /** Whether a response answers the request in the view. */
  readonly matches = (stored: StoredResponse): boolean => matchesVariant(stored, this.viewed);

  /** Of a response that was looked up last: what holds it, if its body is on disk. */
  heldOf(stored: StoredResponse): Held | undefined {
    return this.#shown?.stored === stored ? this.#shown : undefined;
  }

  /** The key that was looked up last, if the disk may have it. */
  keyOnDisk(): CacheKey | undefined {
    const isWorthIt = this.disk?.mayHave({ hashHi: this.#hashHi, hashLo: this.#hashLo }) === true;
    return isWorthIt ? this.keepKey() : undefined;
  }

  /**
   * The form of `stored`, which was looked up last, that this client likes best, if it has been made; else `stored`, and it
   * will be. Undefined when the store has lost it meanwhile.
   */
  coded(cache: RuleCache, stored: StoredResponse): StoredResponse | undefined {
    if (!stored.isCompressible || this.viewed.hasRange || this.#shown !== undefined) return stored;
    const coding = bestCoding(this.viewed.field("accept-encoding"));
    if (coding === undefined) return stored;
    const madeMs = stored.responseWallMs;
    const plain = this.keepKey();
    const key = this.keyBehind(plain, coding);
    const form = this.lookAgain(key);
    if (form !== undefined && form.responseWallMs === madeMs) return form;
    const again = this.lookAgain(plain);
    if (again?.isCompressible === true) this.#coder.make(coding, cache, key, again);
    return again;
  }

  /** A form or a slice is found behind the key of the response, and goes with it in a purge. */
  keyBehind(plain: CacheKey, form: string): CacheKey {
    const bytes = keyBehind(plain.bytes, form);
    const hashHi = this.store.hashHigh(bytes, 0, bytes.length);
    return { ...plain, bytes, hashHi, hashLo: this.store.hashLow(bytes, 0, bytes.length) };
  }

  release(): void {
    this.store.release();
  }

  /** The key that was looked up last, for later. */
  keepKey(): CacheKey {
    const { urlStart, pathEnd, urlEnd } = this.#place;
    const bytes = this.#key.slice(0, this.#end);
    const hash = this.store.hashHigh(bytes, urlStart, urlEnd);
    return { bytes, hashHi: this.#hashHi, hashLo: this.#hashLo, urlHash: hash, urlStart, pathEnd };
  }

  // --- fetching -----------------------------------------------------------------------------------------------

  /** The recording that a request with this order may follow, if one is under way. */
  recordingFor({ key, variant }: FetchOrder): Recording | undefined {
    const recording = this.#recordings.get(key);
    return this.#mayJoin(recording, key.bytes, variant) ? recording : undefined;
  }

  /** The same for another worker's clients, who say the key and the variant. */
  recordingOf(key: Uint8Array, variant: string): Recording | undefined {
    const hashHi = this.store.hashHigh(key, 0, key.length);
    const hashLo = this.store.hashLow(key, 0, key.length);
    const recording = this.#recordings.get({ hashHi, hashLo });
    return this.#mayJoin(recording, key, variant) ? recording : undefined;
  }

  /**
   * Whether others may join the recording, and it is of this key and variant. One that began before the latest purge may be
   * of what was purged: whoever asks after the purge must not get that.
   */
  #mayJoin(recording: Recording | undefined, key: Uint8Array, variant: string): recording is Recording {
    if (recording?.isJoinable !== true || recording.order.variant !== variant) return false;
    if (recording.startSequence !== this.store.purgeSequence) return false;
    return equals(recording.order.key.bytes, 0, recording.order.key.bytes.length, key);
  }

  /** Whether a recording is known to be of another variant than the one that the request in the view selects. */
  isOther({ meta }: Recording): boolean {
    return meta !== undefined && !matchesVariant(meta, this.viewed);
  }

  /** A recording of what another worker is fetching; undefined without a way to it. */
  recordElsewhere(order: FetchOrder, worker: number): Recording | undefined {
    if (this.#link?.reaches(worker) !== true) return undefined;
    const recording = this.record(order, true);
    this.#link.follow(worker, recording);
    return recording;
  }

  /** A recording that is about to begin, now unless the time is known; others may join it if it is shared. */
  record(order: FetchOrder, isShared: boolean, wallMs: number = this.#serving.wallMs()): Recording {
    const recording = new Recording(this, this.#serving, order, { isShared, wallMs });
    if (isShared) this.#recordings.add(recording);
    this.disk?.began(order);
    return recording;
  }

  /** Fetches for the store alone, unless somebody already does. */
  refresh(order: FetchOrder, head: Uint8Array): void {
    if (this.recordingFor(order) !== undefined || this.claim(order.key) >= 0) return;
    this.#serving.fetch(this.record(order, true), head);
  }

  /** The other worker that is fetching this key; `FLIGHT.leader` when this one is to, `FLIGHT.alone` when it is not known. */
  claim({ hashHi, hashLo }: CacheKey, nowMs: number = this.#serving.wallMs()): number {
    const sequence = this.store.purgeSequence;
    const leader = this.store.flights.claim(
      flightHash(hashHi, sequence),
      hashLo,
      nowMs | 0,
      (nowMs + CLAIM_MS) | 0,
    );
    return leader === this.#worker ? FLIGHT.leader : leader;
  }

  /** Says that responses for the key cannot be kept: nobody waits for another's. */
  mark({ hashHi, hashLo }: CacheKey, seconds: number, reason: NotKept): void {
    const untilS = Math.floor(this.#serving.wallMs() / 1000) + seconds;
    this.store.markers.mark(hashHi, hashLo, untilS, NOT_KEPT.indexOf(reason));
  }
  isMarked({ hashHi, hashLo }: CacheKey, nowMs: number = this.#serving.wallMs()): boolean {
    return this.store.markers.isMarked(hashHi, hashLo, Math.floor(nowMs / 1000));
  }

  /** The recording has ended, or takes nobody else. */
  landed(recording: Recording): void {
    const { key } = recording.order;
    this.disk?.landed(recording.order);
    if (!this.#recordings.delete(recording)) return;
    this.store.flights.release(flightHash(key.hashHi, recording.startSequence), key.hashLo);
  }

  count(counter: Counter, by = 1): void {
    this.store.count(counter, by);
  }

  // --- the store ----------------------------------------------------------------------------------------------

  /** Stores a response. It is no matter if there is no room. */
  keep(keeping: Keeping): void {
    if (!this.put(keeping)) new LateStore(this, this.#serving.wheel, keeping).wait();
  }

  /** Puts a response into the store. False when another worker is at it just now. */
  put({ key, meta, head, body, startSequence }: Keeping): boolean {
    const { store, disk } = this;
    let bodyBytes = 0;
    for (const { start, end } of body) bodyBytes += end - start;
    const request = this.#roomFor({ key, meta, head, startSequence }, bodyBytes);
    const isForDisk = disk !== undefined && !store.mayTake(request);
    const record = isForDisk ? disk.reserve(request) : store.reserve(request);
    if (record === "busy") return false;
    if (typeof record === "string") return true;
    let at = copy(head.bytes, 0, head.end, record.bytes, record.headOffset);
    for (const { bytes, start, end } of body) at = copy(bytes, start, end, record.bytes, at);
    writeMeta(record, meta, head);
    const refusal = record.commit();
    if (refusal !== undefined) record.abort();
    else if (!isForDisk) disk?.forget(key.hashHi, key.hashLo, request.vary);
    return refusal !== "busy";
  }

  #roomFor(keeping: Omit<Keeping, "body" | "cache">, bodyBytes: number): ReserveRequest {
    return roomFor(this.store, keeping, { bodyBytes, wallMs: this.#serving.wallMs() });
  }

  /** Stores what a 304 or an answer to HEAD made of `stored`, with its body. */
  keepUpdated(
    { key, cache }: Pick<Keeping, "key" | "cache">,
    stored: StoredResponse,
    { fields, meta }: Extract<Update, { kind: "updated" }>,
    startSequence: number,
  ): void {
    const { bytes, bodyOffset, bodyBytes } = stored.entry;
    const { status, reason } = stored;
    const head = layOutHead({ status, reason }, fields, bodyBytes, cache.policy);
    if (head === undefined) return;
    const held = this.heldOf(stored);
    if (held?.record.isWhole === false) {
      const whole = { ...meta, status };
      const request = this.#roomFor({ key, meta: whole, head, startSequence }, bodyBytes);
      return this.disk?.renew(held, request, (room) => {
        copy(head.bytes, 0, head.end, room.bytes, room.headOffset);
        writeMeta(room, whole, head);
      });
    }
    const body = [{ bytes: bytes.slice(bodyOffset, bodyOffset + bodyBytes), start: 0, end: bodyBytes }];
    if (this.hasOther(key, meta)) this.remove(key);
    this.keep({ key, cache, meta: { ...meta, status }, head, body, startSequence });
  }

  /** Whether a stored response with another Vary answers the request in the view: `meta` makes it out of date. */
  hasOther(key: CacheKey, meta: StoredMeta | undefined): boolean {
    if (meta === undefined) return false;
    const stored = this.lookAgain(key);
    const isOther = stored !== undefined && stored.varyNames !== meta.varyNames;
    this.release();
    return isOther;
  }

  /** Removes all variants of a key. */
  remove({ hashHi, hashLo, bytes }: CacheKey): void {
    this.store.remove(hashHi, hashLo, bytes, 0, bytes.length);
    this.disk?.forget(hashHi, hashLo);
  }

  // --- purging ------------------------------------------------------------------------------------------------

  /** Removes what is stored of the request's URL, in all its variants. */
  purgeUrl(cache: RuleCache, isHard = true): void {
    const place = this.#place;
    this.#end = writeKey(this.viewed, cache.key, this.#key, place);
    if (this.#end < 0) return;
    this.#purgeHash(this.store.hashHigh(this.#key, place.urlStart, place.urlEnd), isHard);
  }

  /** The same for a path, with its query, on a host. */
  purgePath(cache: RuleCache, url: { readonly host: string; readonly target: string }): void {
    this.#purgeHash(urlHash(this.store, cache.key, url), true);
  }

  #purgeHash(hash: number, isHard: boolean): void {
    this.#purge({ kind: "url", hash, hard: isHard });
  }

  /** Removes all that is stored of a key's URL, every slice of it: the number of that purge. O(1). */
  dropUrl({ urlHash: hash }: CacheKey): number | "busy" {
    return this.#purge({ kind: "url", hash, hard: true });
  }

  purgeTag(tag: string, isHard = true): void {
    this.#purge({ kind: "tag", hash: tagHash(this.store, tag), hard: isHard });
  }

  #purge(purge: Purge): number | "busy" {
    return (this.disk?.tier ?? this.store).purge(purge);
  }
}

/** A flight is for those who asked between two purges. */
function flightHash(hashHi: number, sequence: number): number {
  return hashHi ^ Math.imul(sequence, 0x9e37_79b1);
}
