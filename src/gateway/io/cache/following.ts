/**
 * A client that gets the response of a recording: waits for it, for something older if that takes too long, and is then
 * sent its own head and the body at its own pace.
 */
import { afterFailure, ageSeconds, cachedAs, evaluate, notModifiedFields } from "../../../edge/index.ts";
import { asBytes, copy, METHOD } from "../../../http/index.ts";
import type { GatewayErrorCode } from "../../errors.ts";
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import type { Edge } from "./edge.ts";
import type { Follower } from "./follower.ts";
import { headBytes, linesIn } from "./messages.ts";
import { CHUNKS, OWN_BYTES_MAX, putAge, putEnd, putFraming, putText, UNTIL_CLOSE } from "./own-lines.ts";
import type { Recording } from "./recording.ts";
import { TOO_MANY_SLOW } from "./sending.ts";
import type { Sender, StoredAnswer } from "./stored-answer.ts";

/** How long a client waits for somebody else's fetch before it goes to a target by itself. */
const FOLLOW_MS = 10_000;

/** Failures that mean that there is nobody to ask. */
const UNREACHABLE: readonly GatewayErrorCode[] = [
  "no-target",
  "connect-refused",
  "connect-failed",
  "connect-timeout",
];

const CRLF = asBytes("\r\n");
const LAST_CHUNK = asBytes("0\r\n\r\n");

/** What a follower does when the recording is of no use to it. */
export interface Ways {
  /** Looks the request up once more. */
  lookAgain(): void;
  /** To a target, as without a cache. */
  goAlone(reason: string): void;
  /** Sends what is stored; false when it cannot be held for as long as a slow client may take. */
  sendStored(answer: StoredAnswer): boolean;
  /** The recording is of a part of the body that is wanted: it is sent as such. `note` is for Cache-Status. */
  beginPart(recording: Recording, note: string): void;
}

export class Following implements Follower {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  readonly #ways: Ways;
  #recording: Recording | undefined;
  /** The recording is for this request: it takes the response whatever it is. */
  #leads = false;
  /** Why there was a fetch (RFC 9211 §2.2), and what more there is to say. */
  #forward = "";
  #detail = "";
  /** Soft timeouts that passed without anything to fall back on. */
  #waits = 0;
  #hasBegun = false;
  /** Of the head that was sent: 304 for who has the response already. */
  #status = 0;
  #offset = 0;
  #isChunked = false;
  #hasBody = true;
  /** What of the head, and of the body behind it, stands in the scratch buffer, unsent. */
  #pending = 0;

  constructor(sender: Omit<Sender, "sending">, ways: Ways) {
    this.#exchange = sender.exchange;
    this.#serving = sender.serving;
    this.#request = sender.request;
    this.#ways = ways;
  }

