/**
 * TCP straight on the kernel: one epoll loop, one receive buffer, no object and no copy per message.
 *
 *   loop: epoll_wait -> for each ready socket: recv into the one buffer -> owner.received -> (send) …
 *
 * Bun's own event loop still runs timers, signals, file watches and everything else of the process. Its epoll
 * descriptor is one of those waited for here, so whatever it has to do wakes this loop too, which then
 * yields to it; and it yields at least every `YIELD_MS`.
 *
 * Events carry descriptor and generation: a descriptor that was closed and opened again within one batch is not
 * taken for its predecessor. Why not Bun's sockets: bench/proxy-cpu.ts and docs/decisions.
 */
import type { Pointer } from "bun:ffi";
import type { Address } from "../../config/index.ts";
import type { Accept, ConnectOwner, TcpListener, Transport } from "../transport.ts";
import { bunLoopDescriptors, Descriptors, familyOf, systemError, whenResolved } from "./descriptors.ts";
import { EpollSocket, type SocketTable } from "./epoll-socket.ts";
import { addressOf, EPOLL, EPOLL_CTL, ERRNO, errno, type Libc, SOCK, SOL, TCP_NODELAY } from "./libc.ts";
import { RoundEnd, runBesideBun, YIELD_MS } from "./loop.ts";
import { decodeHost, decodePort } from "./sockaddr.ts";

/** Events fetched by one call: more than a busy worker ever has at once costs nothing but 12 KiB. */
const EVENTS_MAX = 1024;

/** What one recv may bring. Large enough that a fast body is not cut into many calls, small enough for L2. */
const RECEIVE_BYTES = 256 * 1024;

/** Typed arrays of this size have memory of their own, which the garbage collector never moves. */
const STAYS_BYTES = 16 * 1024;

/** Connections taken from one listening socket per event, so that a flood of them does not starve the others. */
const ACCEPTS_MAX = 64;

const SOCKET_TYPE = SOCK.stream | SOCK.nonblock | SOCK.cloexec;

interface Listening {
  readonly fd: number;
  readonly accept: Accept;
}

/** `struct epoll_event` is packed on x86-64 and padded elsewhere. */
const EVENT_WORDS = process.arch === "x64" ? 3 : 4;
const DATA_WORD = EVENT_WORDS - 2;

/** The transport on epoll, and the loop that drives it. */
export class EpollTransport implements Transport, SocketTable {
  readonly name = "epoll";
  readonly calls: Libc;
  readonly descriptors: Descriptors;
  readonly receiveBuffer: Uint8Array = new Uint8Array(RECEIVE_BYTES);
  readonly receiveAddress: Pointer = addressOf(this.receiveBuffer);
  readonly #epoll: number;
  readonly #bunLoops: readonly number[];
  readonly #sockets: (EpollSocket | undefined)[] = [];
  readonly #listeners = new Map<number, Listening>();
  readonly #events = new Int32Array(EVENTS_MAX * EVENT_WORDS);
  readonly #eventsAddress: Pointer = addressOf(this.#events);
  readonly #event = new Int32Array(EVENT_WORDS);
  #lastBytes: Uint8Array | undefined;
  #lastAddress = 0;
  #generation = 0;
  readonly #roundEnd = new RoundEnd();
  #running = false;
  /** Whether the process ran out of descriptors; clients wait in the kernel's queue until one is free. */
  #starved = false;
  #yields = false;

