/**
 * Rates and latencies of late, from readings of the scoreboard taken once a second.
 *
 * The scoreboard only counts up. Requests per second are the difference of two readings a few seconds apart, and
 * quantiles those of the requests between now and up to a minute ago.
 */
import { HISTOGRAM_SIZE, merge, quantile } from "../base/index.ts";
import { GROUP_COUNTER, REASONS, type Scoreboard, TARGET_COUNTER } from "../gateway/index.ts";
import type { TrafficTotals } from "./api.ts";

/** Readings kept for rates: one a second. */
const RATE_READINGS = 5;

/** Histograms kept for quantiles: one each ten seconds. */
const LATENCY_READINGS = 6;
const LATENCY_EVERY = 10;

interface Reading {
  readonly atMs: number;
  readonly requests: number;
}

interface Row {
  readonly rates: Reading[];
  readonly latencies: Float64Array[];
}

export class Traffic {
  readonly #boardInUse: () => Scoreboard;
  readonly #groups = new Map<number, Row>();
  readonly #targets = new Map<number, Reading[]>();
  #ticks = 0;

  constructor(boardInUse: () => Scoreboard) {
    this.#boardInUse = boardInUse;
  }

  get #scoreboard(): Scoreboard {
    return this.#boardInUse();
  }

  /** Forgets all readings: the next are of another scoreboard, which counts from zero. */
  beginAnew(): void {
    this.#groups.clear();
    this.#targets.clear();
  }

  /** Takes a reading of these rows; called once a second. Rows that are no longer named are forgotten. */
  read(groupRows: readonly number[], targetSlots: readonly number[], nowMs: number): void {
    forgetOthers(this.#groups, groupRows);
    forgetOthers(this.#targets, targetSlots);
    const takesLatency = this.#ticks++ % LATENCY_EVERY === 0;
    for (const row of groupRows) this.#readGroup(row, nowMs, takesLatency);
    for (const slot of targetSlots) {
      const requests = this.#scoreboard.targetCounter(slot, TARGET_COUNTER.requests);
      keep(
        entry(this.#targets, slot, () => []),
        { atMs: nowMs, requests },
        RATE_READINGS,
      );
    }
  }

  /** Totals, rate and latency of a group. */
  group(row: number): TrafficTotals {
    const board = this.#scoreboard;
    const count = (counter: number): number => board.groupCounter(row, counter);
    const { status1xx, status2xx, status3xx, status4xx, status5xx } = GROUP_COUNTER;
    return {
      requests: count(GROUP_COUNTER.requests),
      inFlight: board.groupInFlight(row),
      retries: count(GROUP_COUNTER.retries),
      bytesIn: count(GROUP_COUNTER.bytesIn),
      bytesOut: count(GROUP_COUNTER.bytesOut),
      statuses: [status1xx, status2xx, status3xx, status4xx, status5xx].map(count),
      errors: this.#errors(row),
      latency: this.#latency(row),
      rps: rate(this.#groups.get(row)?.rates ?? []),
    };
  }

  /** Requests per second of a target. */
  targetRps(slot: number): number {
    return rate(this.#targets.get(slot) ?? []);
  }

  #readGroup(row: number, nowMs: number, takesLatency: boolean): void {
    const group = entry(this.#groups, row, () => ({ rates: [], latencies: [] }));
    const requests = this.#scoreboard.groupCounter(row, GROUP_COUNTER.requests);
    keep(group.rates, { atMs: nowMs, requests }, RATE_READINGS);
    if (takesLatency || group.latencies.length === 0)
      keep(group.latencies, this.#histogram(row), LATENCY_READINGS);
  }

  #errors(row: number): Record<string, number> {
    const counted = REASONS.map((code, number) => [code, this.#scoreboard.groupReason(row, number)] as const);
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  #latency(row: number): TrafficTotals["latency"] {
    const cells = this.#histogram(row);
    const oldest = this.#groups.get(row)?.latencies[0];
    if (oldest !== undefined)
      for (let i = 0; i < cells.length; i++) cells[i] = (cells[i] ?? 0) - (oldest[i] ?? 0);
    if (cells.every((count) => count === 0)) return { p50Ms: null, p99Ms: null };
    return { p50Ms: quantile(cells, 0, 0.5) / 1000, p99Ms: quantile(cells, 0, 0.99) / 1000 };
  }

  /** The histogram of all workers together. */
  #histogram(row: number): Float64Array {
    const sum = new Float64Array(HISTOGRAM_SIZE);
    for (const cells of this.#scoreboard.groupLatency(row)) merge(sum, 0, cells, 0);
    return sum;
  }
}

function rate(readings: readonly Reading[]): number {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
  return Math.max(0, ((last.requests - first.requests) * 1000) / (last.atMs - first.atMs));
}

function keep<T>(list: T[], item: T, max: number): void {
  list.push(item);
  if (list.length > max) list.shift();
}

function entry<T>(map: Map<number, T>, key: number, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function forgetOthers(map: Map<number, unknown>, keys: readonly number[]): void {
  const wanted = new Set(keys);
  for (const key of map.keys()) if (!wanted.has(key)) map.delete(key);
}
