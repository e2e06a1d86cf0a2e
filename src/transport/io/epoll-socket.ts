/**
 * One socket of the epoll transport: which events it waits for, and what they mean to its owner.
 */
import type { Pointer } from "bun:ffi";
import type { ConnectOwner, SocketOwner, TcpSocket } from "../transport.ts";
import { type Descriptors, failureOf } from "./descriptors.ts";
import { EPOLL, EPOLL_CTL, ERRNO, errno, type Libc, MSG, SHUT_WR } from "./libc.ts";

/** What a socket needs of the loop that it belongs to. */
export interface SocketTable {
  readonly calls: Libc;
  readonly descriptors: Descriptors;
  readonly receiveBuffer: Uint8Array;
  readonly receiveAddress: Pointer;
  /** Address of the first byte of `bytes`. */
  address(bytes: Uint8Array): number;
  control(operation: number, fd: number, events: number, generation: number): void;
  forget(fd: number): void;
}

/** What tells a socket from every other. */
export interface SocketIdentity {
  readonly fd: number;
  readonly generation: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

const SEND_FLAGS = MSG.dontWait | MSG.noSignal;

export class EpollSocket implements TcpSocket {
  readonly generation: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #table: SocketTable;
  readonly #fd: number;
  #owner: SocketOwner | undefined;
  /** Set while the connection is being made. */
  #connecting: ConnectOwner | undefined;
  #interest: number = EPOLL.in;
  #paused = false;
  #ended = false;
  #wantsDrain = false;
  /** The other end takes no more, and a send has taken the error: what looks like the end of its bytes is a reset. */
  #sendFailed = false;
  #closed = false;

  constructor(table: SocketTable, { fd, generation, remoteAddress, remotePort }: SocketIdentity) {
    this.#table = table;
    this.#fd = fd;
    this.generation = generation;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  /** Whose socket this is from now on; without an owner it is turned away. */
  setOwner(owner: SocketOwner | undefined): void {
    this.#owner = owner;
    if (owner === undefined) this.terminate();
  }

  // --- what the owner asks ------------------------------------------------------------------------------------

  write(bytes: Uint8Array, start: number, length: number): number {
    if (this.#closed) return -1;
    const { calls } = this.#table;
    const sent = calls.send(this.#fd, (this.#table.address(bytes) + start) as Pointer, length, SEND_FLAGS);
    if (sent === length) return sent;
    if (sent < 0 && !isTemporary(errno(calls))) {
      this.#sendFailed = true;
      return -1;
    }
    this.#wantsDrain = true;
    this.#update();
    return Math.max(0, sent);
  }

  pause(): void {
    this.#paused = true;
    this.#update();
  }

  resume(): void {
    this.#paused = false;
    this.#update();
  }

  shutdown(): void {
    if (!this.#closed) this.#table.calls.shutdown(this.#fd, SHUT_WR);
  }

  end(): void {
    this.#close();
  }

  terminate(): void {
    if (this.#closed) return;
    this.#table.descriptors.lingerZero(this.#fd);
    this.#close();
  }

  /** Handling an event threw: what was under way on this socket is its owner's to end. */
  crashed(error: unknown): void {
    this.#owner?.crashed(error);
  }

  // --- what the kernel tells ----------------------------------------------------------------------------------

  handle(ready: number): void {
    if (this.#connecting !== undefined) {
      this.#connected(this.#connecting);
      return;
    }
    if ((ready & EPOLL.out) !== 0 && this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#update();
      this.#owner?.drained();
    }
    if (this.#closed) return;
    if ((ready & EPOLL.in) !== 0 && !this.#paused && !this.#ended) this.#receive();
    else if ((ready & (EPOLL.err | EPOLL.hup)) !== 0) this.#brokenOff();
  }

  #receive(): void {
    const { calls, receiveBuffer, receiveAddress } = this.#table;
    const received = calls.recv(this.#fd, receiveAddress, receiveBuffer.length, MSG.dontWait);
    if (received > 0) this.#owner?.received(receiveBuffer, 0, received);
    else if (received === 0 && !this.#sendFailed) this.#endReached();
    else if (received === 0 || !isTemporary(errno(calls))) this.#close(true);
  }

  /** FIN. From here on readiness to read would be reported for ever, so it is no longer asked for. */
  #endReached(): void {
    this.#ended = true;
    this.#update();
    this.#owner?.ended();
  }

  /** Both directions are closed, or the connection was reset. Bytes that still wait to be read come first. */
  #brokenOff(): void {
    const error = this.#table.descriptors.pendingError(this.#fd);
    if (this.#paused && !this.#ended) {
      // The owner cannot take bytes now, and the kernel would report this for ever: ask for nothing until `resume`.
      this.#table.control(EPOLL_CTL.del, this.#fd, 0, this.generation);
      this.#interest = -1;
      if (error === 0) return;
    }
    this.#close(error !== 0);
  }

  // --- connecting ---------------------------------------------------------------------------------------------

  /** Waits for the connection; `failure` is the error of a connect that failed at once, else 0. */
  beginConnect(owner: ConnectOwner, failure: number): void {
    this.#connecting = owner;
    this.#interest = EPOLL.out;
    this.#table.control(EPOLL_CTL.add, this.#fd, EPOLL.out, this.generation);
    // Told later, as every other outcome is: an owner does not expect an answer before `connect` has returned.
    if (failure !== 0) queueMicrotask(() => this.#connectFailed(owner, failure));
  }

  /** The owner no longer wants the connection. It is told nothing more. */
  giveUp(): void {
    if (this.#closed || this.#connecting === undefined) return;
    this.#connecting = undefined;
    this.#closed = true;
    this.#table.forget(this.#fd);
  }

  #connected(owner: ConnectOwner): void {
    const error = this.#table.descriptors.pendingError(this.#fd);
    if (error !== 0) {
      this.#connectFailed(owner, error);
      return;
    }
    this.#connecting = undefined;
    this.#owner = owner;
    this.#update();
    owner.opened(this);
  }

  #connectFailed(owner: ConnectOwner, error: number): void {
    if (this.#closed) return;
    this.giveUp();
    owner.connectFailed(failureOf(error));
  }

  // --- inside -------------------------------------------------------------------------------------------------

  /** Tells the kernel which events are wanted now, if that changed. */
  #update(): void {
    if (this.#closed || this.#connecting !== undefined) return;
    const reads = !this.#paused && !this.#ended;
    const interest = (reads ? EPOLL.in : 0) | (this.#wantsDrain ? EPOLL.out : 0);
    if (interest === this.#interest) return;
    const operation = this.#interest === -1 ? EPOLL_CTL.add : EPOLL_CTL.mod;
    this.#interest = interest;
    this.#table.control(operation, this.#fd, interest, this.generation);
  }

  #close(reset = false): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#table.forget(this.#fd);
    this.#owner?.closed(reset);
  }
}

function isTemporary(error: number): boolean {
  return error === ERRNO.EAGAIN || error === ERRNO.EINTR;
}
