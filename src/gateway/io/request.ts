/**
 * The request of one exchange: who asks, what for, by which rule, and how much of it has come.
 *
 * Its head, and what came of its body along with that, are copied (received bytes are borrowed), so that the request
 * can be sent later, or again to another target.
 */
import type { TimeoutsConfig } from "../../config/index.ts";
import type { CachedAs } from "../../edge/index.ts";
import { copy, METHOD, type MethodCode } from "../../http/index.ts";
import { type AccessRecord, accessRecord } from "../access-log.ts";
import { BodyReader } from "../body.ts";
import type { GatewayErrorCode } from "../errors.ts";
import type { RequestView } from "../route.ts";
import { isLoop } from "../site.ts";
import type { Client } from "./client.ts";
import type { Plan } from "./plan.ts";
import type { Serving } from "./serving.ts";

/** Requests up to this size are copied into a buffer that their exchange keeps: no allocation for the usual one. */
const REPLAY_BYTES = 2048;

export class Request {
  readonly body: BodyReader = new BodyReader();
  readonly #serving: Serving;
  down: Client | undefined;
  plan: Plan | undefined;
  /** The head, and the clean bytes of the body that came with it: what every attempt is sent from. */
  replay: Uint8Array = new Uint8Array(REPLAY_BYTES);
  replayHeadEnd = 0;
  replayEnd = 0;
  /** Until more of the body has gone out, or the answer has begun: the replay is the whole request so far. */
  isReplayable = false;
  record: AccessRecord | undefined;
  number = 0;
  startedMs = 0;
  method: MethodCode = METHOD.other;
  isHttp10 = false;
  upgrade = false;
  /** The client holds its body back until it is told to go on (Expect: 100-continue), and has not been told yet. */
  holdsBack = false;
  /** Whether the client's connection closes after the answer. */
  close = false;
  bytesIn = 0;
  /** Lines that the cache adds to a target's response, each with its CRLF; "" without a cache. */
  cacheLines = "";
  /** One of them is a Cache-Control in the place of the target's. */
  replacesCacheControl = false;
  /** How its rule's cache answered it; undefined without one. */
  cached: CachedAs | undefined;

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  /** Takes the request whose parsed head is in the view. Returns the end of what belongs to it. */
  begin(down: Client, bytes: Uint8Array, start: number, headEnd: number, end: number): number {
    const serving = this.#serving;
    const { head } = serving.view;
    this.down = down;
    this.startedMs = serving.nowMs();
    this.number = serving.requestIds.next();
    this.method = head.method;
    this.isHttp10 = head.minorVersion === 0;
    this.upgrade = head.upgrade;
    this.holdsBack = head.expectContinue;
    this.close = !head.keepAlive;
    if (serving.logsAccess && !down.isNobody) this.record = accessRecord(serving.view);
    const { body } = this;
    body.begin(head.bodyKind, head.contentLength, false);
    const bodyEnd = body.read(bytes, headEnd, end);
    this.bytesIn = bodyEnd - start;
    this.#keepReplay(bytes, start, headEnd, bodyEnd);
    return bodyEnd;
  }

  #keepReplay(bytes: Uint8Array, start: number, headEnd: number, bodyEnd: number): void {
    if (bodyEnd - start > this.replay.length) this.replay = new Uint8Array(bodyEnd - start);
    this.replayHeadEnd = copy(bytes, start, headEnd, this.replay, 0);
    this.replayEnd = this.body.copyParts(bytes, headEnd, bodyEnd, this.replay, this.replayHeadEnd);
    this.isReplayable = true;
  }

  /** Whether there is a body, be it an empty one. */
  get hasBody(): boolean {
    return !this.body.done || this.body.received > 0;
  }

  get timeouts(): TimeoutsConfig {
    return this.plan?.timeouts ?? this.#serving.timeouts;
  }

  /** Why it is not looked at any further. */
  refusal({ head, bytes }: RequestView): GatewayErrorCode | undefined {
    if (this.isTooLarge) return "body-too-large";
    return isLoop(this.#serving.site, head, bytes) ? "loop-detected" : undefined;
  }

  /** Whether the body is larger than the rule allows, by its declared length or by what has come. */
  get isTooLarge(): boolean {
    const max = this.plan?.bodyBytesMax ?? 0;
    return max > 0 && Math.max(this.body.length, this.body.dataBytes) > max;
  }

  clear(): void {
    this.down = undefined;
    this.plan = undefined;
    this.isReplayable = false;
    this.cacheLines = "";
    this.replacesCacheControl = false;
    this.cached = undefined;
    if (this.replay.length > REPLAY_BYTES) this.replay = new Uint8Array(REPLAY_BYTES);
    this.record = undefined;
  }
}
