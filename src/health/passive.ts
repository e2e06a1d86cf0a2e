/**
 * Passive checks (outlier ejection, after Envoy): real responses take a target out of rotation for a while.
 *
 * 5xx responses and failures to respond are counted in a row and apart. The first ejection lasts `baseMs`, the n-th in
 * a row n times as long; every 10 s out of ejection take one off n. Never are more than a share of the group out.
 */

/** How a request to a target ended: an answer below 500, a 5xx answer, or none at all (connect failure, reset, timeout). */
export type Outcome = "ok" | "5xx" | "failure";

/** Settings of ejection. The shape of the config's `EjectionConfig`. */
export interface EjectionPolicy {
  /** 5xx in a row before ejection; 0 = off. */
  readonly consecutive5xx: number;
  /** Failures in a row before ejection; 0 = off. */
  readonly consecutiveFailures: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** Largest share of the group out at once, 0..1; one target may always be out when there are two. */
  readonly shareMax: number;
}

/** Why a target is out, or why it is not although it should be. */
export type EjectionReason = "consecutive-5xx" | "consecutive-failures";

/** One target's ejection, for display. */
export type EjectionStatus =
  | { readonly kind: "in" }
  /** It failed often enough, but as many as may be are out already. */
  | { readonly kind: "kept"; readonly because: "share-max"; readonly reason: EjectionReason }
  | { readonly kind: "ejected"; readonly reason: EjectionReason; readonly untilMs: number };

/** How long a target must be in rotation to take one off its multiplier, Envoy's sweep. */
const SWEEP_MS = 10_000;

/** End of the ejection of a target that is not ejected. */
const IN = -Infinity;

/** What is remembered of one target while the columns are renumbered. */
interface Memory {
  readonly run5xx: number;
  readonly runFailures: number;
  readonly untilMs: number;
  readonly times: number;
  readonly reason: EjectionReason | undefined;
}

const NO_MEMORY: Memory = { run5xx: 0, runFailures: 0, untilMs: IN, times: 0, reason: undefined };

/** The ejections of one group, in columns by target number. `nowMs` is monotonic. */
export class Ejector {
  readonly #policy: EjectionPolicy;
  #ids: readonly string[] = [];
  #run5xx = new Uint32Array(0);
  #runFailures = new Uint32Array(0);
  #untilMs = new Float64Array(0);
  /** Ejections in a row, the multiplier of the next. */
  #times = new Uint32Array(0);
  /** Why each target was last ejected. */
  #reasons: (EjectionReason | undefined)[] = [];
  #ejected = 0;
  #sweptMs = -Infinity;

  constructor(policy: EjectionPolicy) {
    this.#policy = policy;
  }

  /**
   * Renumbers: `ids[index]` is the target with that number. Who stays keeps its counts and its ejection; when the
   * group shrank so far that too many are out, those come back first whose time is nearly over.
   */
  setTargets(ids: readonly string[]): void {
    const known = new Map(this.#ids.map((id, index) => [id, this.#remember(index)]));
    const memories = ids.map((id) => known.get(id) ?? NO_MEMORY);
    this.#ids = ids;
    this.#run5xx = Uint32Array.from(memories, ({ run5xx }) => run5xx);
    this.#runFailures = Uint32Array.from(memories, ({ runFailures }) => runFailures);
    this.#untilMs = Float64Array.from(memories, ({ untilMs }) => untilMs);
    this.#times = Uint32Array.from(memories, ({ times }) => times);
    this.#reasons = memories.map(({ reason }) => reason);
    const out = [...ids.keys()].filter((index) => this.isEjected(index));
    this.#ejected = out.length;
    const soonest = out.toSorted((a, b) => this.#endMs(a) - this.#endMs(b));
    for (const index of soonest.slice(0, Math.max(0, out.length - this.#ejectedMax()))) this.release(index);
  }

  /** Counts one response, or the lack of one. True when the target was ejected by it. Allocates nothing. */
  observe(index: number, outcome: Outcome, nowMs: number): boolean {
    this.#count(index, outcome);
    if (outcome === "ok" || this.isEjected(index)) return false;
    const reason = this.#broken(index);
    if (reason === undefined || this.#ejected >= this.#ejectedMax()) return false;
    this.#reasons[index] = reason;
    const times = (this.#times[index] ?? 0) + 1;
    this.#times[index] = times;
    this.#untilMs[index] = nowMs + Math.min(this.#policy.baseMs * times, this.#policy.maxMs);
    this.#ejected++;
    return true;
  }

  /** Whether the target is out. An ejection lasts until the first sweep after its end. */
  isEjected(index: number): boolean {
    return this.#endMs(index) !== IN;
  }

  /** Ends an ejection before its time, as a passing active check does. True when there was one. */
  release(index: number): boolean {
    if (!this.isEjected(index)) return false;
    this.#untilMs[index] = IN;
    this.#run5xx[index] = 0;
    this.#runFailures[index] = 0;
    this.#ejected--;
    return true;
  }

  /** Ends the ejections whose time is over; to be called about once a second. True when there were any. O(targets). */
  sweep(nowMs: number): boolean {
    const before = this.#ejected;
    const forgives = nowMs - this.#sweptMs >= SWEEP_MS;
    if (forgives) this.#sweptMs = nowMs;
    for (let index = 0; index < this.#ids.length; index++) {
      const times = this.#times[index] ?? 0;
      if (!this.isEjected(index)) this.#times[index] = forgives ? Math.max(0, times - 1) : times;
      else if (this.#endMs(index) <= nowMs) this.release(index);
    }
    return this.#ejected !== before;
  }

  /** Whether and why the target is out, for display. */
  status(index: number): EjectionStatus {
    const ejectedFor = this.#reasons[index];
    if (this.isEjected(index) && ejectedFor !== undefined) {
      return { kind: "ejected", reason: ejectedFor, untilMs: this.#endMs(index) };
    }
    const reason = this.#broken(index);
    return reason === undefined ? { kind: "in" } : { kind: "kept", because: "share-max", reason };
  }

  #count(index: number, outcome: Outcome): void {
    const failures = this.#runFailures[index] ?? 0;
    const statuses = this.#run5xx[index] ?? 0;
    // A 5xx is an answer, so it ends a run of failures; a failure says nothing about statuses.
    this.#runFailures[index] = outcome === "failure" ? failures + 1 : 0;
    if (outcome !== "failure") this.#run5xx[index] = outcome === "5xx" ? statuses + 1 : 0;
  }

  /** Which run is long enough for an ejection, if any. */
  #broken(index: number): EjectionReason | undefined {
    const { consecutive5xx, consecutiveFailures } = this.#policy;
    if (isLong(this.#runFailures[index] ?? 0, consecutiveFailures)) return "consecutive-failures";
    return isLong(this.#run5xx[index] ?? 0, consecutive5xx) ? "consecutive-5xx" : undefined;
  }

  #endMs(index: number): number {
    return this.#untilMs[index] ?? IN;
  }

  /** How many may be out at once. */
  #ejectedMax(): number {
    const size = this.#ids.length;
    return Math.max(size >= 2 ? 1 : 0, Math.floor(size * this.#policy.shareMax));
  }

  #remember(index: number): Memory {
    return {
      run5xx: this.#run5xx[index] ?? 0,
      runFailures: this.#runFailures[index] ?? 0,
      untilMs: this.#endMs(index),
      times: this.#times[index] ?? 0,
      reason: this.#reasons[index],
    };
  }
}

/** Whether a run reached its limit; a limit of 0 is off. */
function isLong(run: number, limit: number): boolean {
  return limit > 0 && run >= limit;
}
