/**
 * What a client sends, on its way to its server connection: passed on at once, or kept while it has to wait.
 *
 * What waits is one message that needs a server connection, and what followed it in the same arrival; then nothing more is
 * read. Kept bytes go on in order when `readOn` is called.
 */
import { FRONTEND_FRAMES, FrameScanner } from "../../../pgwire/index.ts";
import { MESSAGE_BYTES_PER_SECOND } from "../../router/pool-settings.ts";
import type { ClientConnection } from "./client-connection.ts";
import { type Frame, forward, passRequest } from "./requests.ts";

export class ClientInput {
  readonly #client: ClientConnection;
  readonly #scanner = new FrameScanner(FRONTEND_FRAMES);
  /** A message that needs a server connection. */
  #pending: Frame | undefined;
  /** What arrived behind it, or while answers could not be sent. */
  #kept: Uint8Array[] = [];
  #processing = false;
  #paused = false;
  /** The server connection is not needed any more, but has the beginning of a message. */
  #isDetachDue = false;
  /** The message under way when it was last asked about: where in the stream it ends (0: none was), and since when it was under way there. */
  #slow = { end: 0, sinceMs: 0, from: 0 };

  constructor(client: ClientConnection) {
    this.#client = client;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0 && this.#pending === undefined;
  }
  /** True between two messages. */
  get isBetween(): boolean {
    return this.#scanner.isBetween;
  }
  /** The server connection has the beginning of a message, and not its end. */
  get isWithin(): boolean {
    return this.#scanner.passing > 0;
  }

  /** Answers put together now go out with the rest; else whoever makes one sends it. */
  get isProcessing(): boolean {
    return this.#processing;
  }

  /** Whether the server connection has no half message; one that has is given back when that is whole. */
  mayDetach(): boolean {
    this.#isDetachDue = this.isWithin;
    return !this.#isDetachDue;
  }

  /**
   * Whether the message that a server has the beginning of has been under way for longer than it may: `timeoutMs`, and a second for each
   * `MESSAGE_BYTES_PER_SECOND` that have come meanwhile. Asked again and again. `isTaken`: the server takes what comes.
   */
  isOverdue(nowMs: number, timeoutMs: number, isTaken: boolean): boolean {
    const { receivedBytes } = this.#client.record;
    const { passing } = this.#scanner;
    const end = passing > 0 && isTaken && this.isEmpty ? receivedBytes + passing : 0;
    if (end !== this.#slow.end) this.#slow = { end, sinceMs: nowMs, from: receivedBytes };
    const { sinceMs, from } = this.#slow;
    const allowedMs = timeoutMs + ((receivedBytes - from) * 1000) / MESSAGE_BYTES_PER_SECOND;
    return end > 0 && nowMs - sinceMs >= allowedMs;
  }

  /** `bytes[start, end)` arrived, borrowed. */
  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.#processing || this.#client.isHeld || this.#kept.length > 0)
      return this.#keep(bytes, start, end);
    const { clock } = this.#client.context;
    clock.stand();
    try {
      this.#process(bytes, start, end);
    } finally {
      clock.run();
    }
  }

  /** The message has to wait; it will be passed again. */
  wait({ type, bytes, start, end, rest }: Frame): void {
    this.#pending = { type, bytes: bytes.slice(start, end), start: 0, end: end - start, rest };
  }

  /** The message that waits is not to be passed any more; its type, undefined when there is none. */
  takePending(): number | undefined {
    const type = this.#pending?.type;
    this.#pending = undefined;
    return type;
  }

  /** Forgets all. */
  clear(): void {
    this.#pending = undefined;
    this.#kept = [];
  }

  /** One of the calls threw. */
  crashed(): void {
    this.#processing = false;
  }

  /** A client that has sent nothing more yet is still read: most send nothing until they have their answer. */
  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (end === start) return;
    this.#kept.push(bytes.slice(start, end));
    this.pause();
  }

  #process(bytes: Uint8Array, start: number, end: number): void {
    const client = this.#client;
    const scanner = this.#scanner;
    this.#processing = true;
    scanner.push(bytes, start, end);
    for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
      if (outcome === "frame") passRequest(client, scanner, scanner.bytes === bytes);
      // Without a server connection it is what remains of a COPY that has failed.
      else if (outcome === "pass" && client.server !== undefined) {
        if (client.recovery?.writes.takeRest(scanner.bytes, scanner.start, scanner.end) !== true)
          forward(client.server, scanner, scanner.bytes === bytes);
      } else if (outcome === "pass") client.reads?.takeRest(scanner.bytes, scanner.start, scanner.end);
      else if (outcome === "mistake") client.failWith("protocol-violation", scanner.mistake);
      if (client.isClosed) break;
      if (this.#pending !== undefined) {
        // The scanner goes on behind it.
        this.#keep(bytes, scanner.at, end);
        break;
      }
      if (client.reads?.isBusy === true || client.recovery?.writes.isBusy === true) {
        if (scanner.at < end) this.#keep(bytes, scanner.at, end);
        break;
      }
    }
    this.#processing = false;
    this.#sendOn();
  }

  /** Sends what was put together, in both directions. */
  #sendOn(): void {
    const { server, batch, isClosed } = this.#client;
    if (server !== undefined && !server.batch.isEmpty && !server.flush()) this.pause();
    if (!batch.isEmpty && !isClosed) batch.flush();
    if (this.#isDetachDue && server?.isIdle === true && !server.isInBatch) this.#client.detach();
  }

  /** Goes on with what had to wait; true when there is nothing left and more is read. */
  readOn(): boolean {
    const client = this.#client;
    if (this.#processing || client.isClosed) return false;
    this.#feed();
    const pending = this.#pending;
    if (pending !== undefined && !client.isHeld) {
      this.#pending = undefined;
      this.#processing = true;
      passRequest(client, pending, true);
      this.#processing = false;
      this.#sendOn();
    }
    while (this.#kept.length > 0 && !client.isHeld && !client.isClosed) this.#processKept();
    if (!this.isEmpty || client.isHeld || client.isClosed) return false;
    this.#resume();
    return true;
  }

  /** A batch that waited for its server connection goes out. */
  #feed(): void {
    const { reads, recovery } = this.#client;
    if (recovery?.writes.rescue.isDue === true) {
      this.#processing = true;
      recovery.writes.rescue.goOn();
      this.#processing = false;
      this.#sendOn();
    }
    if (reads === undefined) return;
    reads.goOn();
    const { server, isSettling } = this.#client;
    if (!reads.isDue || server === undefined || isSettling) return;
    this.#processing = true;
    reads.feed(server);
    this.#processing = false;
    this.#sendOn();
  }

  /** What is left of the first piece goes to the front again. */
  #processKept(): void {
    const [first, ...later] = this.#kept;
    this.#kept = [];
    if (first !== undefined) this.#process(first, 0, first.length);
    this.#kept.push(...later);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#client.socket.pause();
  }
  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#client.socket.resume();
  }
}
