/**
 * TCP over io_uring: one system call per round for all sockets together, instead of two or three per message.
 *
 *   round: io_uring_enter(what the last round asked for) -> outcomes: received, sent, accepted … -> owners -> requests
 *
 * Received bytes lie in buffers that the kernel picks from a ring of ours; they are lent to the owner and given back
 * when it returns. Bun's event loop runs beside, as with epoll. Why: bench/proxy-cpu.ts and docs/decisions.
 */
import { systemClock, systemScheduler } from "../../base/index.ts";
import type { Address } from "../../config/index.ts";
import type { Accept, ConnectOwner, TcpListener, Transport } from "../transport.ts";
import { bunLoopDescriptors, Descriptors, familyOf, whenResolved } from "./descriptors.ts";
import { Gathering } from "./gathering.ts";
import {
  addressOf,
  EPOLL,
  ERRNO,
  F_SETFL,
  type Libc,
  O_NONBLOCK,
  SHUT_RDWR,
  SOCK,
  SOL,
  TCP_NODELAY,
} from "./libc.ts";
import { RoundEnd, runBesideBun, YIELD_MS } from "./loop.ts";
import { BUFFER_SHIFT, OUTCOME, Ring } from "./ring.ts";
import { decodeHost, decodePort } from "./sockaddr.ts";
import { UringSocket } from "./uring-socket.ts";
import { PLACE_MASK, TAG, type UringTable } from "./uring-table.ts";

/** What one arrival may bring; a large body is cut into pieces of this size. */
const BUFFER_BYTES = 16 * 1024;

/** Arrivals that one round can take, a power of two. More wait in the kernel for the next round. */
const BUFFERS = 512;

/** The only group of buffers. */
const BUFFER_GROUP = 1;

/** A usual head, or a small answer. Larger ones are sent at once. */
const SLOT_BYTES = 4096;

/** Small sends under way at once; beyond, each is sent at once. 16 MiB, of which only what is used takes memory. */
const SLOTS = 4096;

/** Outcomes dealt with before their places are given back. */
const RELEASE_EVERY = 256;

/**
 * How long a closed socket may wait for its peer to read the few bytes that the kernel had no room for: as long as the
 * gateway waits, unless told otherwise, for a client that does not read.
 */
const FLUSH_MS = 60_000;

interface Listening {
  readonly fd: number;
  readonly accept: Accept;
  stopped: boolean;
}

/** The transport on io_uring. */
export class UringTransport implements Transport, UringTable {
  readonly name = "io_uring";
  readonly calls: Libc;
  readonly descriptors: Descriptors;
  readonly ring: Ring;
  /** A plain array: what is sliced off a Buffer would still share its memory. */
  readonly buffers: Uint8Array = new Uint8Array(BUFFERS * BUFFER_BYTES);
  readonly slots: Uint8Array = new Uint8Array(SLOTS * SLOT_BYTES);
  readonly slotBytes: number = SLOT_BYTES;
  readonly #bufferRing: Int32Array;
  readonly #bufferTail: Uint16Array;
  readonly #buffersAddress: number = addressOf(this.buffers);
  readonly #slotsAddress: number = addressOf(this.slots);
  readonly #freeSlots: number[] = Array.from({ length: SLOTS }, (_, i) => SLOTS - 1 - i);
  readonly #sockets: (UringSocket | undefined)[] = [undefined];
  readonly #freePlaces: number[] = [];
  /** By a number of their own: a descriptor's may be another listener's before the last outcome has come. */
  readonly #listeners = new Map<number, Listening>();
  #lastListener = 0;
  readonly #connecting = new Map<number, Uint8Array>();
  readonly #bunLoops: number[];
  readonly #bunToWatch: number[];
  #afterRound: UringSocket[] = [];
  readonly #roundEnd = new RoundEnd();
  readonly #gathering = new Gathering(() => systemClock.nowMs());
  readonly #flushMs: number;
  #nextBuffer = 0;
  #running = false;
  #starved = false;
  #yields = false;

  /** The transport, or undefined where the kernel has no such ring. */
  static open(calls: Libc, flushMs: number = FLUSH_MS): UringTransport | undefined {
    const ring = Ring.open(calls, YIELD_MS);
    const bufferRing = ring?.registerBuffers(BUFFERS, BUFFER_GROUP);
    if (ring === undefined || bufferRing === undefined) {
      ring?.close();
      return undefined;
    }
    return new UringTransport(calls, ring, bufferRing, flushMs);
  }

