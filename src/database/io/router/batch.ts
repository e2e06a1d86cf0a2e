/**
 * Bytes on their way to one socket, put together so that what one arrival brings goes out in one write.
 *
 * One stretch of borrowed bytes goes out as it is, without a copy. Only where something of ours comes between is it copied.
 */
import { copyBytes } from "../../../pgwire/index.ts";
import { SEND, type SendResult, send, type Writable } from "../../../transport/index.ts";

/** What is copied together at most; beyond, it is sent at once. */
const BYTES_MAX = 64 * 1024;

const NOTHING = new Uint8Array(0);

export class Batch {
  readonly #to: Writable;
  /** Borrowed, not copied yet. */
  #run: Uint8Array = NOTHING;
  #runStart = 0;
  #runEnd = 0;
  /** Memory shared by all batches: a batch is empty whenever another one may be written to. */
  readonly #memory: BatchMemory;
  #length = 0;
  #waits = false;

  constructor(to: Writable, memory: BatchMemory) {
    this.#to = to;
    this.#memory = memory;
  }

  get isEmpty(): boolean {
    return this.#length === 0 && this.#runStart === this.#runEnd;
  }

  /** Adds `bytes[start, end)`, which must stay as they are until `flush`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    if (this.#runEnd === start && this.#run === bytes) {
      this.#runEnd = end;
    } else {
      if (this.#runStart < this.#runEnd) this.#copyRun();
      this.#run = bytes;
      this.#runStart = start;
      this.#runEnd = end;
    }
  }

  /** Adds bytes that will not stay. */
  addCopy(bytes: Uint8Array, start: number, end: number): void {
    if (this.#runStart < this.#runEnd) this.#copyRun();
    this.#copy(bytes, start, end);
  }

  /** Copies what is borrowed: it is about to change. */
  secure(): void {
    if (this.#runStart < this.#runEnd) this.#copyRun();
  }

  /** Sends all. On `SEND.waits` the source should pause. */
  flush(): SendResult {
    let result: SendResult = SEND.done;
    if (this.#length > 0) {
      if (this.#runStart < this.#runEnd) this.#copyRun();
      if (this.#length > 0) result = send(this.#to, this.#memory.bytes, 0, this.#length);
      this.#length = 0;
    } else if (this.#runStart < this.#runEnd) {
      const { start, end } = { start: this.#runStart, end: this.#runEnd };
      this.#runEnd = this.#runStart = 0;
      result = send(this.#to, this.#run, start, end);
    }
    this.#run = NOTHING;
    this.#runEnd = this.#runStart = 0;
    if (result === SEND.done && this.#waits) result = SEND.waits;
    this.#waits = false;
    return result;
  }

  #copyRun(): void {
    const run = this.#run;
    const start = this.#runStart;
    const end = this.#runEnd;
    this.#run = NOTHING;
    this.#runStart = this.#runEnd = 0;
    this.#copy(run, start, end);
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const memory = this.#memory.bytes;
    if (this.#length + end - start > memory.length) {
      if (this.#length > 0) this.#send(memory, 0, this.#length);
      this.#length = 0;
      if (end - start > memory.length) return this.#send(bytes, start, end);
    }
    this.#length = copyBytes(bytes, start, end, memory, this.#length);
  }

  #send(bytes: Uint8Array, start: number, end: number): void {
    if (send(this.#to, bytes, start, end) === SEND.waits) this.#waits = true;
  }
}

/** Where batches are put together. One for each direction of a worker is enough. */
export class BatchMemory {
  readonly bytes: Uint8Array = new Uint8Array(BYTES_MAX);
}
