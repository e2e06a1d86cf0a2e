/**
 * Follows one body as it streams by: counts its bytes exactly, finds its end, and says which bytes may go on.
 *
 * Most bodies go on as they came ("verbatim": one part). Of chunked ones, extensions and trailers are cut out.
 */
import { type BodyKind, ChunkedScanner, copy } from "../http/index.ts";

/** The body of one message; reused for the next one on the connection. */
export class BodyReader {
  /** Declared length; 0 unless Content-Length framed the body. */
  length = 0;
  /** Bytes of the body seen so far, framing included. */
  received = 0;
  /** Why a chunked body was refused. */
  error: string | undefined;
  #kind: BodyKind = "none";
  #left = 0;
  #done = true;
  #scanner: ChunkedScanner | undefined;
  /** Parts of the last `read`, as [start, end) pairs; unused while it was verbatim. */
  #parts: number[] = [];
  #isVerbatim = true;

  /** True once the last byte of the body has been read. */
  get done(): boolean {
    return this.#done;
  }
  /** Bytes of the body proper: what a limit on bodies counts. */
  get dataBytes(): number {
    return this.#kind === "chunked" ? (this.#scanner?.dataBytes ?? 0) : this.received;
  }
  get isUntilClose(): boolean {
    return this.#kind === "until-close";
  }
  /** Whether all that the last `read` took may be forwarded as one piece. */
  get isVerbatim(): boolean {
    return this.#isVerbatim;
  }

  /** Gets ready for a body. `dataOnly`: cut the chunk framing out too, for a peer that does not know it. */
  begin(kind: BodyKind, length: number, dataOnly: boolean): void {
    this.#kind = kind;
    this.#left = length;
    this.#done = kind === "none";
    this.#isVerbatim = true;
    this.length = length;
    this.received = 0;
    this.error = undefined;
    if (kind !== "chunked") return;
    this.#scanner ??= new ChunkedScanner();
    this.#scanner.reset(dataOnly ? "data" : "framing");
  }

  /** Takes what belongs to the body out of `bytes[start, end)`; returns where that ends. */
  read(bytes: Uint8Array, start: number, end: number): number {
    if (this.#done) {
      this.#isVerbatim = true; // of nothing: what the last read left is not this one's
      return start;
    }
    const after = this.#take(bytes, start, end);
    this.received += after - start;
    return after;
  }

  #take(bytes: Uint8Array, start: number, end: number): number {
    if (this.#kind === "chunked") return this.#scan(bytes, start, end);
    if (this.#kind === "until-close") return end;
    const taken = Math.min(this.#left, end - start);
    this.#left -= taken;
    this.#done = this.#left === 0;
    return start + taken;
  }

  #scan(bytes: Uint8Array, start: number, end: number): number {
    const scanner = this.#scanner;
    if (scanner === undefined) return end;
    this.#parts.length = 0;
    let at = start;
    while (at < end && !scanner.done) {
      const next = scanner.scan(bytes, at, end);
      if (next < 0) {
        this.error = scanner.error;
        return end;
      }
      for (let i = 0; i < scanner.segmentCount * 2; i++) this.#parts.push(scanner.segments[i] ?? 0);
      at = next;
    }
    this.#done = scanner.done;
    this.#isVerbatim = this.#parts.length === 2 && this.#parts[0] === start && this.#parts[1] === at;
    return at;
  }

  /** Calls `use` with each part of what the last `read` took from [start, end). */
  forEachPart(start: number, end: number, use: (partStart: number, partEnd: number) => void): void {
    if (this.#isVerbatim) {
      if (end > start) use(start, end);
      return;
    }
    for (let i = 0; i + 1 < this.#parts.length; i += 2) use(this.#parts[i] ?? 0, this.#parts[i + 1] ?? 0);
  }

  /** Copies the parts of the last `read` one behind the other to `to[at..]`; the offset after them. */
  copyParts(bytes: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
    if (this.#isVerbatim) return copy(bytes, start, end, to, at);
    let into = at;
    this.forEachPart(start, end, (partStart, partEnd) => {
      into = copy(bytes, partStart, partEnd, to, into);
    });
    return into;
  }
}
