/**
 * An io_uring: requests go into a ring shared with the kernel, outcomes come back in another, and one system call
 * hands over any number of the former and waits for the latter (io_uring(7), liburing's include/liburing/io_uring.h).
 *
 * Set up so that the kernel works only while we are in that call (SINGLE_ISSUER, DEFER_TASKRUN; Linux 6.1): nothing
 * changes behind JavaScript's back between two calls, and plain loads and stores on the rings are enough.
 */
import { type Pointer, toArrayBuffer } from "bun:ffi";
import { addressOf, ERRNO, errno, type Libc, MSG, SOCK } from "./libc.ts";

/** Requests that can wait for the next call; a full ring is handed over at once. */
const ENTRIES = 4096;

/**
 * Requests that a send finds waiting before they are handed over without delay: whoever is answered first in a large
 * round should not wait for its end, and the other core should have something to do meanwhile.
 */
const SUBMIT_EVERY = 64;

/** Outcomes that can wait to be read: more than one call can bring, since each multishot counts for many. */
const OUTCOMES = 16_384;

const SYSCALL = { setup: 425, enter: 426, register: 427 } as const;
const SETUP = { cqSize: 1 << 3, coopTaskrun: 1 << 8, singleIssuer: 1 << 12, deferTaskrun: 1 << 13 } as const;
const ENTER = { getEvents: 1, extendedArgument: 1 << 3 } as const;
const REGISTER_BUFFER_RING = 22;
/** Offsets at which the three parts are mapped. */
const MAP_AT = { rings: 0, requests: 0x1000_0000 } as const;
/** PROT_READ | PROT_WRITE; MAP_SHARED | MAP_POPULATE; MAP_PRIVATE | MAP_ANONYMOUS. */
const MAP = { readWrite: 3, shared: 0x8001, anonymous: 0x22 } as const;

/** Words (32 bit) of a request and of an outcome. */
const REQUEST_WORDS = 16;
const OUTCOME_WORDS = 4;

/** Words of `struct io_uring_params`: where the parts of both rings lie. */
const PARAMS = { words: 30, cqEntries: 1, flags: 2, features: 5, sq: 10, cq: 20 } as const;
/** IORING_FEAT_MIN_TIMEOUT, Linux 6.12: a wait may be for several outcomes for some time, and for one after that. */
const FEATURE_MIN_WAIT = 1 << 15;
const SQ = { tail: 1, mask: 2, array: 6 } as const;
const CQ = { head: 0, tail: 1, mask: 2, cqes: 5 } as const;

/** What can be asked for, with the flags it is always asked with in the upper bits of the first word. */
const OP: Readonly<
  Record<"nop" | "pollAdd" | "accept" | "asyncCancel" | "connect" | "send" | "recv", number>
> = {
  nop: 0,
  pollAdd: 6,
  /** IORING_ACCEPT_MULTISHOT */
  accept: 13 | (1 << 16),
  asyncCancel: 14,
  connect: 16,
  send: 26,
  /** IOSQE_BUFFER_SELECT, IORING_RECV_MULTISHOT */
  recv: 27 | (1 << 13) | (1 << 17),
};

/** Flags of an outcome: it names a buffer; more outcomes of the same request will follow. */
export const OUTCOME: Readonly<Record<"buffer" | "more", number>> = { buffer: 1, more: 2 };
/** An outcome's buffer is in the upper half of its flags. */
export const BUFFER_SHIFT = 16;

const SEND_FLAGS = MSG.noSignal | MSG.dontWait;

/** mmap(2) answers -1, which as a pointer is the largest of all. */
function isMapped(memory: Pointer | null): memory is Pointer {
  return memory !== null && memory > 0 && memory < Number.MAX_SAFE_INTEGER;
}

/** One ring of this process. */
export class Ring {
  /** The outcome read last by `next`. */
  tag = 0;
  result = 0;
  flags = 0;
  readonly #calls: Libc;
  readonly #fd: number;
  readonly #rings: Int32Array;
  readonly #requests: Int32Array;
  readonly #sqTail: number;
  readonly #sqMask: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqMask: number;
  readonly #cqes: number;
  /** `struct io_uring_getevents_arg` with its timespec behind it. */
  readonly #wait = new BigInt64Array(5);
  /** Its `min_wait_usec`, a word of 32 bits: a plain number is written faster than a big one. */
  readonly #minWait = new Int32Array(this.#wait.buffer, 12, 1);
  readonly #waitAddress: number = addressOf(this.#wait);
  /** Whether it can wait for several outcomes at once. */
  readonly gathers: boolean;
  #tail: number;
  #submitted: number;
  #head: number;

