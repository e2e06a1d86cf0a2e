/**
 * Active checks: asks every target at its interval, steps its state by the answers, and reports each.
 *
 * Each target has one timer. When it fires the check runs, or queues behind the bound on concurrent checks; the next
 * timer is set when the check has ended, so two checks of one target never overlap. Sockets are the probe's
 * business: time, chance and the probe are arguments.
 */
import type { Cancel, Clock, Random, Scheduler } from "../base/index.ts";
import { type CheckPolicy, type CheckResult, NEW, step, type TargetState, waitMs } from "./target-state.ts";

/** Checks under way at once. At 100 ms each that is 640 a second; more at once would be a burst of connects. */
export const CHECKS_CONCURRENT_MAX = 64;

/** First checks of targets that come together spread over this long at most: soon, but not all in one instant. */
const FIRST_SPREAD_MS = 1_000;

/** How much longer than its timeout a probe may take to say so, before it is given up as hung. */
const PROBE_GRACE_MS = 1_000;

/** What is checked. The prober's own type adds the address and what to ask. */
export interface CheckTarget {
  /** Unique over all groups; the state is kept by it when the set changes. */
  readonly key: string;
  readonly policy: CheckPolicy;
  /** What is known already, as when checks are taken over from another process. Default: nothing. */
  readonly known?: TargetState;
}

/** Checks a target once. It should answer within the policy's timeout; to reject counts as `probe-error`. */
export type Probe<T extends CheckTarget> = (target: T) => Promise<CheckResult>;

/** One check that ended. */
export interface CheckReport<T extends CheckTarget> {
  readonly target: T;
  readonly result: CheckResult;
  readonly state: TargetState;
  /** Whether the target became healthy or unhealthy by it. */
  readonly changed: boolean;
}

/** What active checks run on. */
export interface ActiveChecksContext<T extends CheckTarget> {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly probe: Probe<T>;
  readonly onReport: (report: CheckReport<T>) => void;
}

/** One target's check: waiting for its timer, queued, or under way. */
interface Check<T extends CheckTarget> {
  target: T;
  state: TargetState;
  startedMs: number;
  /** Ends the wait for the timer; nothing to end while queued or under way. */
  cancel: Cancel | undefined;
  /** False until the first check has ended. */
  settled: boolean;
}

/** The active checks of all groups of one process. */
export class ActiveChecks<T extends CheckTarget> {
  readonly #context: ActiveChecksContext<T>;
  readonly #checks = new Map<string, Check<T>>();
  /** Checks that are due and wait for one under way to end, oldest first. */
  readonly #queue = new Set<Check<T>>();
  #underWay = 0;

  constructor(context: ActiveChecksContext<T>) {
    this.#context = context;
  }

  /** Replaces the targets. Who stays keeps its state and its turn; who is new is checked within a second. */
  setTargets(targets: readonly T[]): void {
    const keys = new Set(targets.map(({ key }) => key));
    for (const key of this.#checks.keys()) if (!keys.has(key)) this.#forget(key);
    const joining = targets.filter((target) => !this.#stays(target));
    for (const [place, target] of joining.entries()) this.#join(target, place / joining.length);
  }

  /** What is known of a target; undefined for one that is not checked. */
  state(key: string): TargetState | undefined {
    return this.#checks.get(key)?.state;
  }

  /** Ends all checks. Those under way are no longer reported. */
  stop(): void {
    this.setTargets([]);
  }

  #forget(key: string): void {
    const check = this.#checks.get(key);
    this.#checks.delete(key);
    if (check === undefined) return;
    this.#queue.delete(check);
    check.cancel?.();
  }

  /** Gives a target that is checked already its new settings; false when it is not. */
  #stays(target: T): boolean {
    const check = this.#checks.get(target.key);
    if (check === undefined) return false;
    const paceChanged = check.target.policy.intervalMs !== target.policy.intervalMs;
    check.target = target;
    if (paceChanged && check.cancel !== undefined) {
      check.cancel();
      this.#wait(check);
    }
    return true;
  }

  #join(target: T, fraction: number): void {
    const startedMs = this.#context.clock.nowMs();
    const state = target.known ?? NEW;
    const check: Check<T> = { target, state, startedMs, cancel: undefined, settled: false };
    this.#checks.set(target.key, check);
    this.#after(check, fraction * Math.min(FIRST_SPREAD_MS, target.policy.intervalMs));
  }

  #after(check: Check<T>, delayMs: number): void {
    check.cancel = this.#context.scheduler.after(delayMs, () => {
      check.cancel = undefined;
      this.#queue.add(check);
      this.#runQueued();
    });
  }

  /** Sets the timer of the next check, counted from the start of the last one. */
  #wait(check: Check<T>): void {
    const { clock, random } = this.#context;
    const restMs = check.startedMs + waitMs(check.state, check.target.policy, random()) - clock.nowMs();
    this.#after(check, Math.max(0, restMs));
  }

  #runQueued(): void {
    for (const check of this.#queue) {
      if (this.#underWay >= CHECKS_CONCURRENT_MAX) return;
      this.#queue.delete(check);
      this.#run(check);
    }
  }

  #run(check: Check<T>): void {
    const { clock, scheduler } = this.#context;
    const { target } = check;
    this.#underWay++;
    check.startedMs = clock.nowMs();
    let ended = false;
    const end = (result: CheckResult): void => {
      if (ended) return;
      ended = true;
      giveUp();
      this.#end(check, result);
    };
    const giveUp = scheduler.after(target.policy.timeoutMs + PROBE_GRACE_MS, () =>
      end({ kind: "fail", reason: "timeout" }),
    );
    void this.#ask(target).then(end);
  }

  async #ask(target: T): Promise<CheckResult> {
    try {
      return await this.#context.probe(target);
    } catch (error) {
      return { kind: "fail", reason: "probe-error", detail: String(error) };
    }
  }

  #end(check: Check<T>, result: CheckResult): void {
    this.#underWay--;
    // A target that left meanwhile, or left and came back, has no use for this result.
    if (this.#checks.get(check.target.key) === check) this.#settle(check, result);
    this.#runQueued();
  }

  #settle(check: Check<T>, result: CheckResult): void {
    const before = check.state;
    check.state = step(before, result, check.target.policy);
    if (check.settled) this.#wait(check);
    else this.#spread(check);
    check.settled = true;
    const changed = before.kind !== check.state.kind;
    this.#context.onReport({ target: check.target, result, state: check.state, changed });
  }

  /** The second check comes anywhere within the interval, so that targets which came together do not stay in step. */
  #spread(check: Check<T>): void {
    const { random } = this.#context;
    this.#after(check, waitMs(check.state, check.target.policy, 0.5) * random());
  }
}
