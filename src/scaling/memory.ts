/**
 * What the autoscaler remembers from one decision to the next: plain data, replaced and never changed, so that a
 * decision can be replayed from a record. A controller that lost it starts anew and does not shrink at first.
 */

/** In-flight requests of the group at one tick. */
export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** A number of tasks that was asked for. */
export interface Recommendation {
  readonly atMs: number;
  readonly count: number;
}

export interface ScaleMemory {
  /** Oldest first, no older than the stable window. */
  readonly samples: readonly Sample[];
  /** Falling counts, oldest first: all that can still be the highest of a part of the down window. */
  readonly recommendations: readonly Recommendation[];
  /** The number that was there when this memory began, for one down window: what it does not know was perhaps needed. */
  readonly begun?: Recommendation;
  /** The number that somebody asked for by hand, for one down window. */
  readonly byHand?: Recommendation;
  /** When demand was last over the panic threshold; absent = not panicking. */
  readonly panicSeenMs?: number;
  /** Requests in flight that the last second had added when this panic last ordered tasks; absent = it has ordered none. */
  readonly jumpGrowth?: number;
  /** Since when the mean of the stable window has been above the target by more than the tolerance; absent = it is not. */
  readonly aboveSinceMs?: number;
  /** When the service last shrank. */
  readonly shrunkMs?: number;
  /** Panics that began within a down window of a shrink, before any growth: instants at which it proved wrong. */
  readonly regrets: readonly number[];
  readonly lastDirection: "up" | "down" | "none";
  /** Instants at which the direction changed, within the flap window. */
  readonly turns: readonly number[];
}

/** Samples kept at most: a stable window of 10 min at ten samples a second, should someone ask for it. */
const SAMPLES_MAX = 6000;

/** The memory of a service of which nothing is known but that `wanted` tasks were asked for at `nowMs`. */
export function initialMemory(wanted: number, nowMs: number): ScaleMemory {
  const begun = { atMs: nowMs, count: wanted };
  return { samples: [], recommendations: [begun], begun, regrets: [], lastDirection: "none", turns: [] };
}

/** Remembers a number that was set by hand: for one down window the service does not shrink below it. */
export function setByHand(memory: ScaleMemory, count: number, nowMs: number): ScaleMemory {
  return { ...memory, byHand: { atMs: nowMs, count } };
}

/** Adds this tick's sample, if there is one, and forgets what left the window. */
export function remember(
  samples: readonly Sample[],
  value: number | undefined,
  nowMs: number,
  windowMs: number,
): readonly Sample[] {
  const kept = samples.filter((sample) => sample.atMs > nowMs - windowMs).slice(-SAMPLES_MAX + 1);
  return value === undefined ? kept : [...kept, { atMs: nowMs, value }];
}

/** The highest number that was asked for within `windowMs`, the newest at least; undefined when there is none. */
export function highestWithin(
  list: readonly Recommendation[],
  nowMs: number,
  windowMs: number,
): number | undefined {
  return (list.find(({ atMs }) => atMs > nowMs - windowMs) ?? list.at(-1))?.count;
}

/** Mean of the samples younger than `windowMs`; undefined when there is none. */
export function meanOver(samples: readonly Sample[], nowMs: number, windowMs: number): number | undefined {
  const inside = samples.filter((sample) => sample.atMs > nowMs - windowMs);
  if (inside.length === 0) return undefined;
  return inside.reduce((sum, sample) => sum + sample.value, 0) / inside.length;
}

/** What the newest sample has more than the one before; 0 when there are fewer than two. */
export function growthOf(samples: readonly Sample[]): number {
  const [before, last] = samples.slice(-2);
  return before === undefined || last === undefined ? 0 : last.value - before.value;
}

/** The level that the last `count` samples did not fall below; 0 when there are fewer. */
export function sustained(samples: readonly Sample[], count: number): number {
  if (samples.length < count) return 0;
  return Math.min(...samples.slice(-count).map((sample) => sample.value));
}

/**
 * Adds a recommendation and drops those that left the window. Counts that are not above the new one can never be
 * the highest again and go too, so the first entry is always the highest.
 */
export function recommend(
  list: readonly Recommendation[],
  count: number,
  nowMs: number,
  windowMs: number,
): readonly Recommendation[] {
  const kept = list.filter((entry) => entry.atMs > nowMs - windowMs && entry.count > count);
  return [...kept, { atMs: nowMs, count }];
}
