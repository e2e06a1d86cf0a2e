/**
 * Writing to a socket without losing or hoarding bytes.
 *
 * The kernel takes what fits and says how much; the rest waits here until `drain`. Whoever feeds the connection is
 * told at once (`SEND.waits`) and pauses its source, so an outbox holds at most what one read brought.
 */
import type { TcpSocket } from "./transport.ts";

/** One stretch of bytes that waits. */
interface Pending {
  readonly bytes: Uint8Array;
  start: number;
  readonly end: number;
}

/** The waiting stretches of one connection, oldest first. Exists only while something waits. */
export type Outbox = Pending[];

/** A connection that can be written to. */
export interface Writable {
  readonly socket: TcpSocket;
  outbox: Outbox | undefined;
}

/** What became of bytes given to `send`: all in the kernel's hands; some wait here; the socket is gone, none was sent. */
export const SEND = { done: 1, waits: 0, gone: -1 } as const;
/** A `SEND`. */
export type SendResult = (typeof SEND)[keyof typeof SEND];

/** What `flush` achieved: nothing waits any more; some bytes moved; none did; none ever will. */
export const FLUSH = { empty: 2, moved: 1, stuck: 0, gone: -1 } as const;
/** A `FLUSH`. */
export type FlushResult = (typeof FLUSH)[keyof typeof FLUSH];

/** Sends `bytes[start, end)`. They are borrowed: what must wait is copied. */
export function send(to: Writable, bytes: Uint8Array, start: number, end: number): SendResult {
  if (to.outbox !== undefined) {
    to.outbox.push(pending(bytes, start, end));
    return SEND.waits;
  }
  const written = to.socket.write(bytes, start, end - start);
  if (written === end - start) return SEND.done;
  if (written < 0) return SEND.gone;
  to.outbox = [pending(bytes, start + written, end)];
  return SEND.waits;
}

/** Writes on after `drain`. */
export function flush(to: Writable): FlushResult {
  const outbox = to.outbox;
  if (outbox === undefined) return FLUSH.empty;
  let moved = false;
  for (let next = outbox[0]; next !== undefined; next = outbox[0]) {
    const written = to.socket.write(next.bytes, next.start, next.end - next.start);
    if (written < 0) return FLUSH.gone;
    if (written > 0) moved = true;
    next.start += written;
    if (next.start < next.end) return moved ? FLUSH.moved : FLUSH.stuck;
    outbox.shift();
  }
  to.outbox = undefined;
  return FLUSH.empty;
}

function pending(bytes: Uint8Array, start: number, end: number): Pending {
  return { bytes: bytes.slice(start, end), start: 0, end: end - start };
}
