/**
 * How a purge gets from the installation that was asked for it to the others of its site: as entries of a log, numbered
 * without a gap, each applied once and acknowledged by its number.
 *
 *   sender   log: epoch, oldest … head          receiver   position: epoch, number
 *            batch (first, purges, head) ------>           take | behind (repeat from there) | drop everything | ahead
 *
 * The epoch changes when the log is made anew. What a receiver cannot know it has to take for the worst: it forgets everything,
 * which covers whatever it missed. Purges commute, so the logs of several senders need no order among them.
 */
import type { Problem } from "../../config/index.ts";

/** A purge as it was asked for: the JSON that `readPurgeRequest` reads. */
export type PurgeJson = Readonly<Record<string, unknown>>;

/** What a sender tells one receiver. */
export interface PurgeBatch {
  readonly epoch: string;
  /** Number of the first of `purges`; with none, one more than the receiver is believed to have. */
  readonly first: number;
  readonly purges: readonly PurgeJson[];
  /** The oldest that the log still has. */
  readonly oldest: number;
  /** The latest that this receiver may have by now. */
  readonly head: number;
}

/** How far a receiver is in the log of one sender. */
export interface PurgePosition {
  readonly epoch: string;
  readonly number: number;
}

/** What becomes of a batch. `position` holds once the rest is done. */
export type Receipt =
  /** Apply these; none when all of them were applied before. */
  | { readonly kind: "take"; readonly purges: readonly PurgeJson[]; readonly position: PurgePosition }
  /** What was missed cannot be known any more: forget everything. */
  | {
      readonly kind: "drop-all";
      readonly reason: "unknown-epoch" | "log-too-short";
      readonly position: PurgePosition;
    }
  /** Some are missing in between: the sender repeats from after `position`. */
  | { readonly kind: "behind"; readonly position: PurgePosition }
  /** The sender has lost what it had sent: it has to begin anew. */
  | { readonly kind: "ahead"; readonly position: PurgePosition };

/** Entries of one batch: a few milliseconds of work for whoever applies them. */
export const BATCH_PURGES_MAX = 100;

/** Decides about a batch, given how far the receiver is; undefined when it never heard of this sender. */
export function receive(position: PurgePosition | undefined, batch: PurgeBatch): Receipt {
  const { epoch, first, purges, oldest, head } = batch;
  if (position?.epoch !== epoch)
    return { kind: "drop-all", reason: "unknown-epoch", position: { epoch, number: head } };
  const { number } = position;
  if (number > head) return { kind: "ahead", position };
  if (first > number + 1) {
    return oldest > number + 1
      ? { kind: "drop-all", reason: "log-too-short", position: { epoch, number: head } }
      : { kind: "behind", position };
  }
  const news = purges.slice(number + 1 - first);
  return { kind: "take", purges: news, position: { epoch, number: number + news.length } };
}

/** Reads a batch from the body of a call. */
export function readPurgeBatch(body: PurgeJson): PurgeBatch | Problem {
  const { epoch, first, purges, oldest, head } = body;
  if (typeof epoch !== "string" || !/^[\w-]{1,64}$/.test(epoch))
    return { path: "epoch", what: "is no epoch", mend: "send the one of the log" };
  for (const [path, value] of Object.entries({ first, oldest, head })) {
    if (!Number.isSafeInteger(value) || Number(value) < 0)
      return { path, what: "is no number", mend: "count from 1" };
  }
  if (!Array.isArray(purges) || purges.length > BATCH_PURGES_MAX || !purges.every(isObject))
    return { path: "purges", what: "is no list of purges", mend: `send at most ${BATCH_PURGES_MAX}` };
  if (Number(first) + purges.length - 1 > Number(head) || Number(first) < 1)
    return { path: "first", what: "leads beyond head", mend: "send what the log has" };
  return { epoch, first: Number(first), purges, oldest: Number(oldest), head: Number(head) };
}

/** Whether it is what is wrong with a batch. */
export function isBatchProblem(read: PurgeBatch | Problem): read is Problem {
  return "mend" in read;
}

function isObject(value: unknown): value is PurgeJson {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
