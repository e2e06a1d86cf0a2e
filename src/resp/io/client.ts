/**
 * A client of a store over one connection: pipelined calls with a deadline each, pushes, and connecting again.
 *
 *   connecting -> ready -> waiting (backoff) -> connecting …; any -> closed
 *
 * No call outlives its deadline and no queue is without a bound: while the connection is being made, up to `pendingMax`
 * calls wait for it; while it is known to be down, calls fail at once. A request that was sent is never sent again: the
 * caller alone knows whether twice is harmless. Runs on Node and Bun.
 */
import type { ConnectionOptions } from "node:tls";
import {
  type Cancel,
  type Clock,
  type Random,
  type Scheduler,
  systemClock,
  systemRandom,
  systemScheduler,
} from "../../base/index.ts";
import { type Reply, ReplyError, textOf } from "../reply.ts";
import type { Request } from "../request.ts";
import { parseStoreUrl, type StoreUrl } from "../store-url.ts";
import { Connection } from "./connection.ts";
import { handshake } from "./handshake.ts";
import { type Call, PendingCalls } from "./pending.ts";
import { StoreError, type StoreErrorCode } from "./store-error.ts";

/** Where the client stands. */
export type RespClientState = "connecting" | "ready" | "waiting" | "closed";

/** What a client is made of; only the URL is needed. */
export interface RespClientOptions {
  /** `redis://`, `rediss://`, `valkey://` or `valkeys://`, with user, password and database. */
  readonly url: string;
  /** Longest wait for a reply, unless a call says otherwise. Default 1 s. */
  readonly deadlineMs?: number;
  /** Longest wait for a connection and its handshake. Default 2 s. */
  readonly connectTimeoutMs?: number;
  /** Calls that may wait at once, sent or not. Default 10,000. */
  readonly pendingMax?: number;
  /** RESP version. Default 3; 2 for servers before Redis 6. */
  readonly protocol?: 2 | 3;
  /** Shown by the server's CLIENT LIST. */
  readonly name?: string;
  readonly tls?: ConnectionOptions;
  /** A RESP3 push: invalidations, messages. */
  readonly onPush?: (push: readonly Reply[]) => void;
  /** Called on each change of state, with the reason where there is one. On "ready" a client of pushes subscribes again. */
  readonly onState?: (state: RespClientState, reason: string | undefined) => void;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  readonly random?: Random;
}

const DEADLINE_MS = 1000;
const CONNECT_TIMEOUT_MS = 2000;
const PENDING_MAX = 10_000;

/**
 * Waits between attempts to connect: 50 ms, doubled up to 2 s, each ± 20 %, so that clients do not return in step. A server that is
 * back is found within that; one attempt in 2 s of each of a thousand clients is nothing to it.
 */
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 2000;
const JITTER = 0.2;

/** Requests whose reply is a push, in RESP3. */
const SUBSCRIPTIONS: ReadonlySet<string> = new Set(["subscribe", "psubscribe", "ssubscribe"]);

/** What lies in the socket when a deadline passes is read before it is judged: one turn of the event loop. */
const GRACE_MS = 1;

export class RespClient {
  readonly #options: RespClientOptions;
  readonly #url: StoreUrl;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #pendingMax: number;
  readonly #sent = new PendingCalls();
  readonly #unsent = new PendingCalls();
  #state: RespClientState = "waiting";
  #connection: Connection | undefined;
  #failures = 0;
  #cancelRetry: Cancel = () => {};
  #cancelDeadline: Cancel | undefined;
  #deadlineAtMs = Number.POSITIVE_INFINITY;

  /** Begins to connect. Throws a TypeError when the URL is none. */
  constructor(options: RespClientOptions) {
    const url = parseStoreUrl(options.url);
    if (typeof url === "string") throw new TypeError(`the store's URL ${url}`);
    this.#options = options;
    this.#url = url;
    this.#clock = options.clock ?? systemClock;
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#pendingMax = options.pendingMax ?? PENDING_MAX;
    this.#connect();
  }

  get state(): RespClientState {
    return this.#state;
  }

  /** Calls that wait for their reply, those included whose caller has given up. */
  get pending(): number {
    return this.#sent.length + this.#unsent.length;
  }

  /**
   * Sends a request and resolves to its reply. Rejects with a `ReplyError` when the server refuses, with a `StoreError` when
   * no reply comes within `deadlineMs` (0 = wait for ever, for blocking commands on a client of their own).
   */
  async call(request: Request, deadlineMs: number = this.#options.deadlineMs ?? DEADLINE_MS): Promise<Reply> {
    const reply = await this.#issue(request, deadlineMs);
    if (reply instanceof ReplyError) throw reply;
    return reply;
  }

