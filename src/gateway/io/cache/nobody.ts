/**
 * The client of a fetch that no client's own exchange carries: it has time limits like any other, and takes every byte,
 * since the recording has it already.
 */

import type { TimerEntry } from "../../../base/index.ts";
import { SEND, type SendResult } from "../../../transport/index.ts";
import type { Peer } from "../../peer.ts";
import type { Client, Wait } from "../client.ts";
import type { Exchange } from "../exchange.ts";
import type { HttpListener } from "../listener.ts";
import type { Serving } from "../serving.ts";
import type { Recording } from "./recording.ts";

export class Nobody implements Client, TimerEntry {
  readonly listener: HttpListener;
  readonly peer: Peer;
  readonly isNobody = true;
  readonly hasEnded = false;
  readonly outbox: undefined;
  exchange: Exchange | undefined;
  readonly #serving: Serving;
  readonly #recording: Recording;
  #wait: Wait = "connect";

  // Links of the timer wheel.
  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;

  constructor(client: Pick<Client, "listener" | "peer">, serving: Serving, recording: Recording) {
    this.listener = client.listener;
    this.peer = client.peer;
    this.#serving = serving;
    this.#recording = recording;
  }

  get isClosed(): boolean {
    return this.exchange === undefined;
  }

  send(): SendResult {
    return this.#recording.isAhead ? SEND.waits : SEND.done;
  }

  offer(_: Uint8Array, start: number, end: number): number {
    return end - start;
  }

  wait(what: Wait, ms: number): void {
    this.#wait = what;
    this.#serving.wheel.schedule(this, ms);
  }

  onTimer(): void {
    try {
      this.exchange?.timedOut(this.#wait);
    } catch (error) {
      this.crashed(error);
    }
  }

  exchangeDone(): void {
    this.#end();
  }
  destroy(): void {
    this.#end();
  }

  #end(): void {
    this.exchange = undefined;
    this.#serving.wheel.cancel(this);
  }

  crashed(error: unknown): void {
    this.#serving.reportCrash(error);
    try {
      this.exchange?.fail("internal");
    } catch (second) {
      this.#serving.reportCrash(second);
      this.#end();
    }
  }

  /** There is no request body to hold back. */
  pause(): void {}
  resume(): void {}
  shutdown(): void {}
  takeInput(): undefined {}
}
