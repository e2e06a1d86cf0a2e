/**
 * The clock: the only place that asks the machine what time it is.
 *
 * Two readings, because they answer two questions. "How long" needs a monotonic clock, which never jumps; "when"
 * needs the wall clock, which a human or NTP may set at any moment. Code that measures with the wall clock breaks on
 * the night somebody corrects it.
 */

/** Tells the time. An argument of everything that measures, so that a test or a simulation can own time. */
export interface Clock {
  /** Monotonic milliseconds, fractional. The origin differs between processes: subtract, never store. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. For logs and for what outlives the process; it may jump either way. */
  wallMs(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};
