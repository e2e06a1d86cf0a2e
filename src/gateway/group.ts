/**
 * A target group at work in one gateway worker: which targets may be used, which one is next, how each one does.
 *
 *   snapshot (targets, draining) + scoreboard (active checks) + ejector (passive checks)
 *     -> usable targets (or all of them, in panic) -> balancer -> pick
 *
 * Pure: it sees time and load through its context and opens nothing. Targets are numbered by their place in the
 * snapshot's list; the numbers change only in `update`.
 */
import {
  type Balancer,
  type Candidate,
  createBalancer,
  type Load,
  SlowStart,
  usableTargets,
} from "../balance/index.ts";
import type { EjectionConfig, Target, TargetGroup } from "../config/index.ts";
import { Ejector, type Outcome } from "../health/index.ts";
import { RetryBudget } from "../resilience/index.ts";
import {
  type Column,
  GROUP_COUNTER,
  HEALTH,
  type Health,
  type Scoreboard,
  TARGET_COUNTER,
} from "./scoreboard.ts";

/** What a group reads and writes. */
export interface GroupContext {
  readonly scoreboard: Scoreboard;
  /** This worker's own column. */
  readonly column: Column;
  readonly random: () => number;
  readonly nowMs: () => number;
}

export class Group {
  #spec: TargetGroup;
  readonly #context: GroupContext;
  #balancer: Balancer;
  #ejector: Ejector;
  #slowStart: SlowStart;
  #retryBudget: RetryBudget;
  #slots: Int32Array = new Int32Array(0);
  /** Health of each target as it was when it was last looked at. */
  #health: readonly Health[] = [];
  #healthVersion = -1;
  #usable: readonly number[] = [];
  #panic = false;
  #down = false;

  constructor(spec: TargetGroup, context: GroupContext) {
    this.#spec = spec;
    this.#context = context;
    this.#balancer = this.#createBalancer();
    this.#ejector = new Ejector(spec.ejection);
    this.#slowStart = new SlowStart(spec.slowStartMs);
    this.#retryBudget = new RetryBudget(spec.retryBudget);
    this.#adopt();
  }

  get spec(): TargetGroup {
    return this.#spec;
  }
  get name(): string {
    return this.#spec.name;
  }
  get targets(): readonly Target[] {
    return this.#spec.targets;
  }
  /** Numbers of the targets that may be picked. */
  get usable(): readonly number[] {
    return this.#usable;
  }
  /** True while so few targets are healthy that health is ignored. */
  get panic(): boolean {
    return this.#panic;
  }