  get isActive(): boolean {
    return this.#recording !== undefined;
  }
  get offset(): number {
    return this.#offset;
  }
  get #edge(): Edge {
    const { edge } = this.#serving;
    if (edge === undefined) throw new Error("cache: a recording without a cache");
    return edge;
  }

  /** Follows; `leads`: the recording was begun for this request. */
  follow(
    recording: Recording,
    { forward, detail, leads }: { forward: string; detail: string; leads: boolean },
  ): void {
    this.#recording = recording;
    this.#leads = leads;
    this.#forward = forward;
    this.#detail = detail;
    recording.join(this);
    this.#exchange.wait("fetch", recording.order.cache.softTimeoutMs);
  }

  #leave(): void {
    const recording = this.#recording;
    this.#recording = undefined;
    recording?.leave(this);
  }

  interim(bytes: Uint8Array, size: number): void {
    if (!this.#request.isHttp10 && !this.#hasBegun) this.#exchange.sendDown(bytes, 0, size);
  }

  moved(): void {
    const recording = this.#recording;
    switch (recording?.state) {
      case undefined:
      case "waiting":
        return;
      case "streaming":
      case "complete":
        return this.#hasBegun ? this.pump() : this.#begin(recording);
      case "revalidated":
        return this.#takeRevalidated(recording);
      case "failed":
        return this.#takeFailure(recording);
      case "cut":
        this.#leave();
        return this.#exchange.fail("upstream-cut");
    }
  }

  /** The response has begun: is it for this request as well? */
  #begin(recording: Recording): void {
    const { head, keeps } = recording;
    this.#exchange.view();
    const isOther = this.#edge.isOther(recording);
    if (!this.#leads && (!keeps || head === undefined || isOther)) {
      this.#leave();
      return isOther ? this.#ways.lookAgain() : this.#ways.goAlone(recording.refusal);
    }
    const isPart = recording.slice !== undefined && recording.slice.kind !== "plain";
    if (isPart && !keeps) {
      this.#leave();
      return this.#ways.goAlone(recording.refusal);
    }
    if (head === undefined) {
      this.#leave();
      return this.#ways.goAlone("head-too-long");
    }
    if (isPart) {
      const note = this.#cacheStatus(recording);
      this.#leave();
      return this.#ways.beginPart(recording, note);
    }
    this.#writeHead(recording, head);
    this.pump();
  }

  // --- the head -----------------------------------------------------------------------------------------------

  #writeHead(recording: Recording, head: NonNullable<Recording["head"]>): void {
    const { scratch } = this.#serving.wire;
    const request = this.#request;
    const isUnchanged = this.#isUnchanged(recording);
    const status = isUnchanged ? 304 : recording.status;
    this.#hasBody = !isUnchanged && request.method !== METHOD.head && hasBody(status);
    const length = lengthOf(recording, request.isHttp10);
    this.#isChunked = this.#hasBody && length === CHUNKS;
    request.close ||= (this.#hasBody && length === UNTIL_CLOSE) || request.down?.listener.closing === true;
    const first = isUnchanged
      ? unchanged(head)
      : head.bytes.subarray(head.clientStart, lineEnd(head, recording));
    const note = `Cache-Status: ${this.#serving.site.cacheName}; ${this.#cacheStatus(recording)}\r\n`;
    const needed = first.length + note.length + OWN_BYTES_MAX;
    const out = needed > scratch.length ? new Uint8Array(needed) : scratch;
    let at = putText(note, out, copy(first, 0, first.length, out, 0));
    const ageS = this.#ageSeconds(recording);
    if (ageS > 0) at = putAge(ageS, out, at);
    if (hasBody(status) && (this.#hasBody || length >= 0)) at = putFraming(length, out, at);
    at = putEnd(this.#serving, request, out, at);
    this.#hasBegun = true;
    this.#status = status;
    this.#exchange.adopt(status);
    if (out === scratch) this.#pending = at;
    else this.#exchange.sendDown(out, 0, at);
  }

  /** What is being fetched may come from a cache, and be of some age already. That of what is not kept stands in its head. */
  #ageSeconds({ meta, keeps }: Recording): number {
    return keeps && meta !== undefined ? ageSeconds(meta, this.#serving.wallMs()) : 0;
  }

  #isUnchanged({ meta }: Recording): boolean {
    const nowMs = this.#serving.wallMs();
    return meta !== undefined && evaluate(this.#edge.viewed, meta, 0, nowMs).kind === "not-modified";
  }

  #cacheStatus({ status, keeps, refusal }: Recording): string {
    const parts = [`fwd=${this.#forward}`];
    if (this.#leads) parts.push(`fwd-status=${status}`);
    if (keeps) parts.push("stored");
    if (!this.#leads) parts.push("collapsed");
    const detail = keeps ? this.#detail : refusal;
    if (detail !== "") parts.push(`detail=${detail}`);
    return parts.join("; ");
  }

  // --- the body -----------------------------------------------------------------------------------------------

  /** Sends what there is, as far as the client takes it. */
  pump(): void {
    const recording = this.#recording;
    if (recording === undefined || !this.#hasBegun) return;
    const before = this.#offset;
    const isDone = this.#sendBody(recording);
    if (isDone) {
      this.#leave();
      return this.#exchange.answered(this.#status);
    }
    if (!recording.keeps && this.#offset > before) recording.followed();
    this.#exchange.wait("stream", this.#request.timeouts.idleMs);
  }

  /** True when that was the last of it. */
  #sendBody(recording: Recording): boolean {
    const { down } = this.#request;
    for (
      let isFull = down?.outbox !== undefined;
      this.#hasBody && !isFull;
      isFull = down?.outbox !== undefined
    ) {
      const chunk = recording.chunkAt(this.#offset);
      if (chunk === undefined) break;
      const { bytes, start } = chunk;
      this.#offset += bytes.length - start;
      this.#send(bytes, start, bytes.length);
    }
    const isWhole = !this.#hasBody || (recording.state === "complete" && this.#offset === recording.total);
    if (isWhole && this.#isChunked) this.#sendAsIs(LAST_CHUNK, 0, LAST_CHUNK.length);
    this.#flush();
    return isWhole;
  }

  #send(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#isChunked) return this.#sendAsIs(bytes, start, end);
    const size = asBytes(`${(end - start).toString(16)}\r\n`);
    this.#sendAsIs(size, 0, size.length);
    this.#sendAsIs(bytes, start, end);
    this.#sendAsIs(CRLF, 0, CRLF.length);
  }

  /** Joins what is pending where it fits, so that a small response is one write. */
  #sendAsIs(bytes: Uint8Array, start: number, end: number): void {
    const { scratch } = this.#serving.wire;
    if (this.#pending + end - start > scratch.length) this.#flush();
    if (end - start > scratch.length) return this.#exchange.sendDown(bytes, start, end);
    this.#pending = copy(bytes, start, end, scratch, this.#pending);
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = 0;
    if (pending > 0) this.#exchange.sendDown(this.#serving.wire.scratch, 0, pending);
  }

  // --- when there is none -------------------------------------------------------------------------------------

  /** 304: what is stored is right again, and is what the client gets. */
  #takeRevalidated({ order }: Recording): void {
    this.#leave();
    this.#exchange.view();
    const stored = this.#edge.lookAgain(order.key);
    if (stored === undefined) return this.#ways.lookAgain();
    if (this.#leads) this.#request.cached = cachedAs("revalidated", this.#detail) ?? this.#request.cached;
    const forward = `fwd=${this.#forward}; fwd-status=304${this.#leads ? "" : "; collapsed"}`;
    const nowMs = this.#serving.wallMs();
    const answer = { stored, nowMs, detail: this.#detail, forward };
    if (!this.#ways.sendStored(answer)) this.#ways.goAlone(TOO_MANY_SLOW);
  }

  #takeFailure(recording: Recording): void {
    const { failure } = recording;
    this.#leave();
    const isUnreachable = failure !== undefined && UNREACHABLE.includes(failure.code);
    if (this.#fallBack(recording, isUnreachable)) return;
    // Whoever fetched gave up for a reason of its own.
    if (failure === undefined) return this.#ways.lookAgain();
    this.#exchange.fail(failure.code, failure.detail, failure.tried);
  }

  /** Something older instead of an error, or instead of a longer wait. False when there is nothing. */
  #fallBack({ order }: Recording, isUnreachable: boolean): boolean {
    this.#exchange.view();
    const nowMs = this.#serving.wallMs();
    const stored = this.#edge.lookAgain(order.key);
    const down = { allTargetsDown: isUnreachable || order.plan.isDown };
    const fallback = afterFailure(stored, order.cache.policy, nowMs, down);
    if (fallback.kind === "no" || stored === undefined) {
      this.#edge.release();
      return false;
    }
    this.#leave();
    this.#request.cached = cachedAs("stale", fallback.reason);
    const answer = { stored, nowMs, detail: fallback.reason };
    if (!this.#ways.sendStored(answer)) this.#ways.goAlone(TOO_MANY_SLOW);
    return true;
  }

  /** A soft timeout has passed. */
  timedOut(): void {
    const recording = this.#recording;
    if (recording === undefined || this.#hasBegun || this.#fallBack(recording, false)) return;
    const { softTimeoutMs } = recording.order.cache;
    this.#waits++;
    if (this.#leads || this.#waits * softTimeoutMs < FOLLOW_MS)
      return this.#exchange.wait("fetch", softTimeoutMs);
    this.#leave();
    this.#ways.goAlone("waited-too-long");
  }

  clear(): void {
    this.#leave();
    this.#waits = 0;
    this.#hasBegun = false;
    this.#offset = 0;
    this.#isChunked = false;
    this.#pending = 0;
  }
}

function hasBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** The framing of the body: its length when that is known, by now or from the beginning. */
function lengthOf({ contentLength, state, total }: Recording, isHttp10: boolean): number {
  if (contentLength >= 0) return contentLength;
  if (state === "complete") return total;
  return isHttp10 ? UNTIL_CLOSE : CHUNKS;
}

/** Where the fields end: Content-Length stands behind them once the body is stored. */
function lineEnd({ bytes, end }: NonNullable<Recording["head"]>, { state, status }: Recording): number {
  if (state !== "complete" || !hasBody(status)) return end;
  const last = Buffer.from(bytes.buffer, bytes.byteOffset, end).lastIndexOf("\r\nContent-Length: ");
  return last < 0 ? end : last + CRLF.length;
}

function unchanged({ bytes, clientStart, end }: NonNullable<Recording["head"]>): Uint8Array {
  return headBytes(304, "Not Modified", notModifiedFields(linesIn(bytes, clientStart, end)));
}
