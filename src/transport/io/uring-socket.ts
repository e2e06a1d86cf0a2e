/**
 * One socket of the io_uring transport.
 *
 * Receiving: one request stands ("multishot") and brings an outcome for each arrival. Sending: a small write is copied
 * into a slot and goes out with the next call, together with those of all other sockets; further small writes of the
 * same turn join it. A large one, or one that finds its slot full, is sent at once by a plain system call, after what
 * is in the slot. So the transport holds at most one slot per socket, and only while the kernel has no room.
 *
 * The socket's place in the table is free again when it is closed and every outcome that names it has come.
 */
import type { Pointer } from "bun:ffi";
import { copy } from "../../http/index.ts";
import type { ConnectOwner, SocketOwner, TcpSocket } from "../transport.ts";
import { failureOf } from "./descriptors.ts";
import { EPOLL, ERRNO, errno, MSG, SHUT_WR } from "./libc.ts";
import { TAG, type UringTable } from "./uring-table.ts";

const SEND_FLAGS = MSG.dontWait | MSG.noSignal;

const NO_SLOT = -1;

/** What arrived while the owner could not take it. */
type Stash = Uint8Array[];

/** What tells a socket from every other. */
interface SocketPlace {
  readonly place: number;
  readonly fd: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export class UringSocket implements TcpSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #table: UringTable;
  readonly #fd: number;
  readonly #place: number;
  #owner: SocketOwner | undefined;
  #connecting: ConnectOwner | undefined;
  /** Requests whose last outcome has not come. */
  #outstanding = 0;

  #receiving = false;
  #cancelling = false;
  #paused = false;
  #ended = false;
  #stash: Stash | undefined;
  #stashedEnd = false;

  #slot = NO_SLOT;
  #slotStart = 0;
  #slotEnd = 0;
  /** Where the slot's request stands in the ring. */
  #position = 0;
  #wantsDrain = false;
  /** The other end takes no more. What it sent before is still to be received, and tells how the connection ends. */
  #sendFailed = false;
  #awaitsRoom = false;
  #shutdownWanted = false;
  #closed = false;
  /** Closed for its owner; what is in the slot still goes out. */
  #flushing = false;
  /** The descriptor's number may be another file's by now: nothing is asked of it any more. */
  #released = false;
  /** Its place may be another socket's by now. */
  #forgotten = false;

