/**
 * The way of one request to a target: pick, wait for a connection if all are in use, connect, send; and when that
 * fails before an answer, again with another target where this is safe.
 *
 *   start -> choose -> (queue) -> idle connection or connect -> send -> answered | lost -> choose …
 *
 * The request is in flight at a target from the moment one is given to it until `release`, by slot: a renumbering of
 * the group's targets in between changes nothing.
 */

import { copy, isIdempotent, type ResponseHead } from "../../http/index.ts";
import { SEND, type SendResult } from "../../transport/index.ts";
import { GATEWAY_ERRORS, type GatewayErrorCode } from "../errors.ts";
import { isHarmless, maySendAgain } from "../retry.ts";
import { GROUP_COUNTER, NO_GROUP, TARGET_COUNTER } from "../scoreboard.ts";
import type { Exchange } from "./exchange.ts";
import type { Pool } from "./pool.ts";
import type { Request } from "./request.ts";
import type { Serving } from "./serving.ts";
import type { Upstream } from "./upstream.ts";
import type { UpstreamGroup, Waiter } from "./upstream-group.ts";
import { keepAliveHintMs } from "./wire.ts";

/** Pauses of a request that every target refused: the first doubled is 50 ms, which a restarted process needs at least. */
const HOLD_PAUSE_MIN_MS = 25;
const HOLD_PAUSE_MAX_MS = 400;

export class Attempts implements Waiter {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  #group: UpstreamGroup | undefined;
  /** Groups before this one whose fallback it is, with a place in each, and the attempts that were made there. */
  #lost: UpstreamGroup[] | undefined;
  #countBefore = 0;
  #pool: Pool | undefined;
  #upstream: Upstream | undefined;
  /** Body chunks that came while there was no open connection. */
  #waiting: Uint8Array[] = [];
  #hash = 0;
  #count = 0;
  #startedMs = 0;
  #staleBefore = false;
  /** Why the request is held, and how long the last pause was. */
  #holdsFor: GatewayErrorCode = "no-target";
  #pauseMs = HOLD_PAUSE_MIN_MS;
  /** Slot of the target that this request is in flight to; -1 for none. */
  #slot = -1;
  #tried: string[] | undefined;

  constructor(exchange: Exchange, serving: Serving, request: Request) {
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
  }

  get upstream(): Upstream | undefined {
    return this.#upstream;
  }
  get count(): number {
    return this.#count;
  }
  get groupName(): string {
    return this.#group?.name ?? "";
  }
  /** Row of the group in the scoreboard. */
  get row(): number {
    return this.#group?.row ?? NO_GROUP;
  }
  /** The target of the last attempt. */
  get targetId(): string | undefined {
    return this.#pool?.target.id;
  }
  /** "127.0.0.1:20001: connect-refused", in the order tried. */
  get tried(): readonly string[] {
    return this.#tried ?? [];
  }
  get hash(): number {
    return this.#hash;
  }

  // --- to a target --------------------------------------------------------------------------------------------

  start(group: UpstreamGroup, hash: number): void {
    this.#group = group;
    this.#hash = hash;
    group.began();
    this.#try(group, -1, this.#request.startedMs);
  }

  /** Whoever waits goes first: a free place is not given to one who has just come. */
  #try(group: UpstreamGroup, exclude: number, nowMs: number): void {
    if (group.isDown && this.#fallBack(group)) return;
    const pool = group.choose(this.#hash, exclude);
    if (pool === undefined) return this.#holdForTarget(group);
    if (group.hasWaiters || !pool.hasPlace) return this.#queue(group);
    this.#begin(group, pool, nowMs);
  }

  /** To the group that stands in. False when there is none; with no place left in it that is how the request ends. */
  #fallBack(group: UpstreamGroup): boolean {
    const { fallback } = group;
    const { plan } = this.#request;
    const view = fallback === undefined ? undefined : this.#exchange.view();
    if (fallback === undefined || plan === undefined || view === undefined) return false;
    if (!group.enterFallback()) {
      this.#exchange.fail("fallback-full");
      return true;
    }
    this.#lost ??= [];
    this.#lost.push(group);
    this.#group = fallback;
    this.#hash = plan.hash(fallback, view);
    this.#countBefore = this.#count;
    fallback.began();
    this.#try(fallback, -1, this.#serving.nowMs());
    return true;
  }

  #queue(group: UpstreamGroup): void {
    if (!group.enqueue(this)) return this.#exchange.fail("queue-full");
    if (!this.#request.body.done) this.#request.down?.pause();
    this.#exchange.wait("queue", group.queueTimeoutMs);
  }

