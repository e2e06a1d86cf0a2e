/**
 * What is said in a stream of the log, in the bodies of CopyData: the log itself and where it ends, from the side that has it;
 * how far it is safe, from the other.
 *
 * Source: PostgreSQL documentation, "Streaming Replication Protocol".
 */
import type { Lsn } from "../pgwire/index.ts";

/** What the side with the log says. */
export type WalMessage =
  /** A piece of the log; `bytes` are of the message. */
  | { readonly kind: "log"; readonly at: Lsn; readonly end: Lsn; readonly bytes: Uint8Array }
  /** Nothing new; the log ends at `end`. `wantsReply`: or the stream is given up. */
  | { readonly kind: "alive"; readonly end: Lsn; readonly wantsReply: boolean };

const LOG = 0x77; // "w"
const ALIVE = 0x6b; // "k"
const STATUS = 0x72; // "r"

const LOG_HEADER = 25;
const ALIVE_BYTES = 18;
const STATUS_BYTES = 34;

/** Microseconds from 1970 to 2000, where Postgres' time begins. */
const EPOCH_US = 946_684_800_000_000n;

/** Reads a message; undefined when it is malformed. */
export function readWalMessage(body: Uint8Array): WalMessage | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  if (body[0] === LOG && body.length >= LOG_HEADER) {
    const [at, end] = [view.getBigUint64(1), view.getBigUint64(9)];
    return { kind: "log", at, end, bytes: body.subarray(LOG_HEADER) };
  }
  if (body[0] === ALIVE && body.length === ALIVE_BYTES)
    return { kind: "alive", end: view.getBigUint64(1), wantsReply: body[17] === 1 };
  return undefined;
}

/** A piece of the log as a message; `end` is where the whole of it ends now. */
export function logMessage(at: Lsn, end: Lsn, bytes: Uint8Array, wallMs: number): Uint8Array {
  const body = new Uint8Array(LOG_HEADER + bytes.length);
  const view = new DataView(body.buffer);
  body[0] = LOG;
  view.setBigUint64(1, at);
  view.setBigUint64(9, end);
  view.setBigInt64(17, postgresTime(wallMs));
  body.set(bytes, LOG_HEADER);
  return body;
}

/** "I am here, and the log ends there"; the other side is asked to say how far it is. */
export function aliveMessage(end: Lsn, wallMs: number): Uint8Array {
  const body = new Uint8Array(ALIVE_BYTES);
  const view = new DataView(body.buffer);
  body[0] = ALIVE;
  view.setBigUint64(1, end);
  view.setBigInt64(9, postgresTime(wallMs));
  body[17] = 1;
  return body;
}

/** "All before `flushed` is on my disk." What is applied stays 0: who sends this has nothing to apply it to. `wantsReply`: "are you there?" */
export function statusMessage(flushed: Lsn, wallMs: number, wantsReply: boolean): Uint8Array {
  const body = new Uint8Array(STATUS_BYTES);
  const view = new DataView(body.buffer);
  body[0] = STATUS;
  view.setBigUint64(1, flushed);
  view.setBigUint64(9, flushed);
  view.setBigInt64(25, postgresTime(wallMs));
  body[33] = wantsReply ? 1 : 0;
  return body;
}

function postgresTime(wallMs: number): bigint {
  return BigInt(Math.round(wallMs * 1000)) - EPOCH_US;
}
