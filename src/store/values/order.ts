/**
 * The order of a large sorted set: (score, member) ascending, as sorted runs of up to 256 members, themselves in order.
 *
 * A position is found by counting over the runs, a score by binary search over the runs and then within one. A hundred
 * thousand members are four hundred runs: about what a skip list steps over, in memory that lies together.
 */

import type { Weight } from "../memory/dict.ts";

/** Members of one run. Moving half of them costs less than a cache miss. */
const RUN_MAX = 256;

interface Run {
  readonly scores: Float64Array;
  /** Entries of the set's table. */
  readonly refs: Int32Array;
  count: number;
}

/** Compares two members by their bytes. */
export type CompareMembers = (a: number, b: number) => number;

/** Bytes of a run. */
const RUN_BYTES: number = RUN_MAX * 12 + 200;

export class Order {
  length = 0;
  /** The member that was found last. */
  ref = 0;
  score = 0;
  readonly #compare: CompareMembers;
  readonly #runs: Run[] = [];

  readonly #weight: Weight;

  constructor(weight: Weight, compare: CompareMembers) {
    this.#weight = weight;
    this.#compare = compare;
  }

  get heldBytes(): number {
    return this.#runs.length * RUN_BYTES;
  }

  /** Gives its memory up. */
  dispose(): void {
    this.#weight.bytes -= this.#runs.length * RUN_BYTES;
  }

  add(score: number, ref: number): void {
    let number = this.#runOf(score, ref);
    if (number === this.#runs.length) number = Math.max(0, number - 1);
    const run = this.#runs[number] ?? this.#newRun(0);
    const at = this.#within(run, score, ref);
    if (run.count === RUN_MAX) {
      this.#split(number);
      this.add(score, ref);
      return;
    }
    run.scores.copyWithin(at + 1, at, run.count);
    run.refs.copyWithin(at + 1, at, run.count);
    run.scores[at] = score;
    run.refs[at] = ref;
    run.count++;
    this.length++;
  }

  /** Takes a member out, which must be there with this score. */
  remove(score: number, ref: number): void {
    const number = this.#runOf(score, ref);
    const run = this.#runs[number];
    if (run === undefined) return;
    const at = this.#within(run, score, ref);
    run.scores.copyWithin(at, at + 1, run.count);
    run.refs.copyWithin(at, at + 1, run.count);
    run.count--;
    this.length--;
    if (run.count === 0) this.#dropRun(number);
    else this.#join(number);
  }

  /** How many members stand before (score, ref). */
  rank(score: number, ref: number): number {
    const number = this.#runOf(score, ref);
    const run = this.#runs[number];
    return this.#countBefore(number) + (run === undefined ? 0 : this.#within(run, score, ref));
  }

  /** How many members `isBefore` holds for, which must be the first ones. */
  countWhile(isBefore: (score: number, ref: number) => boolean): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      const last = (run?.count ?? 1) - 1;
      if (isBefore(run?.scores[last] ?? 0, run?.refs[last] ?? 0)) low = middle + 1;
      else high = middle;
    }
    const run = this.#runs[low];
    if (run === undefined) return this.length;
    let from = 0;
    let to = run.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (isBefore(run.scores[middle] ?? 0, run.refs[middle] ?? 0)) from = middle + 1;
      else to = middle;
    }
    return this.#countBefore(low) + from;
  }

  /** Finds the member at `rank`, from 0. */
  at(rank: number): boolean {
    let left = rank;
    for (const run of this.#runs) {
      if (left < run.count) {
        this.ref = run.refs[left] ?? 0;
        this.score = run.scores[left] ?? 0;
        return true;
      }
      left -= run.count;
    }
    return false;
  }

  /** Visits `count` members from `rank` on; downwards when `reverse`. */
  each(rank: number, count: number, reverse: boolean, visit: (ref: number, score: number) => void): void {
    let number = 0;
    let left = rank;
    for (; left >= (this.#runs[number]?.count ?? Number.POSITIVE_INFINITY); number++)
      left -= this.#runs[number]?.count ?? 0;
    let at = left;
    const step = reverse ? -1 : 1;
    for (let i = 0; i < count; i++) {
      let run = this.#runs[number];
      if (run === undefined) return;
      if (at < 0 || at >= run.count) {
        number += step;
        run = this.#runs[number];
        if (run === undefined) return;
        at = reverse ? run.count - 1 : 0;
      }
      visit(run.refs[at] ?? 0, run.scores[at] ?? 0);
      at += step;
    }
  }

  #countBefore(number: number): number {
    let count = 0;
    for (let i = 0; i < number; i++) count += this.#runs[i]?.count ?? 0;
    return count;
  }

  /** The first run whose last member is not before (score, ref); as many as there are when none is. */
  #runOf(score: number, ref: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      if (run !== undefined && this.#isBefore(run, run.count - 1, score, ref)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #within(run: Run, score: number, ref: number): number {
    let low = 0;
    let high = run.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(run, middle, score, ref)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isBefore(run: Run, at: number, score: number, ref: number): boolean {
    const other = run.scores[at] ?? 0;
    if (other !== score) return other < score;
    const otherRef = run.refs[at] ?? 0;
    return otherRef !== ref && this.#compare(otherRef, ref) < 0;
  }

  #newRun(number: number): Run {
    const run = { scores: new Float64Array(RUN_MAX), refs: new Int32Array(RUN_MAX), count: 0 };
    this.#runs.splice(number, 0, run);
    this.#weight.bytes += RUN_BYTES;
    return run;
  }

  #split(number: number): void {
    const run = this.#runs[number];
    if (run === undefined) return;
    const upper = this.#newRun(number + 1);
    const half = run.count >> 1;
    upper.scores.set(run.scores.subarray(half, run.count));
    upper.refs.set(run.refs.subarray(half, run.count));
    upper.count = run.count - half;
    run.count = half;
  }

  /** Two neighbours that fill less than half a run together become one. */
  #join(number: number): void {
    const run = this.#runs[number];
    const next = this.#runs[number + 1];
    if (run === undefined || next === undefined || run.count + next.count > RUN_MAX / 2) return;
    run.scores.set(next.scores.subarray(0, next.count), run.count);
    run.refs.set(next.refs.subarray(0, next.count), run.count);
    run.count += next.count;
    this.#dropRun(number + 1);
  }

  #dropRun(number: number): void {
    this.#runs.splice(number, 1);
    this.#weight.bytes -= RUN_BYTES;
  }
}
