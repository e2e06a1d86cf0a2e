/**
 * One client's connection: requests in, replies out, in order.
 *
 * All requests of one arrival are run one after the other, and their replies leave in one write. What the kernel does not take
 * waits here, up to a bound; a client that does not read is not read from.
 */
import { RequestReader, STRANGER_LIMITS } from "../../resp/index.ts";
import type { Session, Sink } from "../session.ts";
import type { Store } from "../store.ts";
import type { StoreSocket, StoreSocketOwner } from "./transport.ts";

/** Replies are handed on when they are this many, so that a long pipeline does not pile them up. */
const EMIT_BYTES = 256 * 1024;

/** A client that leaves this much unread is not read from until it has taken it. */
const PAUSE_BYTES = 1024 * 1024;

/** What the server does for its clients. */
export interface ClientHost {
  readonly store: Store;
  /** Whether replies must wait until the log is written. */
  readonly holdsReplies: boolean;
  /** Calls `release` of this client when the log is written. */
  hold(client: ClientSocket): void;
  /** Runs the requests of this client as soon as no other's are being run. */
  wake(client: ClientSocket): void;
  begin(client: ClientSocket): void;
  end(): void;
  gone(client: ClientSocket): void;
  crashed(error: unknown): void;
}

export class ClientSocket implements StoreSocketOwner, Sink {
  readonly session: Session;
  readonly #host: ClientHost;
  readonly #socket: StoreSocket;
  readonly #reader: RequestReader;
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #isHeld = false;
  #paused = false;
  #closed = false;
  /** Whether requests are being run: what is sent to this client meanwhile belongs behind their replies. */
  #busy = false;

  constructor(host: ClientHost, socket: StoreSocket) {
    this.#host = host;
    this.#socket = socket;
    this.session = host.store.connect(this, endpoint(socket));
    this.#reader = new RequestReader(STRANGER_LIMITS);
    this.#applyLimits();
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Memory of requests that are under way and replies that were not taken. */
  get heldBytes(): number {
    return this.#unsentBytes + this.#reader.heldBytes;
  }

  #applyLimits(): void {
    if (this.session.user === undefined) return;
    const { argumentBytesMax, requestBytesMax } = this.#host.store.settings;
    const { limits } = this.#reader;
    if (limits.argumentBytesMax === argumentBytesMax && limits.requestBytesMax === requestBytesMax) return;
    this.#reader.limits = { argumentsMax: 1024 * 1024, argumentBytesMax, requestBytesMax };
  }

  // --- in -----------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.#closed || this.session.closing) return;
    this.#reader.push(bytes, start, end);
    this.work();
  }

  /** Runs the requests that are there. The replies' buffer must be nobody else's. */
  work(): void {
    if (this.#busy || this.#closed) return;
    const { store } = this.#host;
    const { session } = this;
    const { out } = store.parts;
    this.#busy = true;
    this.#host.begin(this);
    store.tick();
    try {
      while (
        session.waiting === undefined &&
        !session.closing &&
        this.#unsentBytes < PAUSE_BYTES &&
        !this.#closed
      ) {
        const outcome = this.#reader.next();
        if (outcome === "more") break;
        if (outcome === "mistake") {
          out.error(`ERR ${this.#reader.mistake}`);
          session.closing = true;
        } else {
          store.execute(session, this.#reader);
          if (session.user !== undefined && this.#reader.limits === STRANGER_LIMITS) this.#applyLimits();
        }
        if (out.length >= EMIT_BYTES) this.#emit();
      }
    } finally {
      store.tracking.settle();
      this.#busy = false;
      this.#reader.hold();
      this.#emit();
    }
    this.#adjust();
    if (session.closing) this.close();
    this.#host.end();
  }

  /** Reads on or does not, as the client takes its replies. */
  #adjust(): void {
    const isFull = this.#unsentBytes >= PAUSE_BYTES;
    if (isFull === this.#paused || this.#closed) return;
    this.#paused = isFull;
    if (isFull) this.#socket.pause();
    else this.#socket.resume();
  }

  /** A command that waited has had its reply: what came behind it is run. */
  resume(): void {
    if (!this.#closed && this.#reader.waiting > 0) this.#host.wake(this);
  }

  // --- out ----------------------------------------------------------------------------------------------------

  /** Hands the replies that were written on. */
  #emit(): void {
    const { out } = this.#host.store.parts;
    if (out.length > 0) this.#give(out.bytes, out.length);
    out.clear();
  }

  send(bytes: Uint8Array, length: number): void {
    if (this.#busy) this.#emitBefore();
    this.#give(bytes, length);
  }

  /** What a client is sent while its own requests are run comes behind the replies written so far. */
  #emitBefore(): void {
    const { out } = this.#host.store.parts;
    if (out.length === 0) return;
    this.#give(out.bytes, out.length);
    out.length = 0;
  }

  #give(bytes: Uint8Array, length: number): void {
    if (this.#closed) return;
    let taken = 0;
    if (this.#host.holdsReplies || this.#unsentBytes > 0) this.#holdWhereNeeded();
    else taken = this.#socket.write(bytes, 0, length);
    if (taken < 0) return;
    if (taken === length) return;
    this.#unsent.push(bytes.slice(taken, length));
    this.#unsentBytes += length - taken;
    const { outputBytesMax, pubsubOutputBytesMax } = this.#host.store.settings;
    const max =
      this.session.subscriptions > 0 || this.session.isMonitor ? pubsubOutputBytesMax : outputBytesMax;
    if (max > 0 && this.#unsentBytes > max) this.cut();
  }

  #holdWhereNeeded(): void {
    if (!this.#host.holdsReplies || this.#isHeld) return;
    this.#isHeld = true;
    this.#host.hold(this);
  }

  /** The log is written: replies may go out. */
  release(): void {
    this.#isHeld = false;
    this.drained();
  }

  drained(): void {
    while (this.#unsent.length > 0 && !this.#closed && !this.#isHeld) {
      const bytes = this.#unsent[0] ?? new Uint8Array(0);
      const taken = this.#socket.write(bytes, 0, bytes.length);
      if (taken < 0) return;
      this.#unsentBytes -= taken;
      if (taken < bytes.length) {
        this.#unsent[0] = bytes.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#closed) return;
    if (this.session.closing) return this.close();
    this.#adjust();
    if (this.#reader.waiting > 0) this.work();
  }

  // --- the end ------------------------------------------------------------------------------------------------

  /** Closes when what was written is out. */
  close(): void {
    if (this.#busy || this.#unsentBytes > 0) {
      this.session.closing = true;
      return;
    }
    if (!this.#closed) this.#socket.end();
  }

  /** Closes at once: what was not sent is lost. */
  cut(): void {
    if (!this.#closed) this.#socket.terminate();
  }

  ended(): void {
    this.session.closing = true;
    this.close();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#host.store.disconnect(this.session);
    this.#host.gone(this);
  }

  crashed(error: unknown): void {
    this.#host.crashed(error);
    this.cut();
  }
}

/** "127.0.0.1:52000", "[::1]:52000": what CLIENT LIST shows, and CLIENT KILL takes. */
function endpoint({ remoteAddress, remotePort }: StoreSocket): string {
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
