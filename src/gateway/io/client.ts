/**
 * Whom an exchange answers: a client's connection (`Downstream`), or nobody: a fetch that is for the cache alone
 * (`Nobody`). The exchange, its attempts and its retries are the same for both.
 */
import { type Outbox, type SendResult } from "../../transport/index.ts";
import type { Peer } from "../peer.ts";
import type { Exchange } from "./exchange.ts";
import type { Input } from "./input.ts";
import type { HttpListener } from "./listener.ts";

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
  | "send"
  | "tunnel"
  | "linger";

/** See the top of this file. */
export interface Client {
  readonly listener: HttpListener;
  readonly peer: Peer;
  readonly outbox: Outbox | undefined;
  readonly isClosed: boolean;
  /** Nobody waits for the response: it is neither counted nor logged. */
  readonly isNobody: boolean;
  /** The client sent FIN. */
  readonly hasEnded: boolean;
  exchange: Exchange | undefined;
  send(bytes: Uint8Array, start: number, end: number): SendResult;
  /** Sends what is taken now, and keeps nothing; -1 when the connection is gone. */
  offer(bytes: Uint8Array, start: number, end: number): number;
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
