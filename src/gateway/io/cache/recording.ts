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
  groupsOf,
  isFailure,
  layOutRawHead,
  type NotKept,
  putContentLength,
  type StoredHead,
  type StoredMeta,
  storability,
  tagsOf,
  updateFrom304,
  withheldFields,
} from "../../../edge/index.ts";
import type { ResponseHead } from "../../../http/index.ts";
import { BodyReader } from "../../body.ts";
import type { GatewayErrorCode } from "../../errors.ts";
import type { Client } from "../client.ts";
import type { Exchange } from "../exchange.ts";
import type { Plan } from "../plan.ts";
import type { Serving } from "../serving.ts";
import { type CacheKey, groupTag, hostOf } from "./cache-key.ts";
import { COMPRESSED_BYTES_MIN, isCompressible } from "./coder.ts";
import type { Edge, Piece } from "./edge.ts";
import { HeadedResponse, linesOf } from "./messages.ts";
import type { RuleCache } from "./rule-cache.ts";

/** How long requests for what cannot be kept do not wait for each other (Varnish's hit-for-miss). */
const MARK_S = 120;

/** Bytes that a target may be ahead of the slowest follower of a response that is not kept. */
const AHEAD_BYTES_MAX = 256 * 1024;

/** What to fetch. */
export interface FetchOrder {
  readonly client: Pick<Client, "listener" | "peer">;
  readonly plan: Plan;
  readonly cache: RuleCache;
  readonly key: CacheKey;
  /** Values that select the stored response in question; "" for none. */
  readonly variant: string;
  /** Of the stored response that is asked about; undefined for a plain fetch. */
  readonly conditions: Conditions | undefined;
}

/** A client's exchange that follows a recording. Calls come one at a time. */
export interface Follower {
  /** How much of the body it has had. */
  readonly offset: number;
  /** An interim response, `bytes[0, size)`; borrowed. */
  interim(bytes: Uint8Array, size: number): void;
  /** State or bytes are new. */
  moved(): void;
}

/** Where a recording stands; see the top of this file. */
export type RecordingState = "waiting" | "streaming" | "complete" | "revalidated" | "failed" | "cut";

/** Why there is no response. */
export interface FetchFailure {
  readonly code: GatewayErrorCode;
  readonly detail: string | undefined;
  readonly tried: readonly string[];
}

export class Recording {
  readonly order: FetchOrder;
  readonly #edge: Edge;
  readonly #serving: Serving;
  /** The number of the latest purge when it began. */
  readonly startSequence: number;
  readonly #startWallMs: number;
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
  /** Length of the body if it was declared, else -1. */
  contentLength = -1;
  #followers: Set<Follower> | undefined;
  /** Takes a chunked body apart. */
  #body: BodyReader | undefined;
  #chunks: Piece[] = [];
  /** Offset in the body of the first chunk. */
  #base = 0;
  #total = 0;
  #isStored = false;
  // What is stored of the key answers those who wait and nobody after them; or varies by other fields, and has to go.
  #isLastUse = false;
  #outdatesOthers = false;

  constructor(edge: Edge, serving: Serving, order: FetchOrder, isShared: boolean) {
    this.#edge = edge;
    this.#serving = serving;
    this.order = order;
    this.isShared = isShared;
    this.startSequence = edge.store.purgeSequence;
    this.#startWallMs = serving.wallMs();
  }

