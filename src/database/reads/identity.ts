/**
 * Which log a server has. The number of its timeline is not enough: PostgreSQL does not notice when two replicas are promoted from one
 * point, and both begin the same timeline. So the history of the timeline is compared too, and the first bytes behind its fork: the record
 * there has the time of the promotion. That tells them apart until the wrong one streams from the primary: it begins with the segment at hand,
 * and its own log is overwritten then.
 */
import { type Lsn, parseLsn } from "../../pgwire/index.ts";

/** What a server says of its log. */
export interface Identity {
  readonly timeline: number;
  /** Of the cluster that `initdb` made; undefined: it was not told, as nothing of what follows. */
  readonly system?: string | undefined;
  /** Earlier timelines and where each ended. */
  readonly history?: string | undefined;
  /** The log's bytes from where the timeline begins; undefined on the first one, and where they are gone. */
  readonly mark?: Uint8Array | undefined;
}

/** Whether the log of a replica is one with the primary's, as far as both have told. Timelines of different numbers are not looked at. */
export function isOfSameLog(primary: Identity, replica: Identity): boolean {
  if (differ(primary.system, replica.system)) return false;
  if (primary.timeline !== replica.timeline) return true;
  return !differ(primary.history, replica.history) && marksAgree(primary.mark, replica.mark);
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** One may have been read when less of the log was written. */
function marksAgree(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  const length = Math.min(a.length, b.length);
  return a.subarray(0, length).every((byte, at) => byte === b[at]);
}

/** A history file: its timelines and where they ended, without words of people; and where the present one begins. */
export function readHistory(text: string): { readonly history: string; readonly fork: Lsn | undefined } {
  const entries = [...text.matchAll(/^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/gm)];
  return {
    history: entries.map(([, timeline, lsn]) => `${timeline} ${lsn}`).join(","),
    fork: parseLsn(entries.at(-1)?.[2] ?? ""),
  };
}
