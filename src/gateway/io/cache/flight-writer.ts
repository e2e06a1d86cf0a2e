/** The response of a flight as one client gets it: its own head, then the body at its own pace. */
import { evaluate, notModifiedFields } from "../../../edge/index.ts";
import { asBytes, copy, METHOD, put } from "../../../http/index.ts";
import type { Exchange } from "../exchange.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";
import { type FetchedHead, type Flight, headBytes } from "./flight.ts";
import { CHUNKS, OWN_BYTES_MAX, putEnd, putFraming, putText, UNTIL_CLOSE } from "./own-lines.ts";

const CRLF = asBytes("\r\n");
const LAST_CHUNK = asBytes("0\r\n\r\n");

/** `HEX CRLF` before and CRLF after a chunk, rounded up. */
const CHUNK_FRAME_BYTES = 16;

export class FlightWriter {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  /** The head is on its way. */
  hasBegun = false;
  /** How much of the body has been given to the client's connection. */
  offset = 0;
  #isChunked = false;
  #hasBody = true;
  /** What of the head, and of the body behind it, stands in the scratch buffer, unsent. */
  #pending = 0;

  constructor(exchange: Exchange, serving: Serving, request: Request) {
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
  }

  /** Writes the head, in front of what `pump` sends. `edge.viewed` is the client's request. */
  begin(flight: Flight, head: FetchedHead, cacheStatus: string): void {
    const { scratch } = this.#serving.wire;
    const { edge } = this.#serving;
    const request = this.#request;
    const isUnchanged =
      head.meta !== undefined &&
      edge !== undefined &&
      evaluate(edge.viewed, head.meta, 0, this.#serving.wallMs()).kind === "not-modified";
    const status = isUnchanged ? 304 : head.status;
    this.#hasBody = !isUnchanged && request.method !== METHOD.head && hasBody(head.status);
    const length = lengthOf(flight, head, request.isHttp10);
    this.#isChunked = this.#hasBody && length === CHUNKS;
    request.close ||= (this.#hasBody && length === UNTIL_CLOSE) || request.down?.listener.closing === true;
    const first = isUnchanged ? headBytes(304, "Not Modified", notModifiedFields(head.fields)) : head.bytes;
    const note = `Cache-Status: ${this.#serving.name}; ${cacheStatus}\r\n`;
    const out =
      first.length + note.length + OWN_BYTES_MAX > scratch.length
        ? new Uint8Array(first.length + 1024)
        : scratch;
    let at = putText(note, out, put(first, out, 0));
    if (!isUnchanged && hasBody(head.status) && (this.#hasBody || length >= 0))
      at = putFraming(length, out, at);
    at = putEnd(this.#serving, request, out, at);
    this.hasBegun = true;
    this.offset = 0;
    this.#exchange.adopt(status);
    if (out === scratch) this.#pending = at;
    else this.#exchange.sendDown(out, 0, at);
  }

  /** Sends what has come and the client takes; true when that was the last of it. */
  pump(flight: Flight): boolean {
    const { down } = this.#request;
    while (this.#hasBody && down?.outbox === undefined) {
      const chunk = flight.chunkAt(this.offset);
      if (chunk === undefined) break;
      const { bytes, start } = chunk;
      this.offset += bytes.length - start;
      this.#send(bytes, start, bytes.length);
    }
    const isWhole = !this.#hasBody || (flight.state === "complete" && this.offset === flight.total);
    if (isWhole && this.#isChunked) this.#sendAsIs(LAST_CHUNK, 0, LAST_CHUNK.length);
    this.#flush();
    return isWhole;
  }

  #send(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#isChunked) return this.#sendAsIs(bytes, start, end);
    const size = asBytes(`${(end - start).toString(16)}\r\n`);
    this.#sendAsIs(size, 0, size.length);
    this.#sendAsIs(bytes, start, end);
    this.#sendAsIs(CRLF, 0, CRLF.length);
  }

  /** Joins what is pending where it fits, so that a small response is one write. */
  #sendAsIs(bytes: Uint8Array, start: number, end: number): void {
    const { scratch } = this.#serving.wire;
    if (this.#pending + end - start + CHUNK_FRAME_BYTES > scratch.length) this.#flush();
    if (end - start > scratch.length) return this.#exchange.sendDown(bytes, start, end);
    this.#pending = copy(bytes, start, end, scratch, this.#pending);
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = 0;
    if (pending > 0) this.#exchange.sendDown(this.#serving.wire.scratch, 0, pending);
  }

  clear(): void {
    this.hasBegun = false;
    this.offset = 0;
    this.#isChunked = false;
    this.#pending = 0;
  }
}

function hasBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** The framing of the body: its length when that is known, by now or from the beginning. */
function lengthOf(flight: Flight, { contentLength }: FetchedHead, isHttp10: boolean): number {
  if (contentLength >= 0) return contentLength;
  if (flight.state === "complete") return flight.total;
  return isHttp10 ? UNTIL_CLOSE : CHUNKS;
}
