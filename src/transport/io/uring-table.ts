/** What a socket of the io_uring transport needs of the transport that it belongs to. */
import type { Descriptors } from "./descriptors.ts";
import type { Libc } from "./libc.ts";
import type { Ring } from "./ring.ts";
import type { UringSocket } from "./uring-socket.ts";

/** What an outcome is about: in the upper bits of its tag; the socket's place is below. 0 is nothing. */
export const TAG: Readonly<
  Record<"accept" | "receive" | "send" | "room" | "connect" | "bun" | "cancelled", number>
> = {
  accept: 1 << 24,
  receive: 2 << 24,
  send: 3 << 24,
  room: 4 << 24,
  connect: 5 << 24,
  bun: 6 << 24,
  cancelled: 7 << 24,
};

/** The lower bits of a tag. */
export const PLACE_MASK = 0xff_ffff;

/** The transport's side of a socket. */
export interface UringTable {
  readonly calls: Libc;
  readonly descriptors: Descriptors;
  readonly ring: Ring;
  /** All receive buffers in one piece. */
  readonly buffers: Uint8Array;
  /** All send slots in one piece, and the size of one. */
  readonly slots: Uint8Array;
  readonly slotBytes: number;
  /** A free slot, -1 when there is none. */
  takeSlot(): number;
  slotOffset(slot: number): number;
  freeSlot(slot: number): void;
  /** Address of the first byte of `bytes`. */
  address(bytes: Uint8Array): number;
  pushSend(place: number, fd: number, start: number, length: number): number;
  pushReceive(place: number, fd: number): void;
  /** The kernel reads `address` until the connection's outcome is there; undefined lets go. */
  keepWhileConnecting(place: number, address: Uint8Array | undefined): void;
  /** Calls `afterRound` on the socket when the outcomes at hand are dealt with. */
  afterRound(socket: UringSocket): void;
  /** Calls `giveUp` when a peer has had its time to read the last bytes of a closed socket. */
  later(giveUp: () => void): void;
  closeDescriptor(fd: number): void;
  /** The place is free. */
  forget(place: number): void;
}