  constructor(calls: Libc) {
    this.calls = calls;
    this.#bunLoops = bunLoopDescriptors();
    this.descriptors = new Descriptors(calls);
    this.#epoll = calls.epoll_create1(SOCK.cloexec);
    if (this.#epoll < 0) throw systemError(errno(calls), "epoll_create1");
    for (const loop of this.#bunLoops) this.control(EPOLL_CTL.add, loop, EPOLL.in, 0);
  }

  // --- listening and connecting -------------------------------------------------------------------------------

  listen(address: Address, accept: Accept): TcpListener {
    const fd = this.descriptors.listen(address, SOCK.nonblock);
    this.#listeners.set(fd, { fd, accept });
    this.control(EPOLL_CTL.add, fd, EPOLL.in, 0);
    return { port: this.descriptors.localPort(fd), stop: () => this.#stopListening(fd) };
  }

  connect(address: Address, owner: ConnectOwner): () => void {
    return whenResolved(address, owner, (encoded) => this.#connectTo(encoded, owner));
  }

  #connectTo(address: Uint8Array, owner: ConnectOwner): () => void {
    const fd = this.calls.socket(familyOf(address), SOCKET_TYPE, 0);
    if (fd < 0) {
      // No descriptor is left. Told later, as every other outcome is.
      queueMicrotask(() => owner.connectFailed("connect-exhausted"));
      return () => {};
    }
    this.descriptors.set(fd, SOL.tcp, TCP_NODELAY, 1);
    const result = this.calls.connect(fd, addressOf(address), address.length);
    const socket = this.#register(fd, decodeHost(address), decodePort(address));
    const failure = result < 0 ? errno(this.calls) : 0;
    socket.beginConnect(owner, failure === ERRNO.EINPROGRESS ? 0 : failure);
    return () => socket.giveUp();
  }

  /** Takes what already waits in the kernel's queue, then closes. */
  #stopListening(fd: number): void {
    const listening = this.#listeners.get(fd);
    if (listening === undefined) return;
    while (this.#acceptOne(listening));
    this.#listeners.delete(fd);
    this.calls.close(fd);
  }

  atRoundEnd(run: () => void): void {
    this.#roundEnd.push(run);
  }

  // --- the loop -----------------------------------------------------------------------------------------------

  start(): void {
    this.#running = true;
    void runBesideBun(
      () => this.#turn(),
      () => this.#running,
    ).then(() => this.calls.close(this.#epoll));
  }

  stop(): void {
    this.#running = false;
  }

  yieldSoon(): void {
    this.#yields = true;
  }

  /** One wait and its events. True when Bun's loop should have its turn: it has work, or nothing happened for a while. */
  #turn(): boolean {
    const events = this.#events;
    const count = this.calls.epoll_wait(this.#epoll, this.#eventsAddress, EVENTS_MAX, YIELD_MS);
    if (count <= 0) {
      this.#roundEnd.run();
      if (this.#starved) this.#acceptAgain();
      return true;
    }
    let bunHasWork = false;
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_WORDS;
      const fd = events[at + DATA_WORD] ?? -1;
      if (this.#bunLoops.includes(fd)) bunHasWork = true;
      else this.#dispatch(fd, events[at + DATA_WORD + 1] ?? 0, events[at] ?? 0);
    }
    this.#roundEnd.run();
    const yields = this.#yields || bunHasWork;
    this.#yields = false;
    return yields;
  }

  #dispatch(fd: number, generation: number, ready: number): void {
    const socket = this.#sockets[fd];
    if (socket !== undefined) {
      if (socket.generation === generation) this.#handle(socket, ready);
      return;
    }
    const listening = this.#listeners.get(fd);
    if (listening === undefined) return;
    for (let i = 0; i < ACCEPTS_MAX && this.#acceptOne(listening); i++);
  }

  /** What one connection's handler throws must not end the loop that serves them all. */
  #handle(socket: EpollSocket, ready: number): void {
    try {
      socket.handle(ready);
    } catch (error) {
      socket.crashed(error);
    }
  }

  /** False when nobody waits. */
  #acceptOne({ fd, accept }: Listening): boolean {
    const accepted = this.descriptors.accept(fd, SOCK.nonblock | SOCK.cloexec);
    if (accepted < 0) return this.#cannotAccept(fd);
    this.descriptors.set(accepted, SOL.tcp, TCP_NODELAY, 1);
    const socket = this.#register(accepted, this.descriptors.acceptedHost(), this.descriptors.lastPort());
    this.control(EPOLL_CTL.add, accepted, EPOLL.in, socket.generation);
    socket.setOwner(accept(socket));
    return true;
  }

  /** Nobody waits; or no descriptor is left for who does, and then the kernel would report them without end. */
  #cannotAccept(fd: number): false {
    const error = errno(this.calls);
    if (error !== ERRNO.EMFILE && error !== ERRNO.ENFILE) return false;
    this.control(EPOLL_CTL.mod, fd, 0, 0);
    this.#starved = true;
    return false;
  }

  /** Listens again on what had to be left alone, now that a descriptor may be free. */
  #acceptAgain(): void {
    this.#starved = false;
    for (const fd of this.#listeners.keys()) this.control(EPOLL_CTL.mod, fd, EPOLL.in, 0);
  }

  // --- what sockets use ---------------------------------------------------------------------------------------

  /** Nearly all writes come from one scratch buffer, so the last address is kept. Small arrays may move; large ones stay. */
  address(bytes: Uint8Array): number {
    if (bytes === this.#lastBytes) return this.#lastAddress;
    const address = addressOf(bytes);
    if (bytes.length >= STAYS_BYTES) {
      this.#lastBytes = bytes;
      this.#lastAddress = address;
    }
    return address;
  }

  control(operation: number, fd: number, events: number, generation: number): void {
    this.#event[0] = events;
    this.#event[DATA_WORD] = fd;
    this.#event[DATA_WORD + 1] = generation;
    this.calls.epoll_ctl(this.#epoll, operation, fd, addressOf(this.#event));
  }

  forget(fd: number): void {
    this.#sockets[fd] = undefined;
    this.calls.close(fd);
    if (this.#starved) this.#acceptAgain();
  }

  #register(fd: number, remoteAddress: string, remotePort: number): EpollSocket {
    this.#generation = (this.#generation + 1) | 0;
    const socket = new EpollSocket(this, { fd, generation: this.#generation, remoteAddress, remotePort });
    this.#sockets[fd] = socket;
    return socket;
  }
}
