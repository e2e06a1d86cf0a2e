/**
 * Whom an exchange answers: a client's connection (`Downstream`), or the cache, which asks for a response to keep it
 * (`Fetcher`). The exchange, its attempts and its retries are the same for both.
 */
import type { ResponseHead } from "../../http/index.ts";
import type { GatewayErrorCode } from "../errors.ts";
import type { Peer } from "../peer.ts";
import type { Exchange } from "./exchange.ts";
import type { Input } from "./input.ts";
import type { HttpListener } from "./listener.ts";
import type { Outbox, SendResult } from "./outbox.ts";

/** What a client waits for; each wait has a bound, and what happens at the bound is `Exchange.timedOut`. */
export type Wait =
  | "request"
  | "head"
  | "queue"
  | "hold"
  | "connect"
  | "first-byte"
  | "fetch"
  | "stream"
  | "tunnel"
  | "linger";

/** Takes a response in parts that are not yet bytes for a wire. */
export interface ResponseTaker {
  /** An interim response, `bytes[0, size)` as it goes to a client. They are borrowed. */
  interim(bytes: Uint8Array, size: number): void;
  /** The final head; `bytes` are borrowed. The body follows by `send`, without its framing. */
  answerBegins(head: ResponseHead, bytes: Uint8Array): void;
  /** What came with one read has been sent. */
  answerMoved(): void;
  /** There will be no response. */
  failed(code: GatewayErrorCode, detail: string | undefined, tried: readonly string[]): void;
}

/** See the top of this file. */
export interface Client {
  readonly listener: HttpListener;
  readonly peer: Peer;
  readonly outbox: Outbox | undefined;
  readonly isClosed: boolean;
  /** The client sent FIN. */
  readonly hasEnded: boolean;
  /** Set where the response is taken apart instead of being written. */
  readonly taker: ResponseTaker | undefined;
  exchange: Exchange | undefined;
  send(bytes: Uint8Array, start: number, end: number): SendResult;
  wait(what: Wait, ms: number): void;
  pause(): void;
  resume(): void;
  shutdown(): void;
  takeInput(): Input | undefined;
  /** The exchange is complete: on to the next request, or close. */
  exchangeDone(close: boolean, linger: boolean): void;
  destroy(): void;
  crashed(error: unknown): void;
}