  /** Whether it has kept its followers waiting for longer than they should for something older. */
  get isLate(): boolean {
    const waitedMs = this.#serving.wallMs() - this.#startWallMs;
    return this.state === "waiting" && waitedMs >= this.order.cache.softTimeoutMs;
  }
  /** Whether there will be no more. */
  get hasEnded(): boolean {
    return this.state !== "waiting" && this.state !== "streaming";
  }
  get total(): number {
    return this.#total;
  }
  get hasFollowers(): boolean {
    return this.#followers !== undefined && this.#followers.size > 0;
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

  /** The final head. */
  began(head: ResponseHead, bytes: Uint8Array, request: CacheRequest): void {
    this.state = "streaming";
    this.status = head.status;
    this.contentLength = head.bodyKind === "length" ? head.contentLength : head.bodyKind === "none" ? 0 : -1;
    if (head.bodyKind === "chunked") {
      this.#body = new BodyReader();
      this.#body.begin(head.bodyKind, 0, true);
    }
    const { cache, conditions } = this.order;
    const responseWallMs = this.#serving.wallMs();
    const response = new HeadedResponse(head, bytes);
    const exchange = { request, response, requestWallMs: this.#startWallMs, responseWallMs };
    if (head.status === 304 && conditions !== undefined) return this.#update(exchange, head, bytes);
    if (isFailure(head.status) && this.#hasFallback(responseWallMs)) return this.#standIn(head.status);
    const verdict = storability(exchange, cache.policy);
    const isKept = verdict.kind === "store";
    const withheld = isKept ? withheldFields(exchange, cache.policy) : [];
    if (isKept || this.hasFollowers) {
      this.isCompressible = isKept && this.#isCompressible(response);
      this.head = layOutRawHead(head, bytes, {
        policy: isKept ? cache.policy : { ...cache.policy, browserCacheControl: undefined },
        withheld,
        keepsAge: !isKept,
        date: () => this.#serving.dateText,
        isCompressible: this.isCompressible,
      });
      if (this.head !== undefined) this.head.tags = this.#tagsOf(response);
    }
    // What was stored is answered by this from now on, and this cannot be kept.
    if (!isKept && conditions !== undefined && !cameStale(response)) this.#edge.remove(this.order.key);
    if (!isKept) this.#refuse(verdict.reason);
    else if (this.head === undefined) this.#refuse("head-too-long");
    else this.meta = verdict.meta;
    if (this.request === undefined) this.#outdatesOthers = this.#edge.hasOther(this.order.key, this.meta);
  }

  #isCompressible(response: HeadedResponse): boolean {
    if (!this.order.cache.compress) return false;
    // A body of unknown length is looked at when it is stored: too short a one is made smaller by nothing.
    const bodyBytes = response.bodyBytes ?? COMPRESSED_BYTES_MIN;
    return isCompressible((name) => response.field(name), response.status, bodyBytes);
  }

  /** Its tags, and its groups as those of this host: nobody may spoil the cache of another one (RFC 9875 §2). */
  #tagsOf(response: HeadedResponse): readonly string[] {
    const { kept } = tagsOf({ field: (name) => response.field(name) });
    if (kept.length === 0) return kept;
    return [...kept, ...groupsOf(response).map((group) => groupTag(hostOf(this.order.key), group))];
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
    if (isWhole && this.keeps && !this.hasFollowers) this.#store([{ bytes, start, end }]);
    else this.#chunks.push({ bytes: bytes.slice(start, end), start: 0, end: end - start });
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
    if (this.keeps && this.meta !== undefined && !this.#isStored) this.#store(this.#chunks);
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
    this.#edge.mark(this.order.key, reason === "already-stale" ? 1 : MARK_S, reason);
    this.#edge.landed(this);
  }

  // --- what another worker fetches ------------------------------------------------------------------------------

  /** Another worker stores it; here it is only followed. */
  beganElsewhere(from: Pick<Recording, "status" | "contentLength" | "head" | "meta">): void {
    this.state = "streaming";
    this.status = from.status;
    this.contentLength = from.contentLength;
    this.head = from.head;
    this.meta = from.meta;
    this.#isStored = true;
    this.#tell();
  }

  cameElsewhere(bytes: Uint8Array): void {
    this.#total += bytes.length;
    this.#chunks.push({ bytes, start: 0, end: bytes.length });
    this.#tell();
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
    if (this.#outdatesOthers) this.#edge.remove(this.order.key);
    this.#edge.keep({ ...this.order, head, meta, body, startSequence: this.startSequence });
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
    for (const follower of Array.from(this.#followers ?? [])) {
      if (this.#followers?.has(follower) === true) follower.moved();
    }
    this.#trim();
  }

  /** The bytes at `offset`: the chunk, and where in it. Undefined when they have not come yet. */
  chunkAt(offset: number): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    let at = this.#base;
    for (const { bytes, end } of this.#chunks) {
      if (offset < at + end) return { bytes, start: offset - at };
      at += end;
    }
    return undefined;
  }

  /** Forgets what everybody has had of a body that is not kept. */
  #trim(): void {
    if (this.keeps) return;
    const slowest = this.#slowest();
    for (let first = this.#chunks[0]; first !== undefined; first = this.#chunks[0]) {
      if (this.#base + first.end > slowest) return;
      this.#base += first.end;
      this.#chunks.shift();
    }
  }

  #slowest(): number {
    let slowest = this.#total;
    for (const { offset } of this.#followers ?? []) slowest = Math.min(slowest, offset);
    return slowest;
  }
}
