/**
 * One response on its way from a target into the cache, and the clients that follow it meanwhile.
 *
 *   waiting -> streaming -> complete
 *          |            \-> cut
 *          |-> revalidated (304: what is stored is right)
 *          \-> failed
 *
 * The exchange that asks the target carries it: the first client's own, which is answered as without a cache, or one that
 * is for the cache alone. Followers go through the body at their own pace. While the response is being kept, all of it is
 * in memory and a slow follower holds nobody up; otherwise only what the slowest has not had yet is, and the target waits.
 *
 * The number of the latest purge is read before the request goes out, and the response is stored with it: what was purged
 * meanwhile is not fresh when it arrives.
 */
import {
  afterFailure,
  type CacheRequest,
  type Conditions,
  cameStale,
  isFailure,
  type NotKept,
  ownHead,
  putContentLength,
  type SliceVerdict,
  type StoredHead,
  type StoredMeta,
  updateFrom304,
} from "../../../edge/index.ts";
import type { ResponseHead } from "../../../http/index.ts";
import { BodyReader } from "../../body.ts";
import type { GatewayErrorCode } from "../../errors.ts";
import type { Exchange } from "../exchange.ts";
import type { Serving } from "../serving.ts";
import type { CacheKey } from "./cache-key.ts";
import { Chunks } from "./chunks.ts";
import type { Edge, Piece } from "./edge.ts";
import type { FetchOrder, FetchStart } from "./fetch-order.ts";
import type { FetchFailure, Follower, RecordingState } from "./follower.ts";
import { markSeconds } from "./marks.ts";
import { HeadedResponse, linesOf } from "./messages.ts";
import { isOfAsked, isWorthCoding, recordedHead } from "./recorded-head.ts";
import { isLength, judge } from "./slice-judge.ts";

/** Bytes that a target may be ahead of the slowest follower of a response that is not kept. */
export const AHEAD_BYTES_MAX: number = 256 * 1024;

const NO_PIECES: readonly Piece[] = [];

export class Recording {
  readonly order: FetchOrder;
  /** The next one in its row of the worker's table. */
  next: Recording | undefined;
  readonly #edge: Edge;
  readonly #serving: Serving;
  /** The number of the latest purge when it began. */
  readonly startSequence: number;
  /** The same for the store: later when it made way for itself. */
  #storeSequence: number;
  readonly #startWallMs: number;
  /** The same by the clock that nobody sets. */
  readonly #startMs: number;
  /** Who asks the target; set when it begins to. */
  carrier: Exchange | undefined;
  /** The client's request, where its own exchange carries the recording. */
  request: CacheRequest | undefined;
  state: RecordingState = "waiting";
  failure: FetchFailure | undefined;
  /** Whether others may join. */
  isShared: boolean;
  /** Whether it is to be stored: then all of the body stays in memory. */
  keeps = true;
  /** Why it is not. */
  refusal = "";
  status = 0;
  /** The head for clients and caches; for a response that is not kept only when somebody follows it. */
  head: StoredHead | undefined;
  meta: StoredMeta | undefined;
  /** Clients are told that it varies with Accept-Encoding. */
  isCompressible = false;
  /** What an answer to a request for a slice is; undefined where all was asked for. */
  slice: SliceVerdict | undefined;
  /** Length of the body if it was declared, else -1. */
  contentLength = -1;
  #followers: Set<Follower> | undefined;
  /** Takes a chunked body apart. */
  #body: BodyReader | undefined;
  #chunks: Chunks | undefined;
  #total = 0;
  /** Tells the worker that fetches how much of the body all followers here have had. */
  #taken: ((offset: number) => void) | undefined;
  #isStored = false;
  /** The head lies where the next response's will. */
  #isHeadLent = false;
  // What is stored of the key answers those who wait and nobody after them; or varies by other fields, and has to go.
  #isLastUse = false;
  #outdatesOthers = false;