  private constructor(calls: Libc, ring: Ring, bufferRing: Int32Array, flushMs: number) {
    this.calls = calls;
    this.#flushMs = flushMs;
    this.ring = ring;
    this.descriptors = new Descriptors(calls);
    this.#bufferRing = bufferRing;
    this.#bufferTail = new Uint16Array(bufferRing.buffer);
    this.#bunLoops = bunLoopDescriptors();
    this.#bunToWatch = [...this.#bunLoops.keys()];
    for (let buffer = 0; buffer < BUFFERS; buffer++) this.#giveBuffer(buffer);
  }

  // --- listening and connecting -------------------------------------------------------------------------------

  listen(address: Address, accept: Accept): TcpListener {
    const fd = this.descriptors.listen(address, 0);
    // Accepted sockets inherit it.
    this.descriptors.set(fd, SOL.tcp, TCP_NODELAY, 1);
    const place = ++this.#lastListener & PLACE_MASK;
    this.#listeners.set(place, { fd, accept, stopped: false });
    this.ring.accept(fd, TAG.accept | place);
    return { port: this.descriptors.localPort(fd), stop: () => this.#stopListening(place) };
  }

  /** Takes what already waits in the kernel's queue, then closes. What the ring has accepted comes a little later. */
  #stopListening(place: number): void {
    const listening = this.#listeners.get(place);
    if (listening === undefined || listening.stopped) return;
    const { fd } = listening;
    listening.stopped = true;
    this.ring.cancel(TAG.accept | place, TAG.cancelled);
    this.ring.submit();
    this.calls.fcntl(fd, F_SETFL, O_NONBLOCK);
    for (let taken = this.#acceptWaiting(fd); taken >= 0; taken = this.#acceptWaiting(fd))
      this.#accepted(listening, taken);
    // The ring may hold the descriptor a moment longer; from here on nobody can connect.
    this.calls.shutdown(fd, SHUT_RDWR);
    this.calls.close(fd);
  }

  #acceptWaiting(fd: number): number {
    return this.descriptors.accept(fd, SOCK.cloexec);
  }

