/**
 * One exchange: a request from a client, its way to a target, and the answer back.
 *
 *   begin -> route -> Attempts (target, connection, request sent) -> Answer (heads, body) -> finish
 *              |                 |                                     |
 *            reply        retry, or an error page                    Tunnel, after a 101
 *
 * Bodies stream by reference in both directions; a side that cannot take more pauses the other. Exchanges are
 * recycled, with all that they are made of: a worker holds as many as it ever had in flight at once. Nothing may
 * touch an exchange after `#finish`: it may already serve the next request.
 */
import { METHOD, type ResponseHead } from "../../http/index.ts";
import { GATEWAY_ERRORS, type GatewayErrorCode, reasonNumber } from "../errors.ts";
import type { RequestView } from "../route.ts";
import { GROUP_COUNTER } from "../scoreboard.ts";
import { Answer } from "./answer.ts";
import { Attempts } from "./attempts.ts";
import { CachedAnswer } from "./cache/cached-answer.ts";
import { Nobody } from "./cache/nobody.ts";
import type { Recording } from "./cache/recording.ts";
import type { Client, Wait } from "./client.ts";
import { SEND } from "./outbox.ts";
import type { Plan } from "./plan.ts";
import { errorReply, localReply, type Reply, renderReply } from "./reply.ts";
import { Request } from "./request.ts";
import type { Serving } from "./serving.ts";
import { Tunnel } from "./tunnel.ts";
import type { UpstreamUser } from "./upstream.ts";

/** How long a client may go on sending a body that nobody reads any more; then its connection closes. */
const DISCARD_MS = 2_000;

export class Exchange implements UpstreamUser {
  readonly #serving: Serving;
  readonly #request: Request;
  readonly #attempts: Attempts;
  readonly #answer: Answer;
  readonly #tunnel: Tunnel;
  readonly #cached: CachedAnswer;
  #bytesOut = 0;
  /** Why the exchange went wrong. */
  #reason: GatewayErrorCode | undefined;
  /** What a fetch for this request tried, if one failed. */
  #fetchTried: readonly string[] | undefined;
  /** The response is being recorded for the cache as it goes by. */
  recording: Recording | undefined;

  constructor(serving: Serving) {
    this.#serving = serving;
    this.#request = new Request(serving);
    this.#attempts = new Attempts(this, serving, this.#request);
    this.#answer = new Answer(this, serving, this.#request, this.#attempts);
    this.#tunnel = new Tunnel(this, serving, this.#request, this.#attempts);
    this.#cached = new CachedAnswer(this, serving, this.#request);
  }

  // --- the client's side --------------------------------------------------------------------------------------

  /** Takes the request whose parsed head is `serving.view`. Returns the end of what belongs to it. */
  begin(down: Client, bytes: Uint8Array, start: number, headEnd: number, end: number): number {
    const request = this.#request;
    const bodyEnd = request.begin(down, bytes, start, headEnd, end);
    if (request.body.error === undefined) this.#route(down, this.#serving.view);
    else this.fail("bad-request", request.body.error);
    return bodyEnd;
  }

