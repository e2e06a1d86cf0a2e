/**
 * One exchange: a request from a client, its way to a target, and the response back.
 *
 *   begin -> route -> pick a target -> connection -> request sent -> answer -> both bodies done -> finish
 *              |          |                |              |
 *            reply      queue            retry          retry (when safe) or an error page
 *
 * Bodies stream by reference in both directions; a side that cannot take more pauses the other. The chunk that
 * brought the request is kept until the answer begins, so that the request can be sent again to another target.
 * Exchanges are recycled: a worker holds as many as it ever had in flight at once.
 */
import { copy, isIdempotent, METHOD, type MethodCode, type ResponseHead } from "../../http/index.ts";
import { type AccessRecord, accessRecord } from "../access-log.ts";
import { BodyReader } from "../body.ts";
import { GATEWAY_ERRORS, type GatewayErrorCode, reasonNumber } from "../errors.ts";
import { maySendAgain } from "../retry.ts";
import type { RequestView } from "../route.ts";
import { GROUP_COUNTER, NO_GROUP } from "../scoreboard.ts";
import type { Downstream, Wait } from "./downstream.ts";
import { SEND, type SendResult } from "./outbox.ts";
import type { Plan } from "./plan.ts";
import type { Pool } from "./pool.ts";
import { errorReply, localReply, type Reply, renderReply } from "./reply.ts";
import type { Serving } from "./serving.ts";
import type { Upstream, UpstreamUser } from "./upstream.ts";
import type { UpstreamGroup, Waiter } from "./upstream-group.ts";
import { keepAliveHintMs } from "./wire.ts";

/** How long a client may pause while it sends a body that nobody reads any more; then its connection closes. */
const DISCARD_MS = 2_000;

/** Requests up to this size are copied into a buffer that their exchange keeps: no allocation for the usual one. */
const REPLAY_BYTES = 2048;

export class Exchange implements UpstreamUser, Waiter {
  readonly #serving: Serving;
  readonly #requestBody = new BodyReader();
  readonly #responseBody = new BodyReader();

  #down: Downstream | undefined;
  #plan: Plan | undefined;
  #group: UpstreamGroup | undefined;
  #pool: Pool | undefined;
  #upstream: Upstream | undefined;

  // The request.
  /** A copy of the head, and of the clean body bytes that came with it: what a later attempt is sent from. */
  #replay: Uint8Array = new Uint8Array(REPLAY_BYTES);
  #replayHeadEnd = 0;
  #replayEnd = 0;
  /** Whether the request can still be sent (again) from the copy. */
  #replayable = false;
  /** Body chunks that came while the connection to the target was being opened. */
  #waiting: Uint8Array[] = [];
  #requestNumber = 0;
  #startedMs = 0;
  #hash = 0;
  #method: MethodCode = METHOD.other;
  #isHttp10 = false;
  #upgrade = false;
  #close = false;
  #record: AccessRecord | undefined;

  // The attempt.
  #attempts = 0;
  #attemptMs = 0;
  #staleBefore = false;
  /** Slot of the target that this request is in flight to; -1 for none. */
  #slot = -1;
  #tried: string[] | undefined;

  // The response.
  #partial: Uint8Array | undefined;
  #partialResume = 0;
  #answered = false;
  #reusable = false;
  #responseDone = false;
  #tunnel = false;
  #status = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #reason: GatewayErrorCode | undefined;

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  // --- the request --------------------------------------------------------------------------------------------

  /** Takes the request whose parsed head is `serving.view`. Returns the end of what belongs to it. */
  begin(down: Downstream, bytes: Uint8Array, start: number, headEnd: number, end: number): number {
    const serving = this.#serving;
    const { head } = serving.view;
    this.#down = down;
    this.#startedMs = serving.nowMs();
    this.#requestNumber = serving.requestIds.next();
    this.#method = head.method;
    this.#isHttp10 = head.minorVersion === 0;
    this.#upgrade = head.upgrade;
    this.#close = !head.keepAlive;
    if (serving.logsAccess) this.#record = accessRecord(serving.view);
    const body = this.#requestBody;
    body.begin(head.bodyKind, head.contentLength, false);
    const bodyEnd = body.read(bytes, headEnd, end);
    this.#bytesIn = bodyEnd - start;
    this.#keepReplay(bytes, start, headEnd, bodyEnd);
    if (body.error === undefined) this.#route(down, serving.view);
    else this.#fail("bad-request", body.error);
    return bodyEnd;
  }