  constructor(edge: Edge, serving: Serving, order: FetchOrder, { isShared, wallMs }: FetchStart) {
    this.#edge = edge;
    this.#serving = serving;
    this.order = order;
    this.isShared = isShared;
    this.startSequence = edge.store.purgeSequence;
    this.#storeSequence = this.startSequence;
    this.#startWallMs = wallMs;
    this.#startMs = serving.nowMs();
  }

  /** Whether it has kept its followers waiting for longer than they should for something older. */
  get isLate(): boolean {
    const waitedMs = this.#serving.nowMs() - this.#startMs;
    return this.state === "waiting" && waitedMs >= this.order.cache.softTimeoutMs;
  }
  /** Whether there will be no more. */
  get hasEnded(): boolean {
    return this.state !== "waiting" && this.state !== "streaming";
  }
  get total(): number {
    return this.#total;
  }
  get followerCount(): number {
    return this.#followers?.size ?? 0;
  }
  get hasFollowers(): boolean {
    return this.followerCount > 0;
  }
  /** Whether a new follower finds the body from its beginning. */
  get isJoinable(): boolean {
    return this.isShared && this.keeps && !this.hasEnded;
  }
  /** Whether the target should wait for those who follow. */
  get isAhead(): boolean {
    return !this.keeps && this.#total - this.#slowest() > AHEAD_BYTES_MAX;
  }

  // --- what comes ---------------------------------------------------------------------------------------------