  /** Whether no target is well, or there is none: not even panic will find somebody who answers. */
  get isDown(): boolean {
    if (this.#healthVersion !== this.#context.scoreboard.healthVersion) this.#followHealth();
    return this.#down;
  }

  /** Takes over a new version of the group. What is known about targets that stay is kept. */
  update(spec: TargetGroup): void {
    const previous = this.#spec;
    this.#spec = spec;
    this.#forget(previous, spec.targets);
    if (!sameBalancing(previous, spec)) this.#balancer = this.#createBalancer();
    if (!sameEjection(previous.ejection, spec.ejection)) this.#ejector = new Ejector(spec.ejection);
    if (previous.slowStartMs !== spec.slowStartMs) this.#slowStart = new SlowStart(spec.slowStartMs);
    if (!sameBudget(previous, spec)) this.#retryBudget = new RetryBudget(spec.retryBudget);
    this.#adopt();
  }

  /** A request for the group has come: it adds to the budget of those that may be sent again. */
  began(): void {
    this.#retryBudget.deposit(this.#context.nowMs());
  }

  /** Whether one more request may be sent again now; if so it is taken out of the budget, else counted as refused. */
  takeRetry(): boolean {
    const within = this.#retryBudget.withdraw(this.#context.nowMs());
    const counter = within ? GROUP_COUNTER.retries : GROUP_COUNTER.retriesRefused;
    this.#context.column.countGroup(this.#spec.slot, counter, 1);
    return within;
  }

  /** The number of the target for a request whose key hashes to `hash`; -1 when the group has none. */
  pick(hash: number, exclude: number): number {
    if (this.#healthVersion !== this.#context.scoreboard.healthVersion) this.#followHealth();
    if (this.#panic) this.#context.column.countGroup(this.#spec.slot, GROUP_COUNTER.panicPicks, 1);
    return this.#balancer.pick(hash, exclude);
  }

  /** Target `index` began to answer with `status`. */
  answered(index: number, status: number, latencyMs: number): void {
    const slot = this.#slots[index] ?? 0;
    this.#balancer.observe(index, latencyMs, false);
    this.#context.column.countTarget(slot, TARGET_COUNTER.requests);
    if (status >= 500) this.#context.column.countTarget(slot, TARGET_COUNTER.status5xx);
    this.#judge(index, status >= 500 ? "5xx" : "ok");
  }

  /** Target `index` never answered: it could not be reached, or it broke off. */
  failed(index: number, latencyMs: number): void {
    this.#balancer.observe(index, latencyMs, true);
    this.#context.column.countTarget(this.#slots[index] ?? 0, TARGET_COUNTER.failures);
    this.#judge(index, "failure");
  }

  /** Ends ejections whose time is over, and follows health. Called about once a second. */
  sweep(): void {
    const changed = this.#ejector.sweep(this.#context.nowMs());
    if (this.#healthVersion !== this.#context.scoreboard.healthVersion) this.#followHealth();
    else if (changed) this.#refresh();
  }

  /** The group is gone: what it said of its targets in this worker's column goes with it. */
  close(): void {
    this.#forget(this.#spec, []);
  }

  #judge(index: number, outcome: Outcome): void {
    const changed = this.#ejector.observe(index, outcome, this.#context.nowMs());
    if (!changed) return;
    this.#context.column.countTarget(this.#slots[index] ?? 0, TARGET_COUNTER.ejections);
    this.#refresh();
  }

  #createBalancer(): Balancer {
    const { random, nowMs } = this.#context;
    const { algorithm, boundedLoad } = this.#spec;
    return createBalancer(algorithm, { load: this.#load, random, nowMs, boundedLoad });
  }

  readonly #load: Load = {
    inFlight: (index) => this.#context.scoreboard.inFlight(this.#slots[index] ?? 0),
    warmth: (index) =>
      this.#spec.slowStartMs === 0 ? 1 : this.#slowStart.warmth(index, this.#context.nowMs()),
  };

  /** Renumbers after the list of targets changed. */
  #adopt(): void {
    const ids = this.#spec.targets.map((target) => target.id);
    this.#slots = Int32Array.from(this.#spec.targets, (target) => target.slot);
    this.#ejector.setTargets(ids);
    this.#slowStart.setTargets(ids);
    // Numbers have changed: what was seen of health belonged to the old ones.
    this.#health = [];
    this.#followHealth();
  }

  /** Another target may get the rows of those that left: it must not inherit what they counted. */
  #forget({ targets }: TargetGroup, stay: readonly Target[]): void {
    const kept = new Set(stay.map((target) => target.slot));
    for (const { slot } of targets) if (!kept.has(slot)) this.#context.column.clearTarget(slot);
  }

  /**
   * Reads health anew. A target that active checks find well again is let back in at once when it was ejected because it
   * could not be reached: the check has just reached it. Its answers are another matter, which checks say nothing of.
   */
  #followHealth(): void {
    const { scoreboard } = this.#context;
    this.#healthVersion = scoreboard.healthVersion;
    const before = this.#health;
    this.#health = this.#spec.targets.map(({ slot }) => scoreboard.health(slot));
    for (const [index, health] of this.#health.entries()) {
      const recovered = before[index] === HEALTH.unhealthy && health === HEALTH.healthy;
      if (recovered && this.#isUnreachable(index)) this.#ejector.release(index);
    }
    this.#refresh();
  }

  #isUnreachable(index: number): boolean {
    const status = this.#ejector.status(index);
    return status.kind === "ejected" && status.reason === "consecutive-failures";
  }

  /** Works out again who may be picked. */
  #refresh(): void {
    const { column, nowMs } = this.#context;
    const active = this.#spec.targets
      .map((target, index) => ({ target, index }))
      .filter(({ target }) => target.state === "active");
    const healthy = active.map(({ index }) => this.#isHealthy(index));
    const { usable, panic } = usableTargets(healthy, this.#spec.panicThreshold);
    this.#panic = panic;
    this.#down = !healthy.includes(true);
    for (const [index, target] of this.#spec.targets.entries()) {
      column.targetEjected[target.slot] = this.#ejector.isEjected(index) ? 1 : 0;
    }
    this.#slowStart.setHealthy(
      active.filter((_, i) => healthy[i] === true).map(({ index }) => index),
      nowMs(),
    );
    const candidates = usable.flatMap((i) => candidateOf(active[i]));
    this.#usable = candidates.map(({ index }) => index);
    this.#balancer.setTargets(candidates);
  }

  /** Unknown counts as healthy: a gateway that just started must serve before its first check is back. */
  #isHealthy(index: number): boolean {
    const isWell = this.#spec.health === undefined || this.#health[index] !== HEALTH.unhealthy;
    return isWell && !this.#ejector.isEjected(index);
  }
}

function candidateOf(entry: { target: Target; index: number } | undefined): Candidate[] {
  if (entry === undefined) return [];
  return [{ index: entry.index, id: entry.target.id, weight: entry.target.weight }];
}

function sameBalancing(a: TargetGroup, b: TargetGroup): boolean {
  return a.algorithm === b.algorithm && a.boundedLoad === b.boundedLoad;
}

function sameBudget({ retryBudget: a }: TargetGroup, { retryBudget: b }: TargetGroup): boolean {
  return a.ratio === b.ratio && a.perSecond === b.perSecond;
}

function sameEjection(a: EjectionConfig, b: EjectionConfig): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