  #keepReplay(bytes: Uint8Array, start: number, headEnd: number, bodyEnd: number): void {
    if (bodyEnd - start > this.#replay.length) this.#replay = new Uint8Array(bodyEnd - start);
    this.#replayHeadEnd = copy(bytes, start, headEnd, this.#replay, 0);
    this.#replayEnd = this.#requestBody.copyParts(bytes, headEnd, bodyEnd, this.#replay, this.#replayHeadEnd);
    this.#replayable = true;
  }

  #route(down: Downstream, view: RequestView): void {
    const plan = down.listener.find(view);
    if (plan === undefined) return this.#fail("no-rule");
    this.#plan = plan;
    if (this.#tooLarge()) return this.#fail("body-too-large");
    if (plan.action.kind !== "forward") return this.#reply(localReply(plan.action, view));
    const group = plan.chooseGroup(this.#serving.random);
    if (group === undefined) return this.#fail("no-target");
    this.#group = group;
    this.#hash = group.keyHash(view);
    this.#attempt(-1);
  }

  #tooLarge(): boolean {
    const max = this.#plan?.bodyBytesMax ?? 0;
    return max > 0 && Math.max(this.#requestBody.length, this.#requestBody.received) > max;
  }

  /** More of the request body, or of a tunnel. Returns the end of what belongs to this exchange. */
  requestBytes(bytes: Uint8Array, start: number, limit: number): number {
    if (this.#tunnel) {
      this.#sendUp(bytes, start, limit);
      this.#wait("tunnel", this.#serving.timeouts.tunnelIdleMs);
      return limit;
    }
    if (this.#requestBody.done) return start;
    const end = this.#requestBody.read(bytes, start, limit);
    this.#bytesIn += end - start;
    if (this.#requestBody.error !== undefined) this.#fail("bad-request", this.#requestBody.error);
    else if (this.#tooLarge()) this.#fail("body-too-large");
    else this.#forwardRequestBody(bytes, start, end);
    return end;
  }

  #forwardRequestBody(bytes: Uint8Array, start: number, end: number): void {
    if (this.#responseDone) return this.#requestBody.done ? this.#finish() : this.#wait("stream", DISCARD_MS);
    if (this.#upstream?.isOpen !== true) {
      this.#requestBody.forEachPart(start, end, (from, to) => this.#waiting.push(bytes.slice(from, to)));
      this.#down?.pause();
      return;
    }
    this.#replayable = false;
    this.#requestBody.forEachPart(start, end, (from, to) => this.#sendUp(bytes, from, to));
    this.#awaitMore();
  }

  #sendUp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#upstream?.send(bytes, start, end) === SEND.waits) this.#down?.pause();
  }

  /** Waits for the rest of the request, or for the answer, whichever is due. */
  #awaitMore(): void {
    const timeouts = this.#plan?.timeouts ?? this.#serving.timeouts;
    if (this.#requestBody.done && !this.#answered) this.#wait("first-byte", timeouts.firstByteMs);
    else this.#wait("stream", timeouts.idleMs);
  }

  /** The client sent FIN. A request that is whole is answered; half a request never will be. */
  requestEnded(): void {
    if (this.#tunnel) this.#upstream?.shutdown();
    else if (!this.#requestBody.done) this.#abandon("client-closed");
  }

  // --- the attempt --------------------------------------------------------------------------------------------

  #attempt(exclude: number): void {
    const group = this.#group;
    if (group === undefined) return;
    const pool = group.pools[group.pick(this.#hash, exclude)];
    if (pool === undefined) return this.#fail("no-target");
    this.#pool = pool;
    const nowMs = this.#attempts === 0 ? this.#startedMs : this.#serving.nowMs();
    const idle = this.#staleBefore ? undefined : pool.take(nowMs);
    if (idle === undefined && !pool.hasRoom) return this.#queue(group);
    this.#attempts++;
    this.#attemptMs = nowMs;
    this.#slot = pool.target.slot;
    this.#serving.column.moveInFlight(this.#slot, group.row, 1);
    if (idle !== undefined) this.#use(idle);
    else this.#connect(pool);
  }

  #queue(group: UpstreamGroup): void {
    if (!group.enqueue(this)) return this.#fail("queue-full");
    if (!this.#requestBody.done) this.#down?.pause();
    this.#wait("queue", group.queueTimeoutMs);
  }

  /** A connection of the group became free, and this exchange has waited longest. */
  dequeued(): void {
    this.#attempt(-1);
  }

  #connect(pool: Pool): void {
    if (!this.#requestBody.done) this.#down?.pause();
    this.#wait("connect", this.#plan?.timeouts.connectMs ?? this.#serving.timeouts.connectMs);
    this.#upstream = pool.connect(this);
  }

  upstreamOpened(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#down?.resume();
    this.#use(upstream);
  }

  #use(upstream: Upstream): void {
    this.#upstream = upstream;
    upstream.user = this;
    const sent = this.#sendRequest(upstream);
    if (sent === SEND.gone) return this.#lost("upstream-closed", true);
    if (sent === SEND.waits) this.#down?.pause();
    this.#awaitMore();
  }

  /** Head and the body that came with it, in one write where they fit; then what came while we waited. */
  #sendRequest(upstream: Upstream): SendResult {
    const down = this.#down;
    if (!this.#replayable || down === undefined) return SEND.gone;
    const { wire } = this.#serving;
    const view = this.#serving.viewOf(this, down, this.#replay, this.#replayHeadEnd);
    const headBytes = wire.writeRequest(
      view,
      down.peer,
      this.#requestNumber,
      this.#plan?.hostFor(upstream.pool),
      upstream.pool.authority,
    );
    const bodyBytes = this.#replayEnd - this.#replayHeadEnd;
    if (headBytes + bodyBytes <= wire.scratch.length) {
      const size = copy(this.#replay, this.#replayHeadEnd, this.#replayEnd, wire.scratch, headBytes);
      return this.#sendWaiting(upstream, upstream.send(wire.scratch, 0, size));
    }
    const sent = upstream.send(wire.scratch, 0, headBytes);
    if (sent === SEND.gone) return sent;
    return this.#sendWaiting(upstream, upstream.send(this.#replay, this.#replayHeadEnd, this.#replayEnd));
  }

  #sendWaiting(upstream: Upstream, sent: SendResult): SendResult {
    if (this.#waiting.length === 0 || sent === SEND.gone) return sent;
    let last: SendResult = sent;
    for (const part of this.#waiting.splice(0)) last = upstream.send(part, 0, part.length);
    this.#replayable = false;
    return last;
  }

  /** The connection is gone before an answer: another target, when that is safe, or an error page. */
  #lost(code: GatewayErrorCode, unsent: boolean): void {
    const index = this.#pool?.index ?? -1;
    const stale = code === "upstream-closed" && (this.#upstream?.uses ?? 0) > 0;
    if (!stale) this.#group?.failed(index, this.#serving.nowMs() - this.#attemptMs);
    this.#noteTried(code);
    this.#release(false);
    if (!this.#maySendAgain(code, unsent, stale)) return this.#fail(code);
    this.#staleBefore ||= stale;
    this.#serving.column.countGroup(this.#row, GROUP_COUNTER.retries, 1);
    this.#attempt(stale ? -1 : index);
  }

  #maySendAgain(code: GatewayErrorCode, unsent: boolean, stale: boolean): boolean {
    if (this.#plan === undefined || !this.#replayable || this.#down?.isClosed !== false) return false;
    const idempotent = isIdempotent(this.#method);
    const before = { staleBefore: this.#staleBefore, attempts: this.#attempts };
    return maySendAgain({ code, unsent, stale, idempotent, ...before }, this.#plan.rule.retry);
  }

  #noteTried(code: GatewayErrorCode): void {
    this.#tried ??= [];
    this.#tried.push(`${this.#pool?.target.id ?? "-"}: ${code}`);
  }

  // --- the response -------------------------------------------------------------------------------------------

  upstreamData(bytes: Uint8Array, start: number, end: number): void {
    if (this.#tunnel) return this.#tunnelDown(bytes, start, end);
    if (this.#answered) return this.#forwardResponseBody(bytes, start, end);
    const partial = this.#partial;
    if (partial === undefined) return this.#readAnswer(bytes, start, end);
    const joined = Buffer.concat([partial, bytes.subarray(start, end)]);
    this.#partial = undefined;
    this.#readAnswer(joined, 0, joined.length);
  }

  /** Reads heads until a final one: interim responses (1xx) go to the client in order. */
  #readAnswer(bytes: Uint8Array, start: number, end: number): void {
    const head = this.#serving.responseHead;
    let at = start;
    while (at < end) {
      const used = head.parse(bytes, at, end, this.#method, this.#partialResume);
      if (used === 0) return this.#awaitAnswer(bytes.slice(at, end), head.resume);
      this.#partialResume = 0;
      if (used < 0) return this.#fail("upstream-invalid", head.error);
      if (head.status >= 200) return this.#answer(head, bytes, at + used, end);
      if (head.status === 101) return this.#switchProtocols(head, bytes, at + used, end);
      this.#forwardInterim(head, bytes);
      at += used;
    }
  }

  #awaitAnswer(partial: Uint8Array, resume: number): void {
    this.#partial = partial;
    this.#partialResume = resume;
    this.#wait("first-byte", this.#plan?.timeouts.firstByteMs ?? this.#serving.timeouts.firstByteMs);
  }

  /** HTTP/1.0 clients know no interim responses (RFC 9110 §15.2). */
  #forwardInterim(head: ResponseHead, bytes: Uint8Array): void {
    if (!this.#isHttp10) this.#sendHead(head, bytes, false);
  }

  #answer(head: ResponseHead, bytes: Uint8Array, bodyStart: number, end: number): void {
    this.#answered = true;
    this.#replayable = false;
    this.#status = head.status;
    this.#group?.answered(this.#pool?.index ?? -1, head.status, this.#serving.nowMs() - this.#attemptMs);
    const dechunk = this.#isHttp10 && head.bodyKind === "chunked";
    this.#responseBody.begin(head.bodyKind, head.contentLength, dechunk);
    this.#close ||= dechunk || head.bodyKind === "until-close" || this.#down?.listener.closing === true;
    this.#reusable = head.keepAlive;
    if (this.#upstream?.uses === 0) this.#upstream.hintMs = keepAliveHintMs(head, bytes);
    const headBytes = this.#writeHead(head, bytes, dechunk);
    if (headBytes < 0) return this.#fail("upstream-invalid", "upstream-head-too-large");
    this.#sendAnswer(bytes, bodyStart, end, headBytes);
  }

  #writeHead(head: ResponseHead, bytes: Uint8Array, dechunk: boolean): number {
    const { form } = this.#serving.wire;
    form.close = this.#close && !head.informational;
    form.keepAlive10 = this.#isHttp10 && !this.#close;
    form.upgrade = this.#tunnel;
    form.dechunk = dechunk;
    form.requestNumber = this.#requestNumber;
    return this.#serving.wire.writeResponse(head, bytes);
  }

  #sendHead(head: ResponseHead, bytes: Uint8Array, dechunk: boolean): void {
    const size = this.#writeHead(head, bytes, dechunk);
    if (size > 0) this.#sendDown(this.#serving.wire.scratch, 0, size);
  }

  /** Head and the body that came with it, in one write where they fit. */
  #sendAnswer(bytes: Uint8Array, start: number, limit: number, headBytes: number): void {
    const { scratch } = this.#serving.wire;
    const body = this.#responseBody;
    const end = body.read(bytes, start, limit);
    if (headBytes + end - start <= scratch.length) {
      this.#sendDown(scratch, 0, body.copyParts(bytes, start, end, scratch, headBytes));
    } else {
      this.#sendDown(scratch, 0, headBytes);
      body.forEachPart(start, end, (from, to) => this.#sendDown(bytes, from, to));
    }
    this.#afterResponseBytes(end < limit);
  }

  #forwardResponseBody(bytes: Uint8Array, start: number, limit: number): void {
    const end = this.#responseBody.read(bytes, start, limit);
    this.#responseBody.forEachPart(start, end, (from, to) => this.#sendDown(bytes, from, to));
    this.#afterResponseBytes(end < limit);
  }

  #sendDown(bytes: Uint8Array, start: number, end: number): void {
    this.#bytesOut += end - start;
    if (this.#down?.send(bytes, start, end) === SEND.waits) this.#upstream?.pause();
  }

  #afterResponseBytes(excess: boolean): void {
    if (this.#responseBody.error !== undefined)
      return this.#fail("upstream-invalid", this.#responseBody.error);
    if (this.#responseBody.done) this.#responseComplete(excess);
    else this.#wait("stream", this.#plan?.timeouts.idleMs ?? this.#serving.timeouts.idleMs);
  }

  /** The target has said all. What it sends beyond its Content-Length is not forwarded, and ends its connection. */
  #responseComplete(excess: boolean): void {
    this.#responseDone = true;
    this.#release(
      this.#reusable && !excess && this.#requestBody.done && this.#upstream?.outbox === undefined,
    );
    if (this.#requestBody.done) return this.#finish();
    // The target answered early: what the client still sends of this request is read and dropped.
    this.#down?.resume();
    this.#wait("stream", DISCARD_MS);
  }

  upstreamEnded(): void {
    if (this.#tunnel) return this.#endTunnel();
    if (!this.#answered) return this.#lost("upstream-closed", false);
    if (this.#responseBody.isUntilClose) this.#responseComplete(true);
    else this.#fail("upstream-cut");
  }

  upstreamClosed(code: GatewayErrorCode): void {
    if (!this.#answered) this.#lost(code, false);
    else this.upstreamEnded();
  }

  // --- tunnels ------------------------------------------------------------------------------------------------

  /** 101: from here on bytes pass untouched in both directions, and neither connection is used again. */
  #switchProtocols(head: ResponseHead, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#upgrade) return this.#fail("upstream-invalid", "unasked-upgrade");
    this.#answered = true;
    this.#tunnel = true;
    this.#close = true;
    this.#replayable = false;
    this.#status = 101;
    this.#group?.answered(this.#pool?.index ?? -1, 101, this.#serving.nowMs() - this.#attemptMs);
    this.#sendHead(head, bytes, false);
    this.#down?.resume();
    this.#tunnelDown(bytes, start, end);
  }

  #tunnelDown(bytes: Uint8Array, start: number, end: number): void {
    if (start < end) this.#sendDown(bytes, start, end);
    this.#wait("tunnel", this.#serving.timeouts.tunnelIdleMs);
  }

  #endTunnel(): void {
    this.#release(false);
    this.#finish();
  }

  // --- pressure and time --------------------------------------------------------------------------------------

  upstreamDrained(): void {
    this.#down?.resume();
    if (!this.#tunnel) this.#awaitMore();
  }

  downstreamDrained(): void {
    this.#upstream?.resume();
    if (this.#answered && !this.#tunnel)
      this.#wait("stream", this.#plan?.timeouts.idleMs ?? this.#serving.timeouts.idleMs);
  }

  /** Waits at most `ms`, or what is left of the total timeout. */
  #wait(what: Wait, ms: number): void {
    const totalMs = this.#plan?.timeouts.totalMs ?? 0;
    if (totalMs === 0 || this.#tunnel) {
      this.#down?.wait(what, ms);
      return;
    }
    const leftMs = totalMs - (this.#serving.nowMs() - this.#startedMs);
    this.#down?.wait(what, Math.max(0, Math.min(ms, leftMs)));
  }

  timedOut(wait: Wait): void {
    if (wait === "tunnel") return this.#endTunnel();
    if (this.#responseDone) return this.#finish();
    if (wait === "queue") this.#group?.leaveQueue(this);
    const code = this.#timeoutCode(wait);
    if (code === "connect-timeout") return this.#lost(code, true);
    if (code === "client-stalled") return this.#abandon(code);
    if (wait === "first-byte")
      this.#group?.failed(this.#pool?.index ?? -1, this.#serving.nowMs() - this.#attemptMs);
    this.#fail(code);
  }

  #timeoutCode(wait: Wait): GatewayErrorCode {
    const totalMs = this.#plan?.timeouts.totalMs ?? 0;
    if (totalMs > 0 && this.#serving.nowMs() - this.#startedMs >= totalMs) return "total-timeout";
    if (wait === "queue") return "queue-timeout";
    if (wait === "connect") return "connect-timeout";
    if (wait === "first-byte") return "first-byte-timeout";
    if (this.#down?.outbox !== undefined) return "client-stalled";
    return this.#requestBody.done ? "upstream-stalled" : "body-timeout";
  }

  /** The client is gone. */
  downstreamClosed(): void {
    this.#group?.leaveQueue(this);
    if (!this.#tunnel && !this.#responseDone) this.#reason = "client-closed";
    this.#release(false);
    this.#finish();
  }

  // --- the end ------------------------------------------------------------------------------------------------

  /** Answers with an error page; once the answer has begun, cuts the connection so that nobody takes it as whole. */
  #fail(code: GatewayErrorCode, detail?: string): void {
    if (this.#upstream !== undefined) this.#noteTried(code);
    const target = this.#pool?.target.id;
    this.#serving.reportFailure(code, { detail, rule: this.#plan?.rule.name, target });
    if (this.#answered) return this.#abandon(code);
    this.#reason = code;
    this.#release(false);
    const requestId = this.#serving.requestIds.text(this.#requestNumber);
    this.#reply(errorReply({ code, detail, accept: this.#accept(), requestId, tried: this.#tried ?? [] }));
  }

  #accept(): string {
    if (this.#down === undefined) return "";
    const { head, bytes } = this.#serving.viewOf(this, this.#down, this.#replay, this.#replayHeadEnd);
    return head.value(bytes, "accept") ?? "";
  }

  /** The gateway's own answer. */
  #reply(reply: Reply): void {
    this.#answered = true;
    this.#responseDone = true;
    this.#status = reply.status;
    // Half a body, or one that broke the grammar, leaves nothing on this connection that could be read as a request.
    this.#close ||= this.#down?.listener.closing === true || this.#requestBody.error !== undefined;
    this.#close ||= this.#reason !== undefined && !this.#requestBody.done;
    const bytes = renderReply(reply, {
      close: this.#close,
      keepAlive10: this.#isHttp10 && !this.#close,
      isHead: this.#method === METHOD.head,
      requestId: this.#serving.requestIds.text(this.#requestNumber),
      name: this.#serving.name,
      wallMs: this.#serving.wallMs(),
    });
    this.#sendDown(bytes, 0, bytes.length);
    if (this.#requestBody.done || this.#close) return this.#finish();
    this.#down?.resume();
    this.#wait("stream", DISCARD_MS);
  }

  /** Cuts both sides. */
  #abandon(code: GatewayErrorCode): void {
    this.#reason ??= code;
    this.#release(false);
    const down = this.#down;
    this.#finish(true);
    down?.destroy();
  }

  /** Lets go of the target: its connection rests in the pool, or closes. */
  #release(reuse: boolean): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (this.#slot >= 0) this.#serving.column.moveInFlight(this.#slot, this.#row, -1);
    this.#slot = -1;
    if (upstream === undefined) return;
    if (reuse) this.#group?.release(upstream, this.#serving.nowMs());
    else upstream.close();
  }

  /** Row of the group in the scoreboard. */
  get #row(): number {
    return this.#group?.row ?? NO_GROUP;
  }

  /** Counts, logs, and gives the connection back to its next request. */
  #finish(destroyed = false): void {
    const down = this.#down;
    if (down === undefined) return;
    const close = this.#close || !this.#requestBody.done;
    const linger = !this.#requestBody.done;
    this.#account(down);
    this.#reset();
    this.#serving.recycle(this);
    if (destroyed) down.exchange = undefined;
    else down.exchangeDone(close, linger);
  }

  #account(down: Downstream): void {
    const { column } = this.#serving;
    const durationMs = this.#serving.nowMs() - this.#startedMs;
    const status = this.#reason === "client-closed" ? GATEWAY_ERRORS["client-closed"].status : this.#status;
    this.#serving.count(this.#row, status, this.#tunnel ? 0 : durationMs);
    column.countGroup(this.#row, GROUP_COUNTER.bytesIn, this.#bytesIn);
    column.countGroup(this.#row, GROUP_COUNTER.bytesOut, this.#bytesOut);
    if (this.#reason !== undefined) column.countReason(this.#row, reasonNumber(this.#reason));
    if (this.#record !== undefined) this.#log(down, this.#record, status, durationMs);
  }

  #log(down: Downstream, record: AccessRecord, status: number, durationMs: number): void {
    this.#serving.logAccess({
      ...record,
      ...{ status, durationMs, reason: this.#reason ?? "", attempts: this.#attempts },
      ...{ clientIp: down.peer.ip, requestId: this.#serving.requestIds.text(this.#requestNumber) },
      ...{ bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, listener: down.listener.config.name },
      ...{
        rule: this.#plan?.rule.name ?? "",
        group: this.#group?.name ?? "",
        target: this.#pool?.target.id ?? "",
      },
    });
  }

  #reset(): void {
    this.#down = undefined;
    this.#plan = undefined;
    this.#group = undefined;
    this.#pool = undefined;
    this.#replayable = false;
    if (this.#replay.length > REPLAY_BYTES) this.#replay = new Uint8Array(REPLAY_BYTES);
    if (this.#waiting.length > 0) this.#waiting = [];
    this.#record = undefined;
    this.#attempts = 0;
    this.#staleBefore = false;
    this.#tried = undefined;
    this.#partial = undefined;
    this.#partialResume = 0;
    this.#answered = false;
    this.#responseDone = false;
    this.#tunnel = false;
    this.#bytesOut = 0;
    this.#reason = undefined;
  }
}
