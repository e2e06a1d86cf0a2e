/**
 * The cache as a client of the gateway: asks for a response through an exchange like any other, with its retries,
 * timeouts and balancing, and puts what comes into a flight.
 *
 * It goes on when the client that caused it leaves, as long as the response is to be kept.
 */
import type { TimerEntry } from "../../../base/index.ts";
import type { ResponseHead } from "../../../http/index.ts";
import type { GatewayErrorCode } from "../../errors.ts";
import type { Peer } from "../../peer.ts";
import type { Client, ResponseTaker, Wait } from "../client.ts";
import type { Exchange } from "../exchange.ts";
import type { HttpListener } from "../listener.ts";
import { SEND, type SendResult } from "../outbox.ts";
import type { Serving } from "../serving.ts";
import type { Flight, FlightFailure } from "./flight.ts";

/** What becomes of the response. */
export interface Landing {
  /** The final head; sets `flight.head`, and whether it is kept. */
  began(flight: Flight, head: ResponseHead, bytes: Uint8Array): void;
  /** The response is whole. Readers are told afterwards. */
  completed(flight: Flight): void;
  /** There was none, or it broke off; `flight.state` says which. Readers are told afterwards. */
  failed(flight: Flight): void;
}

export class Fetcher implements Client, ResponseTaker, TimerEntry {
  readonly listener: HttpListener;
  readonly peer: Peer;
  readonly outbox: undefined;
  readonly hasEnded = false;
  exchange: Exchange | undefined;
  readonly #serving: Serving;
  readonly #flight: Flight;
  readonly #landing: Landing;
  #wait: Wait = "connect";

  // Links of the timer wheel.
  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;

  constructor(client: Pick<Client, "listener" | "peer">, serving: Serving, flight: Flight, landing: Landing) {
    this.listener = client.listener;
    this.peer = client.peer;
    this.#serving = serving;
    this.#flight = flight;
    this.#landing = landing;
  }

  get isClosed(): boolean {
    return this.#flight.hasEnded;
  }
  get taker(): ResponseTaker {
    return this;
  }

  // --- what comes ---------------------------------------------------------------------------------------------

  interim(bytes: Uint8Array, size: number): void {
    this.#flight.interim(bytes, size);
  }

  answerBegins(head: ResponseHead, bytes: Uint8Array): void {
    this.#flight.state = "streaming";
    this.#landing.began(this.#flight, head, bytes);
  }

  send(bytes: Uint8Array, start: number, end: number): SendResult {
    this.#flight.append(bytes.slice(start, end));
    return this.#flight.isAhead ? SEND.waits : SEND.done;
  }

  answerMoved(): void {
    this.#flight.moved();
    this.#leaveIfUnwanted();
  }

  failed(code: GatewayErrorCode, detail: string | undefined, tried: readonly string[]): void {
    this.#end("failed", { code, detail, tried });
  }

  // --- the readers --------------------------------------------------------------------------------------------

  /** A reader has had more. */
  readerMoved(): void {
    const flight = this.#flight;
    flight.trim();
    if (flight.isAhead) this.exchange?.downstreamMoved();
    else this.exchange?.downstreamDrained();
  }

  /** A reader has left. */
  readerLeft(): void {
    if (this.#flight.hasEnded) return;
    this.#leaveIfUnwanted();
    if (!this.#flight.hasEnded && !this.#flight.keeps) this.readerMoved();
  }

  /** A response that nobody reads and that is not kept is not fetched to its end. */
  #leaveIfUnwanted(): void {
    const { readers, keeps, hasEnded } = this.#flight;
    if (!keeps && readers.size === 0 && !hasEnded) this.exchange?.abandon("client-closed");
  }

  // --- as a client --------------------------------------------------------------------------------------------

  wait(what: Wait, ms: number): void {
    if (this.isClosed) return;
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
    this.exchange = undefined;
    this.#end("complete", undefined);
  }

  /** The exchange broke off. */
  destroy(): void {
    this.exchange = undefined;
    this.#end("cut", undefined);
  }

  crashed(error: unknown): void {
    this.#serving.reportCrash(error);
    try {
      this.exchange?.fail("internal");
    } catch (second) {
      this.#serving.reportCrash(second);
      this.destroy();
    }
  }

  /** There is no request body to hold back. */
  pause(): void {}
  resume(): void {}
  shutdown(): void {}
  takeInput(): undefined {}

  #end(state: "complete" | "failed" | "cut", failure: FlightFailure | undefined): void {
    const flight = this.#flight;
    if (flight.hasEnded) return;
    this.#serving.wheel.cancel(this);
    flight.failure = failure;
    flight.state = state === "complete" && flight.head === undefined ? "revalidated" : state;
    if (state === "complete") this.#landing.completed(flight);
    else this.#landing.failed(flight);
    flight.moved();
  }
}
