/**
 * A lease is a record whose revision moves: its holder writes it again and again. Whoever watches measures the time between
 * movements on its own monotonic clock; the store needs no clock, and no two clocks are compared.
 *
 * Each movement has two bounds. It came after the last look that showed the old revision was sent: the holder's right, and what
 * a router may trust, counts from there. It came before the look that showed the new one was answered: the right to take the
 * lease counts from there. The first ends `marginMs` before the second, at the same speed of clocks.
 *
 * Source: the client-side lease of Kubernetes' leader election (client-go, leaderelection.go), with both bounds made explicit.
 */
import type { ClusterRecord } from "./record.ts";
import type { FailoverSettings } from "./settings.ts";

/** A record as the store has it. */
export interface Stored {
  readonly record: ClusterRecord;
  /** Grows with each write. */
  readonly revision: number;
}

/** What somebody saw of the record. Times by its own monotonic clock. */
export interface Watch extends Stored {
  /** The revision was not there before this. */
  readonly notBeforeMs: number;
  /** When the revision was first seen. */
  readonly seenMs: number;
  /** When the last look that showed it was sent. */
  readonly sentMs: number;
}

/** After a look that was sent at `sentMs` and answered now. Answers that overtook each other do no harm. */
export function observe(
  watch: Watch | undefined,
  { record, revision }: Stored,
  sentMs: number,
  nowMs: number,
): Watch {
  if (watch === undefined) return { record, revision, notBeforeMs: -Infinity, seenMs: nowMs, sentMs };
  if (revision < watch.revision) return watch;
  if (revision === watch.revision) return { ...watch, sentMs: Math.max(watch.sentMs, sentMs) };
  return { record, revision, notBeforeMs: watch.sentMs, seenMs: nowMs, sentMs };
}

/** After a write of one's own that was sent at `sentMs` and has succeeded. */
export function written(stored: Stored, sentMs: number, nowMs: number): Watch {
  return { ...stored, notBeforeMs: sentMs, seenMs: nowMs, sentMs };
}

/** Until when the holder may act as such, and others may take it for the holder. */
export function trustedUntilMs(watch: Watch, settings: FailoverSettings): number {
  return watch.notBeforeMs + settings.ttlMs - settings.marginMs;
}

/** How often is looked while somebody is about to become primary: writes wait for the next look. */
export const EAGER_MS = 50;

/** How long after a look the next one is due: soon while things are moving, for as long as one lease. */
export function nextLookMs(watch: Watch | undefined, settings: FailoverSettings): number {
  if (watch === undefined) return settings.pollMs;
  const { phase, successor } = watch.record;
  if (phase === "running" && successor === null) return settings.pollMs;
  const isMoving = watch.sentMs < watch.seenMs + settings.ttlMs;
  return isMoving ? Math.min(EAGER_MS, settings.pollMs) : settings.pollMs;
}

/** Whether the lease may be taken: a look that was sent `ttlMs` after the first showed the same revision. */
export function isOver(watch: Watch, settings: FailoverSettings): boolean {
  return watch.record.phase === "released" || watch.sentMs >= watch.seenMs + settings.ttlMs;
}
