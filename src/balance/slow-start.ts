/**
 * Slow start: a target that joins takes its full share only step by step, while its caches and its JIT warm up.
 *
 * The share that counts grows by Envoy's curve, max(0.1, (age / window) ^ (1 / aggression)), age being at least one
 * second. Two rules keep it from doing harm: it never applies while the group itself starts, when everybody is new
 * and somebody must take the load; and it needs a warm peer, who can carry what the new one does not.
 */

/** Least share of its weight that a new target gets, Envoy's 10 %: enough requests to warm up by. */
const WARMTH_MIN = 0.1;

/** Age that the curve starts from: a fraction of the first second would give next to nothing. */
const AGE_MIN_MS = 1_000;

/** Why a target's warmth is what it is. */
export type WarmthReason = "off" | "not-healthy" | "group-start" | "no-warm-peer" | "warming" | "warmed-up";

/** The share of its weight that counts at this age, `WARMTH_MIN`..1. `aggression` 1 is linear, more is steeper at first. */
export function warmthAt(ageMs: number, windowMs: number, aggression: number): number {
  if (ageMs >= windowMs) return 1;
  const age = Math.max(ageMs, AGE_MIN_MS) / windowMs;
  return Math.min(1, Math.max(WARMTH_MIN, age ** (1 / aggression)));
}

/** A target in rotation: since when, and whether it was let in cold. */
interface Entry {
  readonly joinedMs: number;
  readonly reason: "group-start" | "no-warm-peer" | "warming";
}

/** Start of warming of a target that is warm whatever the time. */
const ALWAYS_WARM = -Infinity;

/**
 * The slow start of one group. It knows since when each target has been healthy, by id, and answers by target number.
 * A target in use while it is not healthy (panic) counts in full.
 */
export class SlowStart {
  readonly #windowMs: number;
  readonly #aggression: number;
  #ids: readonly string[] = [];
  #entries: ReadonlyMap<string, Entry> = new Map();
  /** Start of warming by target number. */
  #warmingSinceMs = new Float64Array(0);
  #groupStartMs = 0;

  /** `windowMs` is the time to full warmth, 0 = off. */
  constructor(windowMs: number, aggression: number = 1) {
    this.#windowMs = windowMs;
    this.#aggression = aggression;
  }

  /** Renumbers: `ids[index]` is the target with that number. Who is gone is forgotten. */
  setTargets(ids: readonly string[]): void {
    this.#ids = ids;
    const present = new Set(ids);
    this.#keep([...this.#entries].filter(([id]) => present.has(id)));
  }

  /** Tells the numbers of all healthy targets. Who was not among them the last time starts warming, if the rules allow. */
  setHealthy(indexes: readonly number[], nowMs: number): void {
    if (this.#entries.size === 0) this.#groupStartMs = nowMs;
    const healthy = new Set(indexes.map((index) => this.#ids[index] ?? ""));
    const stay = [...this.#entries].filter(([id]) => healthy.has(id));
    const known = new Set(stay.map(([id]) => id));
    // Only peers that stay can carry the load of a new one.
    const reason = this.#reasonToJoin(stay, nowMs);
    const joined = [...healthy]
      .filter((id) => !known.has(id))
      .map((id) => [id, { joinedMs: nowMs, reason }] as const);
    this.#keep([...stay, ...joined]);
  }

  /** Share of its weight that counts now, `WARMTH_MIN`..1. Allocates nothing. */
  warmth(index: number, nowMs: number): number {
    const sinceMs = this.#warmingSinceMs[index] ?? ALWAYS_WARM;
    return sinceMs === ALWAYS_WARM ? 1 : warmthAt(nowMs - sinceMs, this.#windowMs, this.#aggression);
  }

  /** Why the warmth is what it is, for display. */
  reason(index: number, nowMs: number): WarmthReason {
    if (this.#windowMs === 0) return "off";
    const entry = this.#entries.get(this.#ids[index] ?? "");
    if (entry === undefined) return "not-healthy";
    return entry.reason === "warming" && this.#isWarm(entry, nowMs) ? "warmed-up" : entry.reason;
  }

  #reasonToJoin(peers: readonly (readonly [string, Entry])[], nowMs: number): Entry["reason"] {
    if (nowMs - this.#groupStartMs < this.#windowMs) return "group-start";
    return peers.some(([, entry]) => this.#isWarm(entry, nowMs)) ? "warming" : "no-warm-peer";
  }

  #isWarm({ reason, joinedMs }: Entry, nowMs: number): boolean {
    return reason !== "warming" || nowMs - joinedMs >= this.#windowMs;
  }

  #keep(entries: readonly (readonly [string, Entry])[]): void {
    this.#entries = new Map(entries);
    this.#warmingSinceMs = Float64Array.from(this.#ids, (id) => {
      const entry = this.#entries.get(id);
      return entry?.reason === "warming" ? entry.joinedMs : ALWAYS_WARM;
    });
  }
}