  constructor(table: UringTable, { place, fd, remoteAddress, remotePort }: SocketPlace) {
    this.#table = table;
    this.#place = place;
    this.#fd = fd;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  /** Whose socket this is from now on; without an owner it is turned away. */
  setOwner(owner: SocketOwner | undefined): void {
    this.#owner = owner;
    if (owner === undefined) this.terminate();
    else this.#receive();
  }

  // --- sending ------------------------------------------------------------------------------------------------

  write(bytes: Uint8Array, start: number, length: number): number {
    if (this.#closed || this.#sendFailed) return -1;
    if (this.#slot === NO_SLOT) return this.#begin(bytes, start, length);
    if (this.#join(bytes, start, length)) return length;
    this.#settle();
    if (this.#slot === NO_SLOT) return this.#begin(bytes, start, length);
    this.#wantsDrain = true;
    return this.#closed || this.#sendFailed ? -1 : 0;
  }

  #begin(bytes: Uint8Array, start: number, length: number): number {
    if (this.#closed || this.#sendFailed) return -1;
    const table = this.#table;
    const slot = length <= table.slotBytes && !this.#awaitsRoom ? table.takeSlot() : NO_SLOT;
    if (slot === NO_SLOT) return this.#sendAtOnce(bytes, start, length);
    this.#slot = slot;
    this.#slotStart = table.slotOffset(slot);
    this.#slotEnd = copy(bytes, start, start + length, table.slots, this.#slotStart);
    this.#position = table.pushSend(this.#place, this.#fd, this.#slotStart, length);
    this.#outstanding++;
    return length;
  }

  /** Adds to a slot that the kernel has not seen yet. */
  #join(bytes: Uint8Array, start: number, length: number): boolean {
    const table = this.#table;
    const used = this.#slotEnd - table.slotOffset(this.#slot);
    if (used + length > table.slotBytes || this.#awaitsRoom) return false;
    if (!table.ring.amend(this.#position, used + length)) return false;
    this.#slotEnd = copy(bytes, start, start + length, table.slots, this.#slotEnd);
    return true;
  }

  /** Has the kernel see the slot now, and takes its outcome out of turn. */
  #settle(): void {
    if (this.#slot === NO_SLOT || this.#awaitsRoom) return;
    this.#table.ring.submit();
    const result = this.#table.ring.take(TAG.send | this.#place);
    if (result !== undefined) this.sent(result);
  }

  /** The kernel took `result` bytes of the slot, or none and this is why. */
  sent(result: number): void {
    this.#outstanding--;
    if (this.#released) return this.#forgetWhenDone();
    if (result >= 0) this.#slotStart += result;
    if (result < 0 && result !== -ERRNO.EAGAIN) this.#noMoreSends();
    else this.#sendRest();
    this.#forgetWhenDone();
  }

  #sendRest(): void {
    const table = this.#table;
    const left = this.#slotEnd - this.#slotStart;
    if (left > 0) {
      const taken = this.#sendNow(table.slots, this.#slotStart, left);
      if (taken < 0) return this.#noMoreSends();
      this.#slotStart += taken;
      if (taken < left) return;
    }
    this.#freeSlot();
    this.#allSent();
  }

  /** Nothing of ours waits for the kernel any more. */
  #allSent(): void {
    if (this.#shutdownWanted) this.#table.calls.shutdown(this.#fd, SHUT_WR);
    this.#shutdownWanted = false;
    if (this.#flushing) return this.#release();
    if (!this.#wantsDrain || this.#closed) return;
    this.#wantsDrain = false;
    this.#owner?.drained();
  }

  /** Of a connection that was reset a failed send takes the error away, and what is received next looks like a FIN. */
  #sendAtOnce(bytes: Uint8Array, start: number, length: number): number {
    const taken = this.#sendNow(bytes, start, length);
    if (taken < 0) this.#noMoreSends();
    return taken;
  }

  /** A plain send; when the kernel takes less, waits for room. */
  #sendNow(bytes: Uint8Array, start: number, length: number): number {
    const { calls } = this.#table;
    const from = (this.#table.address(bytes) + start) as Pointer;
    const taken = calls.send(this.#fd, from, length, SEND_FLAGS);
    if (taken === length) return taken;
    if (taken < 0 && !isTemporary(errno(calls))) return -1;
    this.#wantsDrain = true;
    this.#awaitRoom();
    return Math.max(0, taken);
  }

  #awaitRoom(): void {
    if (this.#awaitsRoom) return;
    this.#awaitsRoom = true;
    this.#outstanding++;
    this.#table.ring.poll(this.#fd, EPOLL.out, TAG.room | this.#place);
  }

  /** The kernel has room again. */
  roomMade(): void {
    this.#outstanding--;
    this.#awaitsRoom = false;
    if (this.#released) return this.#forgetWhenDone();
    if (this.#slot !== NO_SLOT) this.#sendRest();
    else this.#allSent();
    this.#forgetWhenDone();
  }

  #freeSlot(): void {
    if (this.#slot !== NO_SLOT) this.#table.freeSlot(this.#slot);
    this.#slot = NO_SLOT;
  }

  // --- receiving ----------------------------------------------------------------------------------------------

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    if (this.#receiving) this.#table.afterRound(this);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#stash !== undefined || this.#stashedEnd) this.#table.afterRound(this);
    else this.#receive();
  }

  #receive(): void {
    if (this.#receiving || this.#paused || this.#ended || this.#closed) return;
    this.#receiving = true;
    this.#outstanding++;
    this.#table.pushReceive(this.#place, this.#fd);
  }

  /** `length` bytes arrived at `start` of the table's buffers. */
  arrived(start: number, length: number): void {
    if (this.#closed) return;
    const { buffers } = this.#table;
    if (!this.#paused && this.#stash === undefined) {
      this.#owner?.received(buffers, start, start + length);
      return;
    }
    this.#stash ??= [];
    this.#stash.push(buffers.slice(start, start + length));
  }

  /** The standing request is over: FIN (0), or an error. */
  receiveOver(result: number): void {
    this.#outstanding--;
    this.#receiving = false;
    this.#cancelling = false;
    if (!this.#closed) this.#afterReceive(result);
    this.#forgetWhenDone();
  }

  #afterReceive(result: number): void {
    const isTransient = result > 0 || result === -ERRNO.ECANCELED || result === -ERRNO.ENOBUFS;
    if (isTransient) return this.#stash === undefined ? this.#receive() : undefined;
    if (result < 0) return this.#close(true);
    if (this.#paused || this.#stash !== undefined) this.#stashedEnd = true;
    else this.#endReached();
  }

  #endReached(): void {
    if (this.#sendFailed) return this.#close(true);
    this.#ended = true;
    this.#stashedEnd = false;
    this.#owner?.ended();
  }

  /** What was put off until the outcomes at hand were dealt with: to stop receiving, or to hand over what came meanwhile. */
  afterRound(): void {
    if (this.#closed) return;
    if (this.#paused) this.#stopReceiving();
    else this.#deliver();
  }

  /** A pause that outlasts its round. Most do not: the other side takes what was sent before the next one. */
  #stopReceiving(): void {
    if (!this.#receiving || this.#cancelling) return;
    this.#cancelling = true;
    this.#table.ring.cancel(TAG.receive | this.#place, TAG.cancelled);
  }

  #deliver(): void {
    for (let bytes = this.#stash?.shift(); bytes !== undefined; bytes = this.#stash?.shift()) {
      this.#owner?.received(bytes, 0, bytes.length);
      if (this.#paused || this.#closed) break;
    }
    if (this.#closed) return;
    if (this.#paused) return this.#stopReceiving();
    this.#stash = undefined;
    if (this.#stashedEnd) this.#endReached();
    else this.#receive();
  }

  // --- connecting ---------------------------------------------------------------------------------------------

  beginConnect(owner: ConnectOwner, address: Uint8Array): void {
    this.#connecting = owner;
    this.#table.keepWhileConnecting(this.#place, address);
    this.#outstanding++;
    this.#table.ring.connect(this.#fd, address, TAG.connect | this.#place);
  }

  connected(result: number): void {
    const owner = this.#connecting;
    this.#table.keepWhileConnecting(this.#place, undefined);
    this.#outstanding--;
    this.#connecting = undefined;
    if (owner !== undefined && result < 0) {
      this.#release();
      owner.connectFailed(failureOf(-result));
    } else if (owner !== undefined) {
      this.#owner = owner;
      this.#receive();
      owner.opened(this);
    }
    this.#forgetWhenDone();
  }

  /** The owner no longer wants the connection. It is told nothing more. */
  giveUp(): void {
    if (this.#connecting === undefined) return;
    this.#connecting = undefined;
    this.#table.ring.cancel(TAG.connect | this.#place, TAG.cancelled);
    this.#release();
  }

  // --- closing ------------------------------------------------------------------------------------------------

  shutdown(): void {
    if (this.#closed) return;
    this.#settle();
    if (this.#slot === NO_SLOT) this.#table.calls.shutdown(this.#fd, SHUT_WR);
    else this.#shutdownWanted = true;
  }

  end(): void {
    if (!this.#closed) this.#settle();
    this.#close(false);
  }

  terminate(): void {
    if (this.#closed) return;
    this.#settle();
    if (this.#closed) return;
    this.#table.descriptors.reset(this.#fd);
    this.#close(true);
  }

  /** Handling an outcome threw: what was under way on this socket is its owner's to end. */
  crashed(error: unknown): void {
    this.#owner?.crashed(error);
  }

  #noMoreSends(): void {
    this.#sendFailed = true;
    this.#freeSlot();
    if (this.#flushing) return this.#release();
    // Nothing more will be received to tell of the end.
    if (this.#ended) return this.#close(true);
    // Whoever waits to go on may have paused, and would not be told by what is received either: the next write tells.
    if (!this.#wantsDrain || this.#closed) return;
    this.#wantsDrain = false;
    this.#owner?.drained();
  }

  #close(reset: boolean): void {
    if (this.#closed) {
      if (this.#flushing && reset) this.#release();
      return;
    }
    this.#closed = true;
    this.#stash = undefined;
    if (this.#slot !== NO_SLOT && !reset) this.#flush();
    else this.#release();
    this.#owner?.closed(reset);
    this.#owner = undefined;
  }

  /** The kernel has no room for what is in the slot: it goes out when there is, or is given up when the peer never reads. */
  #flush(): void {
    this.#flushing = true;
    this.#table.later(() => {
      if (this.#flushing) this.#release();
    });
  }

  /** Gives the descriptor back. A standing request would keep it open, so both directions are shut down first. */
  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#closed = true;
    this.#flushing = false;
    this.#table.closeDescriptor(this.#fd);
    this.#forgetWhenDone();
  }

  #forgetWhenDone(): void {
    if (!this.#closed || this.#flushing || this.#outstanding > 0 || this.#forgotten) return;
    this.#forgotten = true;
    this.#freeSlot();
    this.#table.forget(this.#place);
  }
}

function isTemporary(error: number): boolean {
  return error === ERRNO.EAGAIN || error === ERRNO.EINTR;
}