  connect(address: Address, owner: ConnectOwner): () => void {
    return whenResolved(address, owner, (encoded) => this.#connectTo(encoded, owner));
  }

  #connectTo(address: Uint8Array, owner: ConnectOwner): () => void {
    const fd = this.calls.socket(familyOf(address), SOCK.stream | SOCK.cloexec, 0);
    if (fd < 0) {
      // No descriptor is left. Told later, as every other outcome is.
      queueMicrotask(() => owner.connectFailed("connect-exhausted"));
      return () => {};
    }
    this.descriptors.set(fd, SOL.tcp, TCP_NODELAY, 1);
    const socket = this.#register(fd, decodeHost(address), decodePort(address));
    socket.beginConnect(owner, address);
    return () => socket.giveUp();
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
    ).then(() => this.ring.close());
  }

  stop(): void {
    this.#running = false;
  }

  yieldSoon(): void {
    this.#yields = true;
  }

  #turn(): boolean {
    if (this.#bunToWatch.length > 0) this.#watchBun();
    this.ring.wait(this.#gathering.wanted, this.#gathering.withinUs);
    this.#gathering.begin();
    let outcomes = 0;
    let bunHasWork = false;
    while (this.ring.next()) {
      const { tag, result, flags } = this.ring;
      if (++outcomes % RELEASE_EVERY === 0) this.ring.release();
      if ((tag & ~PLACE_MASK) === TAG.receive) this.#gathering.arrived(tag & PLACE_MASK);
      if ((tag & ~PLACE_MASK) === TAG.bun) {
        bunHasWork = true;
        this.#bunToWatch.push(tag & PLACE_MASK);
      } else {
        this.#dispatch(tag, result, flags);
      }
    }
    this.ring.release();
    this.#endRound();
    this.#roundEnd.run();
    this.#gathering.round();
    if (outcomes === 0 && this.#starved) this.#acceptAgain();
    const yields = this.#yields || bunHasWork || outcomes === 0;
    this.#yields = false;
    return yields;
  }

  #watchBun(): void {
    for (const loop of this.#bunToWatch.splice(0))
      this.ring.poll(this.#bunLoops[loop] ?? -1, EPOLL.in, TAG.bun | loop);
  }

  #dispatch(tag: number, result: number, flags: number): void {
    const place = tag & PLACE_MASK;
    const kind = tag & ~PLACE_MASK;
    if (kind === TAG.accept) return this.#acceptOutcome(place, result, flags);
    const socket = this.#sockets[place];
    try {
      if (kind === TAG.receive) this.#receiveOutcome(socket, result, flags);
      else if (socket !== undefined) socketOutcome(socket, kind, result);
    } catch (error) {
      socket?.crashed(error);
    }
  }

  #receiveOutcome(socket: UringSocket | undefined, result: number, flags: number): void {
    const isOver = (flags & OUTCOME.more) === 0;
    try {
      if ((flags & OUTCOME.buffer) !== 0) socket?.arrived((flags >>> BUFFER_SHIFT) * BUFFER_BYTES, result);
    } finally {
      if ((flags & OUTCOME.buffer) !== 0) this.#giveBuffer(flags >>> BUFFER_SHIFT);
      if (isOver) socket?.receiveOver(result);
    }
  }

  #acceptOutcome(place: number, result: number, flags: number): void {
    const listening = this.#listeners.get(place);
    if (listening === undefined) return;
    if (result >= 0) this.#accepted(listening, result);
    if ((flags & OUTCOME.more) !== 0) return;
    if (listening.stopped) this.#listeners.delete(place);
    else if (result === -ERRNO.EMFILE || result === -ERRNO.ENFILE) this.#starved = true;
    else this.ring.accept(listening.fd, TAG.accept | place);
  }

  #accepted(listening: Listening, fd: number): void {
    const socket = this.#register(fd, this.descriptors.peerHost(fd), this.descriptors.lastPort());
    try {
      socket.setOwner(listening.accept(socket));
    } catch (error) {
      socket.crashed(error);
    }
  }

  /** Listens again on what had to be left alone, now that a descriptor may be free. */
  #acceptAgain(): void {
    this.#starved = false;
    for (const [place, { fd, stopped }] of this.#listeners)
      if (!stopped) this.ring.accept(fd, TAG.accept | place);
  }

  #endRound(): void {
    if (this.#afterRound.length === 0) return;
    const sockets = this.#afterRound;
    this.#afterRound = [];
    for (const socket of sockets) {
      try {
        socket.afterRound();
      } catch (error) {
        socket.crashed(error);
      }
    }
  }

  // --- requests -----------------------------------------------------------------------------------------------

  pushSend(place: number, fd: number, start: number, length: number): number {
    this.#gathering.sent(place);
    return this.ring.send(fd, this.#slotsAddress + start, length, TAG.send | place);
  }
  pushReceive(place: number, fd: number): void {
    this.ring.receive(fd, BUFFER_GROUP, TAG.receive | place);
  }

  // --- memory and places --------------------------------------------------------------------------------------

  takeSlot(): number {
    return this.#freeSlots.pop() ?? -1;
  }
  slotOffset(slot: number): number {
    return slot * SLOT_BYTES;
  }
  freeSlot(slot: number): void {
    this.#freeSlots.push(slot);
  }

  address(bytes: Uint8Array): number {
    if (bytes === this.slots) return this.#slotsAddress;
    return bytes === this.buffers ? this.#buffersAddress : addressOf(bytes);
  }

  keepWhileConnecting(place: number, address: Uint8Array | undefined): void {
    if (address === undefined) {
      this.#connecting.delete(place);
    } else {
      this.#connecting.set(place, address);
      this.#gathering.opened(place);
    }
  }

  afterRound(socket: UringSocket): void {
    this.#afterRound.push(socket);
  }

  later(giveUp: () => void): void {
    systemScheduler.after(this.#flushMs, giveUp);
  }

  closeDescriptor(fd: number): void {
    this.ring.retract(fd);
    this.calls.shutdown(fd, SHUT_RDWR);
    this.calls.close(fd);
    if (this.#starved) this.#acceptAgain();
  }

  forget(place: number): void {
    this.#gathering.closed(place);
    this.#sockets[place] = undefined;
    this.#freePlaces.push(place);
  }

  #register(fd: number, remoteAddress: string, remotePort: number): UringSocket {
    const place = this.#freePlaces.pop() ?? this.#sockets.length;
    const socket = new UringSocket(this, { place, fd, remoteAddress, remotePort });
    this.#sockets[place] = socket;
    return socket;
  }

  /** `struct io_uring_buf`: address, length, number; the ring's tail lies in the first one's spare field. */
  #giveBuffer(buffer: number): void {
    const at = (this.#nextBuffer & (BUFFERS - 1)) * 4;
    const address = this.#buffersAddress + buffer * BUFFER_BYTES;
    this.#bufferRing[at] = address | 0;
    this.#bufferRing[at + 1] = (address / 0x1_0000_0000) | 0;
    this.#bufferRing[at + 2] = BUFFER_BYTES;
    this.#bufferTail[at * 2 + 6] = buffer;
    this.#nextBuffer = (this.#nextBuffer + 1) & 0xffff;
    this.#bufferTail[7] = this.#nextBuffer;
  }
}

function socketOutcome(socket: UringSocket, kind: number, result: number): void {
  if (kind === TAG.send) socket.sent(result);
  else if (kind === TAG.room) socket.roomMade();
  else if (kind === TAG.connect) socket.connected(result);
}