  /**
   * Sends requests together and resolves to their replies, refusals among them as `ReplyError` values. Between MULTI and
   * EXEC they are one transaction. Rejects as `call` does when one of them gets no reply.
   */
  pipeline(
    requests: readonly Request[],
    deadlineMs: number = this.#options.deadlineMs ?? DEADLINE_MS,
  ): Promise<Reply[]> {
    return Promise.all(requests.map((request) => this.#issue(request, deadlineMs)));
  }

  /** Ends the connection. Calls that wait are rejected; later ones too. */
  close(): void {
    if (this.#state === "closed") return;
    this.#cancelRetry();
    this.#cancelDeadline?.();
    const connection = this.#connection;
    this.#connection = undefined;
    this.#enter("closed", undefined);
    connection?.end();
    this.#failAll("closed");
  }

  // --- calls --------------------------------------------------------------------------------------------------

  #issue(request: Request, deadlineMs: number): Promise<Reply> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(new StoreError(refusal, false));
    return new Promise<Reply>((resolve, reject) => {
      const call: Call = {
        request,
        resolve,
        reject,
        deadlineMs: deadlineMs > 0 ? this.#clock.nowMs() + deadlineMs : Number.POSITIVE_INFINITY,
        receivedBefore: 0,
        settled: false,
      };
      if (this.#state === "ready") this.#send(call);
      else this.#unsent.push(call);
      if (call.deadlineMs < this.#deadlineAtMs) this.#armDeadline(call.deadlineMs);
    });
  }

  #refusal(): StoreErrorCode | undefined {
    if (this.#state === "closed") return "closed";
    if (this.#state === "waiting") return "not-connected";
    return this.pending >= this.#pendingMax ? "too-many-pending" : undefined;
  }

  #send(call: Call): void {
    call.receivedBefore = this.#connection?.receivedBytes ?? 0;
    this.#sent.push(call);
    this.#connection?.send(call.request);
  }

  #replied(reply: Reply): void {
    const call = this.#sent.shift();
    if (call === undefined) {
      this.#connection?.destroy("a reply came that nobody asked for");
    } else if (!call.settled) {
      call.settled = true;
      call.resolve(reply);
    }
  }

  /** Whether a push is what a subscription has for a reply: replies come in order, so it is the oldest call's. */
  #confirms([kind, channel]: readonly Reply[]): boolean {
    const request = this.#sent.oldestSent()?.request;
    const name = String(request?.[0]).toLowerCase();
    if (request === undefined || !SUBSCRIPTIONS.has(name) || textOf(kind) !== name) return false;
    // It confirms each channel on its own; the last one ends the call.
    return textOf(channel) === String(request.at(-1));
  }

  // --- deadlines ----------------------------------------------------------------------------------------------

  #armDeadline(atMs: number): void {
    this.#cancelDeadline?.();
    this.#deadlineAtMs = atMs;
    this.#cancelDeadline = undefined;
    if (!Number.isFinite(atMs)) return;
    const waitMs = Math.max(0, atMs - this.#clock.nowMs());
    this.#cancelDeadline = this.#scheduler.after(waitMs, () => this.#deadlinePassed());
  }

  /** The timer is not moved when a reply comes, so mostly nothing is due. */
  #deadlinePassed(): void {
    const dueMs = Math.min(this.#sent.nextDeadlineMs(), this.#unsent.nextDeadlineMs());
    if (dueMs > this.#clock.nowMs()) return this.#armDeadline(dueMs);
    this.#cancelDeadline = this.#scheduler.after(GRACE_MS, () => this.#expire());
  }

  #expire(): void {
    const nowMs = this.#clock.nowMs();
    const oldest = this.#sent.oldest();
    const connection = this.#connection;
    const isDead =
      oldest !== undefined &&
      oldest.deadlineMs <= nowMs &&
      oldest.receivedBefore === connection?.receivedBytes;
    this.#sent.expire(nowMs, new StoreError("deadline-exceeded", true));
    this.#unsent.expire(nowMs, new StoreError("deadline-exceeded", false));
    this.#armDeadline(Math.min(this.#sent.nextDeadlineMs(), this.#unsent.nextDeadlineMs()));
    // Not one byte since the call was sent: what comes later could only be late too.
    if (isDead) connection?.destroy("the store does not answer");
  }

  // --- the connection -----------------------------------------------------------------------------------------

  #connect(): void {
    const { tls = {}, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    this.#enter("connecting", undefined);
    const cancelTimeout = this.#scheduler.after(connectTimeoutMs, () =>
      connection.destroy("connecting took too long"),
    );
    this.#cancelRetry = cancelTimeout;
    const greeting = handshake(this.#url, this.#options);
    let awaited = greeting.length;
    let refused: string | undefined;
    const connection = new Connection(this.#url, tls, {
      connected: () => {
        for (const request of greeting) connection.send(request);
      },
      reply: (value) => {
        if (awaited === 0) return this.#replied(value);
        if (value instanceof ReplyError) refused ??= value.message;
        if (--awaited > 0) return;
        cancelTimeout();
        if (refused === undefined) this.#ready(connection);
        else connection.destroy(`handshake refused: ${refused}`);
      },
      push: (value) => {
        const push = value as readonly Reply[];
        if (this.#confirms(push)) this.#replied(value);
        this.#options.onPush?.(push);
      },
      lost: (reason, garbled) => {
        cancelTimeout();
        this.#lost(
          reason,
          refused === undefined ? (garbled ? "garbled-reply" : "connection-lost") : "handshake-refused",
        );
      },
    });
    this.#connection = connection;
  }

  #ready(connection: Connection): void {
    this.#failures = 0;
    this.#connection = connection;
    this.#enter("ready", undefined);
    for (let call = this.#unsent.shift(); call !== undefined; call = this.#unsent.shift())
      if (!call.settled) this.#send(call);
  }

  #lost(reason: string, code: StoreErrorCode): void {
    this.#connection = undefined;
    if (this.#state === "closed") return;
    const spread = 1 - JITTER + 2 * JITTER * (this.#options.random ?? systemRandom)();
    const waitMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(20, this.#failures++)) * spread;
    this.#enter("waiting", reason);
    this.#cancelRetry = this.#scheduler.after(waitMs, () => this.#connect());
    this.#failAll(code, reason);
  }

  #failAll(code: StoreErrorCode, detail?: string): void {
    this.#sent.fail(new StoreError(code, true, detail));
    this.#unsent.fail(new StoreError(code === "connection-lost" ? "not-connected" : code, false, detail));
  }

  #enter(state: RespClientState, reason: string | undefined): void {
    this.#state = state;
    this.#options.onState?.(state, reason);
  }
}
