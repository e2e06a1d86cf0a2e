/**
 * Chunked bodies (RFC 9112 §7.1), checked byte by byte while they pass.
 *
 * The scanner is fed whatever arrives, split anywhere, and says which of those bytes may go on. A chunked body may be
 * forwarded by reference because nothing that two parsers could read differently gets through: sizes are plain
 * hexadecimal digits, lines end in CRLF, and chunk extensions and trailers, which nobody needs and which have hidden
 * requests, are validated and then cut out. A usual body has neither, so it is one segment: the bytes as they came.
 *
 * Modes: "framing" keeps chunk sizes and data, for a peer that speaks HTTP/1.1; "data" keeps the data alone, for an
 * HTTP/1.0 client or for one who reads the body.
 */
import { COLON, CR, HEX, LF, SEMICOLON, TOKEN, VALUE } from "../bytes.ts";
import type { ChunkMistake } from "./syntax-errors.ts";

/** What `ChunkedScanner` keeps. */
export type ChunkMode = "framing" | "data";

/** Digits of a chunk size. Sixteen hold any 64-bit number; the value is further bound to 2^53-1. */
const SIZE_DIGITS_MAX = 16;

/** Extension bytes of one chunk. Signatures of 85 bytes are the longest seen in use. */
const EXTENSION_BYTES_MAX = 256;

/** Trailer bytes of one body. Checksums and gRPC statuses need a few hundred; they are counted, then dropped. */
const TRAILER_BYTES_MAX = 8192;

/** Segments that one call can give: more only occur when most chunks have extensions, and then the call ends early. */
const SEGMENTS_MAX = 64;

/** Where in the grammar the next byte stands. */
const STATE = {
  size: 0,
  extensionName: 1,
  extension: 2,
  sizeLf: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailerLine: 7,
  trailerName: 8,
  trailerValue: 9,
  trailerLf: 10,
  lastLf: 11,
  done: 12,
} as const;

/** A `STATE`. */
type State = number;

/** Scanner of one chunked body at a time. Reusable: call `reset` before each body. */
export class ChunkedScanner {
  /** Whether the last chunk and its empty line have passed. */
  done = false;
  /** Why the body was refused. */
  error: ChunkMistake | undefined = undefined;
  /** Bytes of data so far, for limits. */
  dataBytes = 0;
  /** What the last `scan` keeps: `segmentCount` pairs [start, end) into its bytes. */
  readonly segments: Int32Array = new Int32Array(SEGMENTS_MAX * 2);
  segmentCount = 0;

  #mode: ChunkMode;
  #state: State = STATE.size;
  #size = 0;
  /** Digits, extension bytes or trailer bytes of the present line or section. */
  #count = 0;
  /** Whether the bytes at this point of the grammar are kept. */
  #keeping = true;
  #keepFrom = 0;

  constructor(mode: ChunkMode = "framing") {
    this.#mode = mode;
    this.reset(mode);
  }

  /** Makes ready for a new body. */
  reset(mode: ChunkMode): void {
    this.#mode = mode;
    this.#state = STATE.size;
    this.#size = 0;
    this.#count = 0;
    this.#keeping = mode === "framing";
    this.done = false;
    this.error = undefined;
    this.dataBytes = 0;
    this.segmentCount = 0;
  }

  /**
   * Checks `bytes[start..end)`. Returns the offset just past what it has dealt with, or -1 when refused (see `error`).
   *
   * That offset is `end` unless the body is `done` (what follows belongs to the next message) or `segments` is full:
   * forward those and call again from there. O(bytes that are not data).
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    this.segmentCount = 0;
    this.#keepFrom = start;
    let at = start;
    while (at < end && !this.done && this.segmentCount < SEGMENTS_MAX - 1) {
      if (this.#state === STATE.data) {
        at = this.#passData(at, end);
      } else {
        this.error = this.#step(bytes[at] as number, at);
        if (this.error !== undefined) return -1;
        at++;
      }
    }
    if (this.#keeping) this.#addSegment(at);
    return at;
  }

  #addSegment(end: number): void {
    if (end === this.#keepFrom) return;
    this.segments[this.segmentCount * 2] = this.#keepFrom;
    this.segments[this.segmentCount * 2 + 1] = end;
    this.segmentCount++;
  }

  #keep(from: number): void {
    if (this.#keeping) return;
    this.#keeping = true;
    this.#keepFrom = from;
  }

  #skip(from: number): void {
    if (!this.#keeping) return;
    this.#addSegment(from);
    this.#keeping = false;
  }

  /** Keeps in "framing" mode only: what is neither data nor to be cut out. */
  #keepFraming(from: number): void {
    if (this.#mode === "framing") this.#keep(from);
    else this.#skip(from);
  }

