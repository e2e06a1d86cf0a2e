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

import type { ResponseHead } from "../../http/index.ts";
import { SEND } from "../../transport/index.ts";
import { GATEWAY_ERRORS, type GatewayErrorCode } from "../errors.ts";
import type { RequestView } from "../route.ts";
import { Answer } from "./answer.ts";
import { Attempts } from "./attempts.ts";
import { CachedAnswer } from "./cache/cached-answer.ts";
import { Nobody } from "./cache/nobody.ts";
import type { Recording } from "./cache/recording.ts";
import type { Client, Wait } from "./client.ts";
import { type Outcome, report } from "./outcome.ts";
import { timeoutCode, withinTotal } from "./overdue.ts";
import type { Plan } from "./plan.ts";
import { errorReply, localReply, type Reply, renderReply, replyContext } from "./reply.ts";
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
  readonly #outcome: Outcome = { status: 0, bytesOut: 0, reason: undefined, isTunnel: false };
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
    const refusal = this.#request.refusal(view);
    if (refusal !== undefined) return this.fail(refusal);
    const reply = localReply(plan.action, view);
    if (reply !== undefined) return this.#reply(reply);
    if (plan.cache !== undefined && this.#cached.start(plan, view)) return;
    this.#forward(plan, view);
  }

  #forward(plan: Plan, view: RequestView): void {
    const group = plan.chooseGroup(this.#serving.random);
    if (group === undefined) return this.fail("no-target");
    this.#attempts.start(group, plan.hash(group, view));
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

  /** The answer of a target, of whose body `cameBytes` came with the head, goes by the cache of its rule. */
  passing(head: ResponseHead, bytes: Uint8Array, cameBytes: number): void {
    if (this.#request.plan?.cache === undefined) return;
    const { recording } = this;
    this.#cached.passing(head, bytes, recording, cameBytes);
    if (recording?.keeps !== false || this.isForNobody) return;
    this.recording = undefined;
    recording.dismiss();
  }

  /** So does its body: `bytes[start, end)` as they came. */
  passingBody(bytes: Uint8Array, start: number, end: number): void {
    this.recording?.take(bytes, start, end);
    if (this.recording?.isAhead === true) this.#attempts.upstream?.pause();
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
    const isWanted = recording !== undefined && (recording.keeps || recording.hasFollowers);
    const goesOn = isWanted && !recording.hasEnded && this.#attempts.upstream?.isOpen === true;
    if (!goesOn || down === undefined || down.isNobody) return false;
    this.#outcome.reason = "client-closed";
    this.#report();
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

  /** A response from the cache has been sent, `bytes` of it by the way. */
  answered(status: number, bytes = 0): void {
    this.#outcome.bytesOut += bytes;
    this.#answer.replace(status);
    this.#finish();
  }

  /** The gateway's own answer, with what the cache says of it. */
  replyWith(status: number, cacheNote: string): void {
    const note = `${this.#serving.site.cacheName}; ${cacheNote}`;
    this.#reply({ status, fields: [["Cache-Status", note]], body: "" });
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
    if (this.#cached.isActive) return this.#cached.pump();
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
    if (!this.#tunnel.isOpen && !this.#answer.isComplete) this.#outcome.reason = "client-closed";
    this.#attempts.release(false);
    this.#finish();
  }

  /** Sends to the client; the target pauses while the client cannot take more. */
  sendDown(bytes: Uint8Array, start: number, end: number): void {
    this.#outcome.bytesOut += end - start;
    const sent = this.#request.down?.send(bytes, start, end);
    // What is being recorded is in memory anyway, and others may wait for it: a slow client holds it up no longer.
    if (sent === SEND.waits && (this.recording?.keeps !== true || this.isForNobody))
      this.#attempts.upstream?.pause();
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
    const bounded = this.#tunnel.isOpen ? ms : withinTotal(ms, this.#request, this.#serving);
    this.#request.down?.wait(what, bounded);
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
    const code = timeoutCode(wait, this.#request, this.#attempts.upstream, this.#serving.nowMs());
    if (code === "connect-timeout") this.#attempts.lost(code, true);
    else if (code === "client-stalled") this.#cutClient(code);
    else this.fail(code);
  }

  #cutClient(code: GatewayErrorCode): void {
    const { down } = this.#request;
    if (!this.#detach()) return this.abandon(code);
    down?.destroy();
  }

  // --- the end ------------------------------------------------------------------------------------------------

  /** Answers with an error page; once the answer has begun, cuts the connection so that nobody takes it as whole. */
  fail(code: GatewayErrorCode, detail?: string, tried?: readonly string[]): void {
    const attempts = this.#attempts;
    const { plan, down } = this.#request;
    attempts.blame(code);
    this.#serving.reportFailure(code, { detail, rule: plan?.rule.name, target: attempts.targetId });
    if (this.#answer.hasBegun) return this.abandon(code);
    this.#outcome.reason = code;
    attempts.release(false);
    this.recording?.failed(code, detail, attempts.tried);
    if (down?.isNobody === true) return this.answered(GATEWAY_ERRORS[code].status);
    const requestId = this.#serving.requestIds.text(this.#request.number);
    const view = this.view();
    const accept = view?.head.value(view.bytes, "accept") ?? "";
    this.#reply(errorReply({ code, detail, accept, requestId, tried: tried ?? attempts.tried }));
  }

  /** The gateway's own answer. */
  #reply(reply: Reply): void {
    const request = this.#request;
    const { body } = request;
    this.#answer.replace(reply.status);
    // Half a body, or one that broke the grammar, leaves nothing on this connection that could be read as a request.
    request.close ||= request.down?.listener.closing === true || body.error !== undefined;
    request.close ||= (this.#outcome.reason !== undefined || request.holdsBack) && !body.done;
    const bytes = renderReply(reply, replyContext(request, this.#serving));
    this.sendDown(bytes, 0, bytes.length);
    if (body.done || request.close) return this.#finish();
    this.#awaitDiscard();
  }

  /** Cuts both sides. */
  abandon(code: GatewayErrorCode): void {
    this.#outcome.reason ??= code;
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
    this.#report();
    this.#clear();
    this.#serving.recycle(this);
    if (destroyed) down.exchange = undefined;
    else down.exchangeDone(close, isHalf);
  }

  #report(): void {
    const outcome = this.#outcome;
    outcome.status = this.#answer.status;
    outcome.isTunnel = this.#tunnel.isOpen;
    report(this.#serving, this.#request, this.#attempts, outcome);
  }

  #clear(): void {
    this.#request.clear();
    this.#attempts.clear();
    this.#answer.clear();
    this.recording?.cut();
    this.recording = undefined;
    this.#cached.clear();
    this.#tunnel.isOpen = false;
  }
}