  /** The group is empty: a task is being replaced, or none has come up yet. Whoever comes first is told at once. */
  #holdForTarget(group: UpstreamGroup): void {
    const leftMs = this.#holdLeftMs(group);
    if (leftMs <= 0) return this.#exchange.fail("no-target");
    if (!group.enqueue(this)) return this.#exchange.fail("queue-full");
    this.#holdsFor = "no-target";
    this.#hold(leftMs);
  }

  /** Every target refuses: the one that takes their place may be here in a moment. Looks again, less and less often. */
  #holdForPeer(group: UpstreamGroup, code: GatewayErrorCode): void {
    const leftMs = this.#holdLeftMs(group);
    if (leftMs <= 0) return this.#exchange.fail(code);
    this.#holdsFor = code;
    this.#pauseMs = Math.min(HOLD_PAUSE_MAX_MS, this.#pauseMs * 2);
    this.#hold(Math.min(leftMs, this.#pauseMs));
  }

  #hold(ms: number): void {
    if (!this.#request.body.done) this.#request.down?.pause();
    this.#exchange.wait("hold", ms);
  }

  /** Time left for a request that is still whole here and that no target has seen. */
  #holdLeftMs(group: UpstreamGroup): number {
    const { isReplayable, down, startedMs } = this.#request;
    if (!isReplayable || down?.isClosed !== false || group.holdMs === 0) return 0;
    return group.holdMs - (this.#serving.nowMs() - startedMs);
  }

  /** The pause is over. */
  holdOver(): void {
    this.leaveQueue();
    if (this.#group === undefined) return;
    if (this.#holdsFor === "no-target") this.#exchange.fail("no-target");
    else this.#try(this.#group, -1, this.#serving.nowMs());
  }

  /** A place at `pool` is free, and this request has waited longest. */
  dequeued(pool: Pool): void {
    if (this.#group !== undefined) this.#begin(this.#group, pool, this.#serving.nowMs());
  }

  crashed(error: unknown): void {
    this.#exchange.upstreamCrashed(error);
  }

  leaveQueue(): void {
    this.#group?.leaveQueue(this);
  }

  #begin(group: UpstreamGroup, pool: Pool, nowMs: number): void {
    const idle = this.#staleBefore ? undefined : pool.take(nowMs);
    this.#pool = pool;
    this.#count++;
    this.#startedMs = nowMs;
    this.#slot = pool.target.slot;
    this.#serving.column.moveInFlight(this.#slot, group.row, 1);
    if (idle !== undefined) this.#use(idle);
    else this.#connect(pool);
  }

  #connect(pool: Pool): void {
    if (!this.#request.body.done) this.#request.down?.pause();
    this.#exchange.wait("connect", this.#request.timeouts.connectMs);
    this.#serving.column.countTarget(this.#slot, TARGET_COUNTER.connects);
    this.#upstream = pool.connect(this.#exchange);
  }

  /** The connection asked for is open. */
  opened(): void {
    if (this.#upstream !== undefined) this.#use(this.#upstream);
  }

  #use(upstream: Upstream): void {
    this.#upstream = upstream;
    upstream.user = this.#exchange;
    const sent = this.#sendRequest(upstream);
    if (this.#upstream !== upstream) return;
    if (sent === SEND.gone) return this.lost("upstream-closed", true);
    if (sent === SEND.waits) this.#request.down?.pause();
    else this.#request.down?.resume();
    this.#exchange.awaitMore();
  }

  /** Head and the body that came with it, in one write where they fit; then what came while we waited. */
  #sendRequest(upstream: Upstream): SendResult {
    const request = this.#request;
    const { down, plan, replay, replayHeadEnd, replayEnd } = request;
    if (!request.isReplayable || down === undefined) return SEND.gone;
    const { wire } = this.#serving;
    const view = this.#serving.viewOf(this.#exchange, down, replay, replayHeadEnd);
    const host = plan?.hostFor(upstream.pool);
    const headBytes = wire.writeRequest(view, down.peer, request.number, host, upstream.pool.authority);
    if (headBytes < 0) {
      this.#exchange.fail("internal", "the head does not fit the buffer");
      return SEND.gone;
    }
    if (headBytes + replayEnd - replayHeadEnd <= wire.scratch.length) {
      const size = copy(replay, replayHeadEnd, replayEnd, wire.scratch, headBytes);
      return this.#sendWaiting(upstream, upstream.send(wire.scratch, 0, size));
    }
    const sent = upstream.send(wire.scratch, 0, headBytes);
    if (sent === SEND.gone) return sent;
    return this.#sendWaiting(upstream, onItsWay(upstream.send(replay, replayHeadEnd, replayEnd)));
  }

  #sendWaiting(upstream: Upstream, sent: SendResult): SendResult {
    if (this.#waiting.length === 0 || sent === SEND.gone) return sent;
    this.#request.isReplayable = false;
    let last: SendResult = sent;
    for (const part of this.#waiting.splice(0)) last = upstream.send(part, 0, part.length);
    return onItsWay(last);
  }

  /** Forwards what the last read of the body took from `bytes[start, end)`, or keeps it until there is a connection. */
  sendBody(bytes: Uint8Array, start: number, end: number): void {
    const { body, down } = this.#request;
    if (this.#upstream?.isOpen !== true) {
      body.forEachPart(start, end, (from, to) => this.#waiting.push(bytes.slice(from, to)));
      down?.pause();
      return;
    }
    this.#request.isReplayable = false;
    body.forEachPart(start, end, (from, to) => this.send(bytes, from, to));
    this.#exchange.awaitMore();
  }

  /** Sends bytes as they are; the client pauses while the target cannot take more. */
  send(bytes: Uint8Array, start: number, end: number): void {
    if (this.#upstream?.send(bytes, start, end) === SEND.waits) this.#request.down?.pause();
  }

  // --- what became of it --------------------------------------------------------------------------------------

  /** The final head is here. */
  answered(head: ResponseHead, bytes: Uint8Array): void {
    const latencyMs = this.#serving.nowMs() - this.#startedMs;
    this.#group?.answered(this.#pool?.index ?? -1, head.status, latencyMs);
    if (this.#upstream?.uses === 0) this.#upstream.hintMs = keepAliveHintMs(head, bytes);
  }

  /** The connection is gone before an answer: another target, when that is safe, or an error page. */
  lost(code: GatewayErrorCode, unsent: boolean): void {
    const group = this.#group;
    const index = this.#pool?.index ?? -1;
    const stale = code === "upstream-closed" && (this.#upstream?.uses ?? 0) > 0;
    if (!stale && GATEWAY_ERRORS[code].fault === "upstream") this.#judge();
    this.#note(code);
    this.release(false);
    if (group === undefined) return this.#exchange.fail(code);
    if (!this.#maySendAgain(code, unsent, stale)) return this.#giveUp(group, code, unsent);
    if (stale) this.#serving.column.countGroup(this.row, GROUP_COUNTER.retries, 1);
    else if (!group.takeRetry()) return this.#overBudget(group, code, unsent);
    this.#staleBefore ||= stale;
    this.#try(group, stale ? -1 : index, this.#serving.nowMs());
  }

  /** The attempt's own error is what the client should know; that the budget is spent stands beside it. */
  #overBudget(group: UpstreamGroup, code: GatewayErrorCode, unsent: boolean): void {
    this.#tried?.push("retry-budget-spent");
    this.#giveUp(group, code, unsent);
  }

  #giveUp(group: UpstreamGroup, code: GatewayErrorCode, unsent: boolean): void {
    if (this.#mayFallBack(code, unsent) && this.#fallBack(group)) return;
    if (code.startsWith("connect-") && code !== "connect-timeout") this.#holdForPeer(group, code);
    else this.#exchange.fail(code);
  }

  #mayFallBack(code: GatewayErrorCode, unsent: boolean): boolean {
    const { plan, isReplayable, down, method } = this.#request;
    if (plan === undefined || !isReplayable || down?.isClosed !== false) return false;
    return isHarmless({ code, unsent, idempotent: isIdempotent(method) }, plan.rule.retry);
  }

  #maySendAgain(code: GatewayErrorCode, unsent: boolean, stale: boolean): boolean {
    const { plan, isReplayable, down, method } = this.#request;
    if (plan === undefined || !isReplayable || down?.isClosed !== false) return false;
    const before = { staleBefore: this.#staleBefore, attempts: this.#count - this.#countBefore };
    return maySendAgain(
      { code, unsent, stale, idempotent: isIdempotent(method), ...before },
      plan.rule.retry,
    );
  }

  /** The exchange fails while a target works on it: noted, and held against the target when it is its fault. */
  blame(code: GatewayErrorCode): void {
    if (this.#upstream === undefined) return;
    this.#note(code);
    if (GATEWAY_ERRORS[code].fault === "upstream" && code !== "total-timeout") this.#judge();
  }

  #judge(): void {
    this.#group?.failed(this.#pool?.index ?? -1, this.#serving.nowMs() - this.#startedMs);
  }

  #note(code: GatewayErrorCode): void {
    this.#tried ??= [];
    this.#tried.push(`${this.#pool?.target.id ?? "-"}: ${code}`);
  }

  /** Lets go of the target: its connection rests in the pool, or closes. */
  release(reuse: boolean): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (this.#slot >= 0) this.#serving.column.moveInFlight(this.#slot, this.row, -1);
    this.#slot = -1;
    if (upstream === undefined) return;
    if (reuse && upstream.outbox === undefined) this.#group?.release(upstream, this.#serving.nowMs());
    else upstream.close();
  }

  clear(): void {
    for (const group of this.#lost ?? []) group.leaveFallback();
    this.#lost = undefined;
    this.#countBefore = 0;
    this.#group = undefined;
    this.#pool = undefined;
    if (this.#waiting.length > 0) this.#waiting = [];
    this.#count = 0;
    this.#staleBefore = false;
    this.#pauseMs = HOLD_PAUSE_MIN_MS;
    this.#tried = undefined;
  }
}

/** Once a head has gone out, a connection that breaks is told of by its close, not as a request that was never sent. */
function onItsWay(sent: SendResult): SendResult {
  return sent === SEND.gone ? SEND.done : sent;
}