  interim(bytes: Uint8Array, size: number): void {
    for (const follower of this.#followers ?? []) follower.interim(bytes, size);
  }

  /** The final head, and how much came behind it. */
  began(head: ResponseHead, bytes: Uint8Array, request: CacheRequest, cameBytes = 0): void {
    this.state = "streaming";
    this.status = head.status;
    this.contentLength = head.bodyKind === "length" ? head.contentLength : head.bodyKind === "none" ? 0 : -1;
    if (head.bodyKind === "chunked") {
      this.#body = new BodyReader();
      this.#body.begin(head.bodyKind, 0, true);
    }
    const { conditions } = this.order;
    const responseWallMs = this.#serving.wallMs();
    const response = new HeadedResponse(head, bytes);
    const exchange = { request, response, requestWallMs: this.#startWallMs, responseWallMs };
    if (head.status === 304 && conditions !== undefined) return this.#update(exchange, head, bytes);
    if (isFailure(head.status) && this.#hasFallback(responseWallMs)) return this.#standIn(head.status);
    const judged = { head, bytes, response, ...judge(this.order, exchange) };
    const { slice, verdict } = judged;
    this.slice = slice;
    const isKept = verdict.kind === "store";
    if (slice?.kind === "all") this.status = 200;
    if (isKept || this.hasFollowers) {
      this.isCompressible = isWorthCoding(this.order, judged);
      // All of it is here, and will be stored before anything else happens.
      this.#isHeadLent =
        isKept && !this.hasFollowers && this.contentLength > 0 && cameBytes >= this.contentLength;
      this.head = recordedHead(this.order, judged, {
        isCompressible: this.isCompressible,
        date: () => this.#serving.dateText,
        into: this.#isHeadLent ? this.#edge.headRoom : undefined,
      });
    }
    // What was stored is answered by this from now on, and this cannot be kept.
    if (!isKept && conditions !== undefined && !cameStale(response)) this.#edge.remove(this.order.key);
    if (conditions !== undefined && this.order.slice !== undefined) this.#makeWay(conditions);
    if (!isKept) this.#refuse(verdict.reason);
    else if (this.head === undefined) this.#refuse("head-too-long");
    else this.meta = verdict.meta;
    if (this.request === undefined) this.#outdatesOthers = this.#edge.hasOther(this.#key, this.meta);
  }

  /** What it is found by: a response that is no slice, though one was asked for, is like any other. */
  get #key(): CacheKey {
    const { key, slice } = this.order;
    return slice === undefined || this.slice?.kind === "slice" ? key : slice.whole;
  }

  /** Another representation than the stored one, which was asked about: none of that one's slices is of use any more. */
  #makeWay(conditions: Conditions): void {
    const asked = conditions.ifNoneMatch ?? conditions.ifModifiedSince;
    if (asked === undefined || isOfAsked(this.slice, conditions) || this.status >= 500) return;
    const sequence = this.#edge.dropUrl(this.order.key);
    // Unless somebody else purged meanwhile, this is what the purge is for.
    if (sequence === this.startSequence + 1) this.#storeSequence = sequence;
  }

  /** `bytes[start, end)` of the body as they came, framing included. */
  take(bytes: Uint8Array, start: number, end: number): void {
    if (this.hasEnded || (!this.keeps && !this.hasFollowers)) return;
    if (this.#body === undefined) this.#append(bytes, start, end);
    else {
      const after = this.#body.read(bytes, start, end);
      this.#body.forEachPart(start, after, (from, to) => this.#append(bytes, from, to));
    }
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    if (end === start) return;
    const isWhole = this.#total === 0 && end - start === this.contentLength;
    this.#total += end - start;
    if (this.keeps && this.#total > this.order.cache.policy.maxObjectBytes) this.#refuse("too-large");
    // The usual one: all of it in one piece, and nobody else wants it.
    if (isWhole && this.keeps && !this.hasFollowers) return this.#store([{ bytes, start, end }]);
    this.#keepHead();
    this.#chunks ??= new Chunks();
    this.#chunks.push(bytes.slice(start, end));
  }

  #keepHead(): void {
    if (this.#isHeadLent && this.head !== undefined) this.head = ownHead(this.head);
    this.#isHeadLent = false;
  }

  /** What came with one read has been taken, and more will come. */
  moved(): void {
    if (this.hasFollowers) this.#tell();
    this.#leaveIfUnwanted();
  }

  /** It is not kept, and who carries it goes on without it: those who follow go their own way. */
  dismiss(): void {
    this.#tell();
    this.state = "failed";
  }

  /** The response is whole. */
  completed(): void {
    if (this.hasEnded) return;
    if (this.keeps && !isLength(this.slice, this.#total)) return this.cut();
    if (this.keeps && this.meta !== undefined && !this.#isStored)
      this.#store(this.#chunks?.pieces ?? NO_PIECES);
    this.#end(this.status === 304 && this.order.conditions !== undefined ? "revalidated" : "complete");
    if (this.#isLastUse) this.#edge.remove(this.order.key);
  }

  /** There is no response. */
  failed(code: GatewayErrorCode, detail: string | undefined, tried: readonly string[]): void {
    if (this.hasEnded) return;
    this.failure = { code, detail, tried };
    this.#end("failed");
  }

  /** It broke off. */
  cut(): void {
    if (!this.hasEnded) this.#end(this.state === "waiting" ? "failed" : "cut");
  }

  #end(state: RecordingState): void {
    this.state = state;
    this.#edge.landed(this);
    this.#tell();
  }

  /** It is not to be kept: who waited for it goes his own way, and nobody waits for the next. */
  #refuse(reason: NotKept): void {
    this.keeps = false;
    this.refusal = reason;
    this.isShared = false;
    this.#edge.count(`refused ${reason}`);
    const seconds = markSeconds(reason, this.status);
    if (seconds > 0) this.#edge.mark(this.#key, seconds, reason);
    this.#edge.landed(this);
  }

  // --- what another worker fetches ------------------------------------------------------------------------------

  /** Another worker stores it; here it is only followed. */
  beganElsewhere(from: Pick<Recording, "status" | "contentLength" | "head" | "meta" | "slice">): void {
    this.state = "streaming";
    this.status = from.status;
    this.contentLength = from.contentLength;
    this.head = from.head;
    this.meta = from.meta;
    this.slice = from.slice;
    this.#isStored = true;
    this.#tell();
  }

  cameElsewhere(bytes: Uint8Array): void {
    this.#total += bytes.length;
    this.#chunks ??= new Chunks();
    this.#chunks.push(bytes);
    this.#tell();
  }

  /** It grew too large to be kept: from now on the other worker is told how far followers here have come. */
  unkeptElsewhere(taken: (offset: number) => void): void {
    this.keeps = false;
    this.#taken = taken;
    this.#edge.landed(this);
    this.#trim();
  }

  endedElsewhere(state: RecordingState): void {
    if (!this.hasEnded) this.#end(state);
  }

  // --- what is stored -----------------------------------------------------------------------------------------

  /** An error, and something older that is better than that. */
  #standIn(status: number): void {
    this.keeps = false;
    this.failure = { code: "upstream-invalid", detail: `status-${status}`, tried: [] };
    this.#end("failed");
  }

  #hasFallback(nowMs: number): boolean {
    const { cache, key, plan, conditions } = this.order;
    if (conditions === undefined) return false;
    const stored = this.#edge.lookAgain(key);
    return afterFailure(stored, cache.policy, nowMs, { allTargetsDown: plan.isDown }).kind === "stale";
  }

  /** 304: what is stored is right, and lives on with what the target says of it now. */
  #update(exchange: Parameters<typeof updateFrom304>[1], head: ResponseHead, bytes: Uint8Array): void {
    const { cache, key } = this.order;
    const stored = this.#edge.lookAgain(key);
    if (stored === undefined) return;
    const whole = { meta: stored, fields: stored.fields(), bodyBytes: stored.entry.bodyBytes };
    const update = updateFrom304(whole, exchange, linesOf(head.fields, bytes), cache.policy);
    if (update.kind === "mismatch") return this.#edge.remove(key);
    if (update.kind === "updated") this.#edge.keepUpdated(this.order, stored, update, this.startSequence);
    else this.#isLastUse = update.reason !== "already-stale";
  }

  #store(body: readonly Piece[]): void {
    const { head, meta } = this;
    if (head === undefined || meta === undefined) return;
    this.#isStored = true;
    if (this.status !== 204) putContentLength(head, this.#total);
    const key = this.#key;
    if (this.#outdatesOthers) this.#edge.remove(key);
    this.#edge.keep({ key, cache: this.order.cache, head, meta, body, startSequence: this.#storeSequence });
  }

  // --- those who follow ---------------------------------------------------------------------------------------

  join(follower: Follower): void {
    this.#followers ??= new Set();
    this.#followers.add(follower);
  }

  leave(follower: Follower): void {
    if (this.#followers?.delete(follower) !== true || this.hasEnded) return;
    this.#leaveIfUnwanted();
    if (!this.keeps) this.followed();
  }

  /** A follower has had more. */
  followed(): void {
    this.#trim();
    if (this.isAhead) this.carrier?.downstreamMoved();
    else this.carrier?.downstreamDrained();
  }

  /** A response that nobody reads and that is not kept is not fetched to its end. */
  #leaveIfUnwanted(): void {
    if (this.keeps || this.hasFollowers || this.hasEnded) return;
    if (this.carrier?.isForNobody === true) this.carrier.abandon("client-closed");
  }

  #tell(): void {
    if (this.#followers === undefined) return this.#trim();
    for (const follower of Array.from(this.#followers)) {
      if (this.#followers.has(follower)) follower.moved();
    }
    this.#trim();
  }

  /** The bytes at `offset`: the chunk, and where in it. Undefined when they have not come yet. */
  chunkAt(offset: number): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    return this.#chunks?.at(offset);
  }

  /** Forgets what everybody has had of a body that is not kept. */
  #trim(): void {
    if (this.keeps) return;
    const slowest = this.#slowest();
    this.#chunks?.trim(slowest);
    this.#taken?.(slowest);
  }

  #slowest(): number {
    let slowest = this.#total;
    for (const { offset } of this.#followers ?? []) slowest = Math.min(slowest, offset);
    return slowest;
  }
}