  /** An open ring whose `wait` takes at most `waitMs`; undefined where the kernel has none like this: too old, or forbidden. */
  static open(calls: Libc, waitMs: number): Ring | undefined {
    const params = new Uint32Array(PARAMS.words);
    params[PARAMS.cqEntries] = OUTCOMES;
    params[PARAMS.flags] = SETUP.cqSize | SETUP.coopTaskrun | SETUP.singleIssuer | SETUP.deferTaskrun;
    const fd = calls.syscall(SYSCALL.setup, ENTRIES, addressOf(params), 0, 0, 0, 0);
    if (fd < 0) return undefined;
    try {
      return new Ring(calls, fd, params, waitMs);
    } catch {
      calls.close(fd);
      return undefined;
    }
  }

  private constructor(calls: Libc, fd: number, params: Uint32Array, waitMs: number) {
    const at = (word: number): number => params[word] ?? 0;
    const ringBytes = Math.max(
      at(PARAMS.sq + SQ.array) + ENTRIES * 4,
      at(PARAMS.cq + CQ.cqes) + OUTCOMES * 16,
    );
    this.#calls = calls;
    this.#fd = fd;
    this.gathers = (at(PARAMS.features) & FEATURE_MIN_WAIT) !== 0;
    this.#wait[2] = BigInt(this.#waitAddress + 24);
    this.#wait[4] = BigInt(waitMs * 1_000_000);
    this.#rings = this.#map(ringBytes, MAP_AT.rings);
    this.#requests = this.#map(ENTRIES * REQUEST_WORDS * 4, MAP_AT.requests);
    this.#sqTail = at(PARAMS.sq + SQ.tail) >> 2;
    this.#sqMask = this.#word(at(PARAMS.sq + SQ.mask) >> 2);
    this.#cqHead = at(PARAMS.cq + CQ.head) >> 2;
    this.#cqTail = at(PARAMS.cq + CQ.tail) >> 2;
    this.#cqMask = this.#word(at(PARAMS.cq + CQ.mask) >> 2);
    this.#cqes = at(PARAMS.cq + CQ.cqes) >> 2;
    const array = at(PARAMS.sq + SQ.array) >> 2;
    for (let i = 0; i < ENTRIES; i++) this.#rings[array + i] = i;
    this.#tail = this.#word(this.#sqTail);
    this.#submitted = this.#tail;
    this.#head = this.#word(this.#cqHead);
  }

  // Each request names a `tag` below 2^31, which comes back with its outcomes.