  #passData(at: number, end: number): number {
    const passed = Math.min(this.#size, end - at);
    this.#size -= passed;
    this.dataBytes += passed;
    if (this.#size > 0) return end;
    this.#state = STATE.dataCr;
    this.#keepFraming(at + passed);
    return at + passed;
  }

  /** Takes one byte of framing. A table of states; one row per state. */
  #step(byte: number, at: number): ChunkMistake | undefined {
    switch (this.#state) {
      case STATE.size:
        return this.#stepSize(byte, at);
      case STATE.extensionName:
        if (TOKEN[byte] === 0) return "chunk-extension-malformed";
        return this.#go(STATE.extension);
      case STATE.extension:
        return this.#stepExtension(byte, at);
      case STATE.sizeLf:
        return byte === LF ? this.#beginChunk(at + 1) : "chunk-line-ending";
      case STATE.dataCr:
        return byte === CR ? this.#go(STATE.dataLf) : "chunk-data-unterminated";
      case STATE.dataLf:
        return byte === LF ? this.#go(STATE.size) : "chunk-data-unterminated";
      case STATE.lastLf:
        return byte === LF ? this.#finish() : "chunk-line-ending";
      default:
        return this.#stepTrailer(byte, at);
    }
  }

  #go(state: State): undefined {
    this.#state = state;
  }

  #stepSize(byte: number, at: number): ChunkMistake | undefined {
    const digit = HEX[byte] as number;
    if (digit < 16) {
      this.#size = this.#size * 16 + digit;
      this.#count++;
      const isTooLarge = this.#count > SIZE_DIGITS_MAX || this.#size > Number.MAX_SAFE_INTEGER;
      return isTooLarge ? "chunk-size-too-large" : undefined;
    }
    if (this.#count === 0) return "chunk-size-malformed";
    this.#count = 0;
    if (byte === CR) return this.#go(STATE.sizeLf);
    if (byte === LF) return "chunk-line-ending";
    if (byte !== SEMICOLON) return "chunk-size-malformed";
    this.#skip(at);
    return this.#go(STATE.extensionName);
  }

  #stepExtension(byte: number, at: number): ChunkMistake | undefined {
    if (++this.#count > EXTENSION_BYTES_MAX) return "chunk-extension-too-long";
    if (VALUE[byte] === 1) return undefined;
    if (byte === LF) return "chunk-line-ending";
    if (byte !== CR) return "chunk-extension-malformed";
    this.#count = 0;
    this.#keepFraming(at);
    return this.#go(STATE.sizeLf);
  }

  #beginChunk(at: number): undefined {
    if (this.#size === 0) return this.#go(STATE.trailerLine);
    this.#keep(at);
    return this.#go(STATE.data);
  }

  #stepTrailer(byte: number, at: number): ChunkMistake | undefined {
    if (this.#state === STATE.trailerLine && byte === CR) {
      this.#keepFraming(at);
      return this.#go(STATE.lastLf);
    }
    this.#skip(at);
    if (++this.#count > TRAILER_BYTES_MAX) return "trailer-too-large";
    const next = nextInTrailer(this.#state, byte);
    return next < 0 ? "trailer-malformed" : this.#go(next);
  }

  #finish(): undefined {
    this.done = true;
    return this.#go(STATE.done);
  }
}

/** The state after a byte of a trailer line, or -1. */
function nextInTrailer(state: State, byte: number): State {
  switch (state) {
    case STATE.trailerLine:
      return TOKEN[byte] === 1 ? STATE.trailerName : -1;
    case STATE.trailerName:
      if (byte === COLON) return STATE.trailerValue;
      return TOKEN[byte] === 1 ? STATE.trailerName : -1;
    case STATE.trailerValue:
      if (byte === CR) return STATE.trailerLf;
      return VALUE[byte] === 1 ? STATE.trailerValue : -1;
    default:
      return byte === LF ? STATE.trailerLine : -1;
  }
}
