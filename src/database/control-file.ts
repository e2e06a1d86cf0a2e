/**
 * What `global/pg_control` says of a server that does not run: who it is, how it ended, and on which timeline.
 *
 * Offsets are those of PostgreSQL 15 to 18 on 64-bit little-endian machines (struct ControlFileData in
 * src/include/catalog/pg_control.h).
 */
import type { Lsn } from "../pgwire/index.ts";

/** How a server ended, in the order of enum DBState. */
const STATES = [
  "starting",
  "shut-down",
  "shut-down-in-recovery",
  "shutting-down",
  "in-crash-recovery",
  "in-archive-recovery",
  "in-production",
] as const;

/** What the server was doing when the file was written last; anything but "shut-down…" in a dead server is a crash. */
export type ControlState = (typeof STATES)[number];

/** The part of the file that is of use here. */
export interface ControlFile {
  /** Decimal; the same in all servers of one cluster. */
  readonly systemIdentifier: string;
  readonly state: ControlState;
  /** The last checkpoint's record, and where recovery would begin. */
  readonly checkpoint: Lsn;
  readonly redo: Lsn;
  /** Timeline of the last checkpoint. */
  readonly timeline: number;
  /** The id that the next transaction would have got, with its epoch, when the last checkpoint began. */
  readonly nextId: bigint;
}

const BYTES_MIN = 72;

/** Reads the file's bytes; undefined when they are none. */
export function parseControlFile(bytes: Uint8Array): ControlFile | undefined {
  if (bytes.length < BYTES_MIN) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const state = STATES[view.getUint32(16, true)];
  if (state === undefined) return undefined;
  return {
    systemIdentifier: view.getBigUint64(0, true).toString(),
    state,
    checkpoint: view.getBigUint64(32, true),
    redo: view.getBigUint64(40, true),
    timeline: view.getUint32(48, true),
    nextId: view.getBigUint64(64, true),
  };
}