  /** Sends without waiting for room. Returns the request's position, for `amend`. */
  send(fd: number, address: number, length: number, tag: number): number {
    if (((this.#tail - this.#submitted) | 0) >= SUBMIT_EVERY) this.submit();
    const at = this.#begin(OP.send, fd, tag);
    this.#setAddress(at + 4, address);
    this.#requests[at + 6] = length;
    this.#requests[at + 7] = SEND_FLAGS;
    return (this.#tail - 1) | 0;
  }

  /** Receives into buffers of `group`, an outcome for each arrival, until it is over. */
  receive(fd: number, group: number, tag: number): void {
    const at = this.#begin(OP.recv, fd, tag);
    this.#requests[at + 10] = group;
  }

  /** Accepts, an outcome for each connection, until it is over. */
  accept(fd: number, tag: number): void {
    const at = this.#begin(OP.accept, fd, tag);
    this.#requests[at + 7] = SOCK.cloexec;
  }

  /** Connects; `address` must stay in memory until the outcome. */
  connect(fd: number, address: Uint8Array, tag: number): void {
    const at = this.#begin(OP.connect, fd, tag);
    this.#requests[at + 2] = address.length;
    this.#setAddress(at + 4, addressOf(address));
  }

  /** One outcome when any of `events` (poll(2)) is there. */
  poll(fd: number, events: number, tag: number): void {
    const at = this.#begin(OP.pollAdd, fd, tag);
    this.#requests[at + 7] = events;
  }

  /** Ends the request with tag `wanted`, whose last outcome then says ECANCELED. */
  cancel(wanted: number, tag: number): void {
    const at = this.#begin(OP.asyncCancel, -1, tag);
    this.#requests[at + 4] = wanted;
  }

  /** An empty request at the ring's end. Returns its first word. */
  #begin(operation: number, fd: number, tag: number): number {
    if (((this.#tail - this.#submitted) | 0) >= ENTRIES) this.submit();
    const words = this.#requests;
    const at = (this.#tail & this.#sqMask) * REQUEST_WORDS;
    for (let i = at + 2; i < at + REQUEST_WORDS; i++) words[i] = 0;
    words[at] = operation;
    words[at + 1] = fd;
    words[at + 8] = tag;
    this.#tail = (this.#tail + 1) | 0;
    return at;
  }

  #setAddress(at: number, address: number): void {
    this.#requests[at] = address | 0;
    this.#requests[at + 1] = (address / 0x1_0000_0000) | 0;
  }

  /** Sets another length on a request that the kernel has not seen yet; false when it has. */
  amend(position: number, length: number): boolean {
    if (((position - this.#submitted) | 0) < 0) return false;
    this.#requests[(position & this.#sqMask) * REQUEST_WORDS + 6] = length;
    return true;
  }

  /**
   * Makes nothing of the requests on `fd` that the kernel has not seen yet: it would look the number up when it does, and
   * find another file there. Their outcomes come all the same. Call it before `fd` is closed. O(requests that wait).
   */
  retract(fd: number): void {
    const words = this.#requests;
    for (let position = this.#submitted; position !== this.#tail; position = (position + 1) | 0) {
      const at = (position & this.#sqMask) * REQUEST_WORDS;
      if (words[at + 1] !== fd) continue;
      words[at] = OP.nop;
      for (let i = at + 1; i < at + 8; i++) words[i] = 0;
      words[at + 10] = 0;
    }
  }

  /** Hands over what is in the ring; what can be done at once is done, its outcomes are there afterwards. */
  submit(): void {
    this.#enter(0, ENTER.getEvents, 0, 0);
  }

  /**
   * Hands over, and waits until there is an outcome or the time is over. With `arrivals` above 1 it waits for so many, but
   * no longer than `withinUs` if there is one by then. What is handed over now has outcomes too, and does not count.
   */
  wait(arrivals = 1, withinUs = 0): void {
    if (this.#word(this.#cqTail) !== this.#head) return this.submit();
    const gathers = arrivals > 1 && withinUs > 0 && this.gathers;
    this.#minWait[0] = gathers ? withinUs : 0;
    const outcomes = gathers ? arrivals + ((this.#tail - this.#submitted) | 0) : 1;
    this.#enter(outcomes, ENTER.getEvents | ENTER.extendedArgument, this.#waitAddress, 24);
  }

  #enter(outcomes: number, flags: number, argument: number, argumentBytes: number): void {
    Atomics.store(this.#rings, this.#sqTail, this.#tail);
    const requests = (this.#tail - this.#submitted) | 0;
    const calls = this.#calls;
    const taken = calls.syscall(SYSCALL.enter, this.#fd, requests, outcomes, flags, argument, argumentBytes);
    if (taken >= 0) this.#submitted = (this.#submitted + taken) | 0;
    else this.#onEnterFailed(requests);
  }

  /** Time is over (ETIME) or a signal came (EINTR): both after everything was handed over. EBUSY, EAGAIN: next time. */
  #onEnterFailed(requests: number): void {
    const error = errno(this.#calls);
    if (error === ERRNO.ETIME || error === ERRNO.EINTR) return;
    if (error === ERRNO.EBUSY || error === ERRNO.EAGAIN || requests === 0) return;
    throw new Error(`io_uring_enter failed with errno ${error}`);
  }

  /** Reads the next outcome into `tag`, `result` and `flags`; false when there is none. */
  next(): boolean {
    if (this.#head === Atomics.load(this.#rings, this.#cqTail)) return false;
    const at = this.#cqes + (this.#head & this.#cqMask) * OUTCOME_WORDS;
    this.tag = this.#word(at);
    this.result = this.#word(at + 2);
    this.flags = this.#word(at + 3);
    this.#head = (this.#head + 1) | 0;
    return true;
  }

  /** Gives the places of the outcomes read so far back to the kernel. */
  release(): void {
    Atomics.store(this.#rings, this.#cqHead, this.#head);
  }

  /** The result of an outcome that is there but not read yet, taken out of its turn; undefined when it is not there. */
  take(tag: number): number | undefined {
    const tail = Atomics.load(this.#rings, this.#cqTail);
    for (let position = this.#head; position !== tail; position = (position + 1) | 0) {
      const at = this.#cqes + (position & this.#cqMask) * OUTCOME_WORDS;
      if (this.#rings[at] !== tag) continue;
      this.#rings[at] = 0;
      return this.#word(at + 2);
    }
    return undefined;
  }

  /** Registers a ring of `count` buffers (a power of two) as group `group`; returns its memory. */
  registerBuffers(count: number, group: number): Int32Array | undefined {
    const memory = this.#calls.mmap(null, count * 16, MAP.readWrite, MAP.anonymous, -1, 0);
    if (!isMapped(memory)) return undefined;
    const registration = new BigInt64Array(5);
    registration[0] = BigInt(memory);
    registration[1] = BigInt(count) | (BigInt(group) << 32n);
    const result = this.#calls.syscall(
      SYSCALL.register,
      this.#fd,
      REGISTER_BUFFER_RING,
      addressOf(registration),
      1,
      0,
      0,
    );
    return result < 0 ? undefined : new Int32Array(toArrayBuffer(memory, 0, count * 16));
  }

  close(): void {
    this.#calls.close(this.#fd);
  }

  #map(bytes: number, offset: number): Int32Array {
    const memory: Pointer | null = this.#calls.mmap(null, bytes, MAP.readWrite, MAP.shared, this.#fd, offset);
    if (!isMapped(memory)) throw new Error("io_uring: its rings cannot be mapped");
    return new Int32Array(toArrayBuffer(memory, 0, bytes - (bytes % 4)));
  }

  #word(at: number): number {
    return this.#rings[at] ?? 0;
  }
}