  #route(down: Client, view: RequestView): void {
    const plan = down.listener.find(view);
    if (plan === undefined) return this.fail("no-rule");
    this.#request.plan = plan;
    if (this.#request.isTooLarge) return this.fail("body-too-large");
    const reply = localReply(plan.action, view);
    if (reply !== undefined) return this.#reply(reply);
    if (plan.cache !== undefined && this.#cached.start(plan, view)) return;
    this.#forward(plan, view);
  }

  #forward(plan: Plan, view: RequestView): void {
    const group = plan.chooseGroup(this.#serving.random);
    if (group === undefined) return this.fail("no-target");
    this.#attempts.start(group, group.keyHash(view));
  }

  /** Takes the request in the view for the cache alone, which has decided already. */
  beginFetch(client: Client, plan: Plan, bytes: Uint8Array, recording: Recording): void {
    this.#request.begin(client, bytes, 0, bytes.length, bytes.length);
    this.#request.plan = plan;
    this.record(recording);
    this.#forward(plan, this.#serving.view);
  }

  // --- the cache's side ---------------------------------------------------------------------------------------

  /** The request in the worker's view, parsed again if need be. */
  view(): RequestView | undefined {
    const { down, replay, replayHeadEnd } = this.#request;
    return down === undefined ? undefined : this.#serving.viewOf(this, down, replay, replayHeadEnd);
  }

  /** To a target after all. */
  forward(): void {
    const { plan } = this.#request;
    const view = this.view();
    if (plan !== undefined && view !== undefined) this.#forward(plan, view);
  }

  /** The answer of a target goes by the cache of its rule. */
  passing(head: ResponseHead, bytes: Uint8Array): void {
    if (this.#request.plan?.cache === undefined) return;
    this.#cached.passing(head, bytes, this.recording);
    if (this.recording?.keeps === false && !this.isForNobody) this.recording = undefined;
  }

  /** Carries a recording from now on. */
  record(recording: Recording): void {
    this.recording = recording;
    recording.carrier = this;
  }

  /** Whether it is for the cache alone. */
  get isForNobody(): boolean {
    return this.#request.down?.isNobody === true;
  }

  /** The client leaves while its response is being recorded: the fetch goes on without it. False when there is none. */
  #detach(): boolean {
    const { recording } = this;
    const { down } = this.#request;
    const goesOn = recording?.keeps === true && !recording.hasEnded && this.#attempts.upstream?.isOpen === true;
    if (!goesOn || down === undefined || down.isNobody) return false;
    this.#reason = "client-closed";
    this.#report(down);
    this.#reason = undefined;
    this.#request.record = undefined;
    const nobody = new Nobody(down, this.#serving, recording);
    down.exchange = undefined;
    nobody.exchange = this;
    this.#request.down = nobody;
    this.#attempts.upstream?.resume();
    this.awaitMore();
    return true;
  }

  /** The head of a response from the cache is on its way. */
  adopt(status: number): void {
    this.#answer.adopt(status);
  }

  /** A response from the cache has been sent. */
  answered(status: number): void {
    this.#answer.replace(status);
    this.#finish();
  }

  /** The gateway's own answer, with what the cache says of it. */
  replyWith(reply: Reply, cacheNote: string): void {
    const note = `${this.#serving.name}; ${cacheNote}`;
    this.#reply({ ...reply, fields: [...reply.fields, ["Cache-Status", note]] });
  }

  /** What was fetched for this request failed. */
  failWith(code: GatewayErrorCode, detail: string | undefined, tried: readonly string[]): void {
    this.#fetchTried = tried;
    this.fail(code, detail);
  }

  /** More of the request body, or of a tunnel. Returns the end of what belongs to this exchange. */
  requestBytes(bytes: Uint8Array, start: number, limit: number): number {
    if (this.#tunnel.isOpen) {
      this.#tunnel.fromClient(bytes, start, limit);
      return limit;
    }
    const request = this.#request;
    const { body } = request;
    if (body.done) return start;
    const end = body.read(bytes, start, limit);
    request.bytesIn += end - start;
    if (this.#answer.isComplete) this.#discard();
    else if (body.error !== undefined) this.fail("bad-request", body.error);
    else if (request.isTooLarge) this.fail("body-too-large");
    else this.#attempts.sendBody(bytes, start, end);
    return end;
  }

  /** The answer is out, and the client still sends: the connection can be used again only if the body ends in time. */
  #discard(): void {
    const { body } = this.#request;
    if (body.done || body.error !== undefined) this.#finish();
  }

  /** The client sent FIN. A request that is whole is answered; half a request never will be. */
  requestEnded(): void {
    if (this.#tunnel.isOpen) return this.#tunnel.clientEnded();
    if (this.#request.body.done) return;
    if (this.#answer.isComplete) this.#finish();
    else this.abandon("client-closed");
  }

  downstreamDrained(): void {
    if (this.#cached.isFollowing) return this.#cached.pump();
    this.#attempts.upstream?.resume();
    this.downstreamMoved();
  }

  /** Some of what waited has gone to the client: it is slow, but it reads. */
  downstreamMoved(): void {
    if (this.#tunnel.isOpen) this.#tunnel.stay();
    else if (this.#answer.hasBegun) this.wait("stream", this.#request.timeouts.idleMs);
  }

  /** The client is gone. */
  downstreamClosed(): void {
    if (this.#detach()) return;
    this.#attempts.leaveQueue();
    if (!this.#tunnel.isOpen && !this.#answer.isComplete) this.#reason = "client-closed";
    this.#attempts.release(false);
    this.#finish();
  }

  /** Sends to the client; the target pauses while the client cannot take more. */
  sendDown(bytes: Uint8Array, start: number, end: number): void {
    this.#bytesOut += end - start;
    const sent = this.#request.down?.send(bytes, start, end);
    // What is being recorded is in memory anyway, and others may wait for it: a slow client holds it up no longer.
    if (sent === SEND.waits && (this.recording?.keeps !== true || this.isForNobody)) this.#attempts.upstream?.pause();
  }

  // --- the target's side --------------------------------------------------------------------------------------

  upstreamOpened(): void {
    this.#attempts.opened();
  }

  upstreamData(bytes: Uint8Array, start: number, end: number): void {
    if (this.#tunnel.isOpen) this.#tunnel.fromTarget(bytes, start, end);
    else this.#answer.read(bytes, start, end);
  }

  upstreamDrained(): void {
    this.#request.down?.resume();
    if (this.#tunnel.isOpen) this.#tunnel.settle();
    else this.awaitMore();
  }

  upstreamMoved(): void {
    if (this.#tunnel.isOpen) this.#tunnel.stay();
    else this.awaitMore();
  }

  upstreamEnded(): void {
    if (this.#tunnel.isOpen) this.#tunnel.targetEnded();
    else this.#answer.targetClosed(false);
  }

  upstreamClosed(code: GatewayErrorCode, reset: boolean): void {
    if (this.#tunnel.isOpen) this.endTunnel();
    else if (this.#answer.hasBegun) this.#answer.targetClosed(reset);
    else this.#attempts.lost(code, false);
  }

  upstreamCrashed(error: unknown): void {
    this.#request.down?.crashed(error);
  }

  /** The target has said all. */
  answerComplete(reuse: boolean): void {
    const isWhole = this.#request.body.done;
    this.recording?.completed();
    this.#attempts.release(reuse && isWhole);
    if (isWhole) return this.#finish();
    this.#awaitDiscard();
  }

  /** The answer came early: what the client still sends of this request is read and dropped. */
  #awaitDiscard(): void {
    this.#request.down?.resume();
    this.wait("stream", DISCARD_MS);
  }

  openTunnel(bytes: Uint8Array, start: number, end: number): void {
    this.#tunnel.open(bytes, start, end);
  }

  endTunnel(): void {
    this.#attempts.release(false);
    this.#finish();
  }

  // --- time ---------------------------------------------------------------------------------------------------

  /** Waits at most `ms`, or what is left of the total timeout. */
  wait(what: Wait, ms: number): void {
    const { down, plan, startedMs } = this.#request;
    const totalMs = plan?.timeouts.totalMs ?? 0;
    if (totalMs === 0 || this.#tunnel.isOpen) {
      down?.wait(what, ms);
      return;
    }
    const leftMs = totalMs - (this.#serving.nowMs() - startedMs);
    down?.wait(what, Math.max(0, Math.min(ms, leftMs)));
  }

  /** Waits for the rest of the request, or for the answer, whichever is due. */
  awaitMore(): void {
    const { body, timeouts } = this.#request;
    const isSent = body.done && this.#attempts.upstream?.outbox === undefined;
    if (isSent && !this.#answer.hasBegun) this.wait("first-byte", timeouts.firstByteMs);
    else this.wait("stream", timeouts.idleMs);
  }

  timedOut(wait: Wait): void {
    if (this.#tunnel.isOpen) return this.endTunnel();
    if (this.#answer.isComplete) return this.#finish();
    if (wait === "fetch") return this.#cached.timedOut();
    if (wait === "hold") return this.#attempts.holdOver();
    if (wait === "queue") this.#attempts.leaveQueue();
    const code = this.#timeoutCode(wait);
    if (code === "connect-timeout") this.#attempts.lost(code, true);
    else if (code === "client-stalled") this.#cutClient(code);
    else this.fail(code);
  }

  #cutClient(code: GatewayErrorCode): void {
    const { down } = this.#request;
    if (this.#detach()) down?.destroy();
    else this.abandon(code);
  }

  #timeoutCode(wait: Wait): GatewayErrorCode {
    const { plan, startedMs, down, body } = this.#request;
    const totalMs = plan?.timeouts.totalMs ?? 0;
    if (totalMs > 0 && this.#serving.nowMs() - startedMs >= totalMs) return "total-timeout";
    if (wait === "queue") return "queue-timeout";
    if (wait === "connect") return "connect-timeout";
    if (wait === "first-byte") return "first-byte-timeout";
    if (down?.outbox !== undefined) return "client-stalled";
    const isTargetsTurn = body.done || this.#attempts.upstream?.outbox !== undefined;
    return isTargetsTurn ? "upstream-stalled" : "body-timeout";
  }

  // --- the end ------------------------------------------------------------------------------------------------

  /** Answers with an error page; once the answer has begun, cuts the connection so that nobody takes it as whole. */
  fail(code: GatewayErrorCode, detail?: string): void {
    const attempts = this.#attempts;
    const { plan, down } = this.#request;
    attempts.blame(code);
    const rule = plan?.rule.name;
    this.#serving.reportFailure(code, { detail, rule, target: attempts.targetId });
    if (this.#answer.hasBegun) return this.abandon(code);
    this.#reason = code;
    attempts.release(false);
    this.recording?.failed(code, detail, attempts.tried);
    if (down?.isNobody === true) return this.#endFetch(code);
    const requestId = this.#serving.requestIds.text(this.#request.number);
    const tried = this.#fetchTried ?? attempts.tried;
    this.#reply(errorReply({ code, detail, accept: this.#accept(), requestId, tried }));
  }

  #endFetch(code: GatewayErrorCode): void {
    this.#answer.replace(GATEWAY_ERRORS[code].status);
    this.#finish();
  }

  /** The request's Accept field, which an error page is rendered by. */
  #accept(): string {
    const view = this.view();
    return view?.head.value(view.bytes, "accept") ?? "";
  }

  /** The gateway's own answer. */
  #reply(reply: Reply): void {
    const request = this.#request;
    const { body } = request;
    this.#answer.replace(reply.status);
    // Half a body, or one that broke the grammar, leaves nothing on this connection that could be read as a request.
    request.close ||= request.down?.listener.closing === true || body.error !== undefined;
    request.close ||= (this.#reason !== undefined || request.holdsBack) && !body.done;
    const bytes = renderReply(reply, {
      close: request.close,
      keepAlive10: request.isHttp10 && !request.close,
      isHead: request.method === METHOD.head,
      requestId: this.#serving.requestIds.text(request.number),
      name: this.#serving.name,
      wallMs: this.#serving.wallMs(),
    });
    this.sendDown(bytes, 0, bytes.length);
    if (body.done || request.close) return this.#finish();
    this.#awaitDiscard();
  }

  /** Cuts both sides. */
  abandon(code: GatewayErrorCode): void {
    this.#reason ??= code;
    this.recording?.cut();
    this.#attempts.leaveQueue();
    this.#attempts.release(false);
    const { down } = this.#request;
    this.#finish(true);
    down?.destroy();
  }

  /** Counts, logs, and gives the connection back to its next request. The exchange serves another from here on. */
  #finish(destroyed = false): void {
    const { down, body } = this.#request;
    if (down === undefined) return;
    const isHalf = !body.done || body.error !== undefined;
    const close = this.#request.close || isHalf;
    this.#report(down);
    this.#clear();
    this.#serving.recycle(this);
    if (destroyed) down.exchange = undefined;
    else down.exchangeDone(close, isHalf);
  }

  /** Counting and logging come last and must not keep the connection from its next request. */
  #report(down: Client): void {
    try {
      this.#account(down);
    } catch (error) {
      this.#serving.reportCrash(error);
    }
  }

  /** A fetch is counted by the client's exchange that it is for. */
  #account(down: Client): void {
    if (down.isNobody) return;
    const { column } = this.#serving;
    const row = this.#request.plan?.cache === undefined ? this.#attempts.row : this.#request.plan.row;
    const durationMs = this.#serving.nowMs() - this.#request.startedMs;
    const status =
      this.#reason === "client-closed" ? GATEWAY_ERRORS["client-closed"].status : this.#answer.status;
    this.#serving.count(row, status);
    if (!this.#tunnel.isOpen) column.observeLatency(row, durationMs);
    column.countGroup(row, GROUP_COUNTER.bytesIn, this.#request.bytesIn);
    column.countGroup(row, GROUP_COUNTER.bytesOut, this.#bytesOut);
    if (this.#reason !== undefined) column.countReason(row, reasonNumber(this.#reason));
    if (this.#request.record !== undefined) this.#log(down, status, durationMs);
  }

  #log(down: Client, status: number, durationMs: number): void {
    const { record, plan, number, bytesIn } = this.#request;
    if (record === undefined) return;
    const attempts = this.#attempts;
    this.#serving.logAccess({
      ...record,
      status,
      durationMs,
      bytesIn,
      bytesOut: this.#bytesOut,
      reason: this.#reason ?? "",
      attempts: attempts.count,
      requestId: this.#serving.requestIds.text(number),
      listener: down.listener.config.name,
      rule: plan?.rule.name ?? "",
      group: attempts.groupName,
      target: attempts.targetId ?? "",
    });
  }

  #clear(): void {
    this.#request.clear();
    this.#attempts.clear();
    this.#answer.clear();
    this.recording?.cut();
    this.recording = undefined;
    this.#cached.clear();
    this.#fetchTried = undefined;
    this.#tunnel.isOpen = false;
    this.#bytesOut = 0;
    this.#reason = undefined;
  }
}
