/**
 * The bus: a connection that hears what other processes invalidate.
 *
 * Messages may come late or twice, which does no harm. That some were missed shows as a lost connection or a server
 * that does not answer a PING; then the listener is told to forget everything, since nobody knows what it missed.
 *
 * On a RESP3 connection the answer to SUBSCRIBE comes as a push, so its call stays open, and each later PONG settles the
 * call before it: one call is always open, and a PING is answered when the one before it settles.
 */
import type { Scheduler } from "../../base/index.ts";
import type { Reply } from "../../resp/index.ts";
import { textOf } from "../../resp/index.ts";
import { RespClient, type RespClientOptions } from "../../resp/io/index.ts";
import type { BusListener } from "../store/store.ts";
import { parseMessage } from "./bus-message.ts";

/** What a bus is made of. */
export interface BusOptions {
  readonly client: RespClientOptions;
  readonly channel: string;
  /** Messages with this origin are our own. */
  readonly origin: string;
  readonly scheduler: Scheduler;
  readonly listener: BusListener;
  /** Default 2 s. */
  readonly pingEveryMs?: number;
}

/** A bus that hangs is found out after so long, and the answer to a PING must come in half of it. */
const PING_EVERY_MS = 2000;

/** A subscription that renews itself. */
export class Bus {
  readonly #options: BusOptions;
  #client: RespClient;
  #open: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** Whether the listener was told of the present interruption. */
  #isInterrupted = false;

  constructor(options: BusOptions) {
    this.#options = options;
    this.#client = this.#connect();
    this.#watch();
  }

  /** Ends the subscription. */
  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  #connect(): RespClient {
    const { client, channel } = this.#options;
    const made: RespClient = new RespClient({
      ...client,
      protocol: 3,
      onPush: (push) => this.#pushed(push),
      onState: (state) => {
        if (state === "waiting") this.#interrupted();
        // In a turn of its own: the first state comes before the constructor has returned.
        if (state !== "ready") return;
        queueMicrotask(() => {
          this.#open = made.call(["SUBSCRIBE", channel], 0).catch(() => {});
        });
      },
    });
    return made;
  }

  #pushed(push: readonly Reply[]): void {
    const [kind, , body] = push.map((part) => textOf(part));
    const { listener, origin } = this.#options;
    if (kind === "subscribe") {
      // Between the loss and now some may have been missed, and L1 may have been filled.
      if (this.#isInterrupted) listener.interrupted();
      this.#isInterrupted = false;
    }
    if (kind !== "message" || body === undefined) return;
    const message = parseMessage(body);
    if (message === undefined) listener.interrupted();
    else if (message.from !== origin) listener.invalidated(message.invalidation);
  }

  #interrupted(): void {
    if (this.#isClosed) return;
    if (!this.#isInterrupted) this.#options.listener.interrupted();
    this.#isInterrupted = true;
  }

  #watch(): void {
    const { scheduler, pingEveryMs = PING_EVERY_MS } = this.#options;
    scheduler.after(pingEveryMs, () => {
      if (this.#isClosed) return;
      if (this.#client.state !== "ready") return this.#watch();
      let isAnswered = false;
      const before = this.#open;
      this.#open = this.#client.call(["PING"], 0).catch(() => {});
      void before.then(() => (isAnswered = true));
      scheduler.after(pingEveryMs / 2, () => {
        if (!isAnswered && !this.#isClosed && this.#client.state === "ready") this.#renew();
        this.#watch();
      });
    });
  }

  #renew(): void {
    this.#interrupted();
    this.#client.close();
    this.#client = this.#connect();
  }
}
