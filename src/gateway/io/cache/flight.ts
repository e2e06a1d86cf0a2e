/**
 * One response on its way from a target into the cache, and the clients that get it meanwhile.
 *
 *   waiting -> streaming -> complete
 *          \-> revalidated      \-> cut
 *          \-> failed
 *
 * Each reader goes through the body at its own pace. While the response is being kept, all of it is in memory, and a slow
 * reader holds nobody up. When it is not to be kept (or grew too large), only what the slowest reader has not had yet is,
 * and the target waits for that reader as it would without a cache.
 */
import type { FieldLine, StoredMeta } from "../../../edge/index.ts";
import { asBytes } from "../../../http/index.ts";
import type { GatewayErrorCode } from "../../errors.ts";

/** What a target said, as far as clients need it. */
export interface FetchedHead {
  readonly status: number;
  /** The fields that go to every client, without framing. */
  readonly fields: readonly FieldLine[];
  /** The same with the status line, as bytes. */
  readonly bytes: Uint8Array;
  /** Length of the body if it was declared, else -1. */
  readonly contentLength: number;
  /** What the policy knows of it, when it is being kept. */
  readonly meta: StoredMeta | undefined;
  /** Why it is not. */
  readonly refusal: string | undefined;
}

/** Status line and fields, each with its CRLF, without framing. */
export function headBytes(status: number, reason: string, fields: readonly FieldLine[]): Uint8Array {
  const lines = fields
    .filter(([name]) => name.toLowerCase() !== "content-length")
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return asBytes(`HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}`);
}

/** Why there is no response. */
export interface FlightFailure {
  readonly code: GatewayErrorCode;
  readonly detail: string | undefined;
  readonly tried: readonly string[];
}

/** A client's exchange that waits for the response or is being sent it. Calls come one at a time. */
export interface FlightReader {
  /** How much of the body it has had; only for a flight that is not kept. */
  readonly offset: number;
  /** An interim response, `bytes[0, size)`; borrowed. */
  flightInterim(bytes: Uint8Array, size: number): void;
  /** State or bytes are new. */
  flightMoved(): void;
}

export type FlightState = "waiting" | "streaming" | "complete" | "revalidated" | "failed" | "cut";

/** Bytes that a target may be ahead of the slowest reader of a response that is not kept. */
const AHEAD_BYTES_MAX = 256 * 1024;

export class Flight {
  /** Of the key, for the table of flights. */
  readonly key: string;
  state: FlightState = "waiting";
  head: FetchedHead | undefined;
  failure: FlightFailure | undefined;
  /** Whether others than the first reader may join. */
  isShared: boolean;
  /** Whether all of the body stays in memory, to be kept. */
  keeps = true;
  readonly readers: Set<FlightReader> = new Set();
  #chunks: Uint8Array[] = [];
  /** Offset in the body of the first chunk. */
  #base = 0;
  #total = 0;

  /** Not `isShared`: for one request alone. */
  constructor(key: string, isShared: boolean) {
    this.key = key;
    this.isShared = isShared;
  }

  /** Bytes of the body that have come. */
  get total(): number {
    return this.#total;
  }
  /** Whether there will be no more. */
  get hasEnded(): boolean {
    return this.state !== "waiting" && this.state !== "streaming";
  }
  /** Whether a new reader finds the body from its beginning. */
  get isJoinable(): boolean {
    return this.isShared && this.#base === 0 && (this.state === "waiting" || this.state === "streaming");
  }
  /** Whether the target should wait. */
  get isAhead(): boolean {
    return !this.keeps && this.#total - this.#slowest() > AHEAD_BYTES_MAX;
  }

  append(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#total += chunk.length;
  }

  /** The bytes at `offset`: the chunk, and where in it. Undefined when they have not come yet. */
  chunkAt(offset: number): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    let at = this.#base;
    for (const bytes of this.#chunks) {
      if (offset < at + bytes.length) return { bytes, start: offset - at };
      at += bytes.length;
    }
    return undefined;
  }

  /** All of a kept body, from its beginning. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** Forgets what every reader of a body that is not kept has had. */
  trim(): void {
    if (this.keeps) return;
    const slowest = this.#slowest();
    for (let first = this.#chunks[0]; first !== undefined; first = this.#chunks[0]) {
      if (this.#base + first.length > slowest) return;
      this.#base += first.length;
      this.#chunks.shift();
    }
  }

  /** Tells the readers; they may leave meanwhile. */
  moved(): void {
    for (const reader of Array.from(this.readers)) {
      if (this.readers.has(reader)) reader.flightMoved();
    }
    this.trim();
  }

  interim(bytes: Uint8Array, size: number): void {
    for (const reader of Array.from(this.readers)) reader.flightInterim(bytes, size);
  }

  #slowest(): number {
    let slowest = this.#total;
    for (const { offset } of this.readers) slowest = Math.min(slowest, offset);
    return slowest;
  }
}
