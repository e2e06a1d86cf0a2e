/**
 * The bus: a connection that hears what other processes invalidate.
 *
 * Messages may come late or twice, which does no harm. That some were missed shows as a lost connection, a server that does
 * not answer a PING, or a channel that the server took away (in a cluster, when its slot moves); then the listener is told to
 * forget everything, since nobody knows what it missed, and again when all channels are heard anew.
 */
import type { Scheduler } from "../../base/index.ts";
import { type Reply, ReplyError, textOf } from "../../resp/index.ts";
import { RespClient, type RespClientOptions } from "../../resp/io/index.ts";
import type { BusListener } from "../store/store.ts";
import { parseMessage } from "./bus-message.ts";

/** What a bus is made of. */
export interface BusOptions {
  readonly client: RespClientOptions;
  readonly channels: readonly string[];
  /** Subscribe to the channels of a cluster's shard; to plain ones where the server is older than 7. Default false. */
  readonly isSharded?: boolean;
  /** Whether messages were missed before: then the listener is told once all is heard. Default false. */
  readonly isInterrupted?: boolean;
  /** Called when the server took a channel away, or does not serve it. */
  readonly onMoved?: () => void;
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
  readonly #client: RespClient;
  /** Channels that the server has confirmed on the present connection. */
  readonly #heard = new Set<string>();
  #isClosed = false;
  /** Whether messages may be missed now. */
  #isInterrupted: boolean;

  constructor(options: BusOptions) {
    this.#options = options;
    this.#isInterrupted = options.isInterrupted ?? false;
    this.#client = new RespClient({
      ...options.client,
      protocol: 3,
      onPush: (push) => this.#pushed(push),
      onState: (state) => {
        if (state === "waiting") this.#lost();
        // In a turn of its own: the first state comes before the constructor has returned.
        if (state === "ready") queueMicrotask(() => this.#subscribe());
      },
    });
    this.#watch();
  }

  /** Ends the subscription. */
  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  /** Asks for the channels that are not heard. */
  #subscribe(): void {
    for (const channel of this.#options.channels) {
      if (this.#heard.has(channel) || this.#isClosed) continue;
      this.#subscribeTo(channel).catch(() => {}); // asked again at the next round
    }
  }

  async #subscribeTo(channel: string): Promise<void> {
    const { isSharded = false, onMoved } = this.#options;
    try {
      await this.#client.call([isSharded ? "SSUBSCRIBE" : "SUBSCRIBE", channel]);
    } catch (error) {
      if (!isSharded || !(error instanceof ReplyError)) throw error;
      if (error.message.includes("unknown command")) await this.#client.call(["SUBSCRIBE", channel]);
      else onMoved?.();
    }
  }

  #pushed(push: readonly Reply[]): void {
    const [kind, channel = "", body] = push.map((part) => textOf(part));
    const { listener, origin, channels } = this.#options;
    if (kind === "subscribe" || kind === "ssubscribe") {
      this.#heard.add(channel);
      if (this.#heard.size < channels.length) return;
      // Between the loss and now some may have been missed, and L1 may have been filled.
      if (this.#isInterrupted) listener.interrupted();
      this.#isInterrupted = false;
    }
    if (kind === "sunsubscribe") {
      this.#heard.delete(channel);
      this.#interrupted();
      this.#options.onMoved?.();
    }
    if ((kind !== "message" && kind !== "smessage") || body === undefined) return;
    const message = parseMessage(body);
    if (message === undefined) listener.interrupted();
    else if (message.from !== origin) listener.invalidated(message.invalidation);
  }

  #lost(): void {
    this.#heard.clear();
    this.#interrupted();
  }

  #interrupted(): void {
    if (this.#isClosed) return;
    if (!this.#isInterrupted) this.#options.listener.interrupted();
    this.#isInterrupted = true;
  }

  /** Now and then a PING: one that is not answered ends the connection. And what is not heard is asked for again. */
  #watch(): void {
    const { scheduler, pingEveryMs = PING_EVERY_MS } = this.#options;
    scheduler.after(pingEveryMs, () => {
      if (this.#isClosed) return;
      if (this.#client.state === "ready") {
        this.#client.call(["PING"], pingEveryMs / 2).catch(() => {}); // the client gives up a server that is silent
        this.#subscribe();
      }
      this.#watch();
    });
  }
}
