/**
 * Active checks of one gateway: one worker, the leader, asks; all workers read what it found off the scoreboard.
 *
 * The leader is the live worker with the lowest column. No vote is needed: everybody sees the same heartbeats, and
 * while two believe they lead (a second after a death) targets are merely asked twice.
 */
import type { Clock, Log, Random, Scheduler } from "../../base/index.ts";
import type { HealthConfig, Target, TargetGroup } from "../../config/index.ts";
import { ActiveChecks, type CheckReport, type CheckTarget } from "../../health/index.ts";
import { probe } from "../../health/io/index.ts";
import { HEALTH, type Scoreboard } from "../scoreboard.ts";

/** A worker whose heart (every 500 ms) has not beaten for this long does not lead. */
const LEADER_SILENCE_MS = 2_000;

interface Checked extends CheckTarget {
  readonly policy: HealthConfig;
  readonly group: string;
  readonly target: Target;
}

/** What the checks work with. */
export interface HealthChecksContext {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  readonly scoreboard: Scoreboard;
  readonly index: number;
}

export class HealthChecks {
  readonly #context: HealthChecksContext;
  readonly #checks: ActiveChecks<Checked>;
  #groups: readonly TargetGroup[] = [];
  #leads = false;

  constructor(context: HealthChecksContext) {
    const { clock, scheduler, random } = context;
    this.#context = context;
    this.#checks = new ActiveChecks({
      clock,
      scheduler,
      random,
      probe: ({ target, policy }) => probe(target.address, policy),
      onReport: (report) => this.#publish(report),
    });
  }

  get leads(): boolean {
    return this.#leads;
  }

  setGroups(groups: readonly TargetGroup[]): void {
    if (this.#leads) this.#forgetThoseWhoLeft(groups);
    this.#groups = groups;
    this.#forgetUnchecked();
    this.sweep();
    if (this.#leads) this.#checks.setTargets(groups.flatMap(checkedTargets));
  }

  /** Takes the lead, or gives it up, as heartbeats say. */
  sweep(): void {
    const leads = this.#shouldLead();
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.#checks.setTargets(leads ? this.#groups.flatMap((group) => this.#withKnown(group)) : []);
  }

  stop(): void {
    this.#checks.stop();
  }

  #shouldLead(): boolean {
    const { scoreboard, clock, index } = this.#context;
    const wallMs = clock.wallMs();
    const isLive = (column: (typeof scoreboard.columns)[number]): boolean =>
      column.pid !== 0 && !column.stopping && wallMs - column.heartbeatMs < LEADER_SILENCE_MS;
    return scoreboard.columns.findIndex((column, i) => i === index || isLive(column)) === index;
  }

  #publish({ target: { target, group }, state, result, changed }: CheckReport<Checked>): void {
    if (state.kind === "new") return;
    this.#context.scoreboard.setHealth(
      target.slot,
      state.kind === "healthy" ? HEALTH.healthy : HEALTH.unhealthy,
    );
    if (changed) this.#context.log.info(`target-${state.kind}`, { group, target: target.id, ...result });
  }

  /** A new leader begins with what the last one found, so that a target does not flap when the lead changes. */
  #withKnown(group: TargetGroup): Checked[] {
    return checkedTargets(group).map((checked) => {
      const health = this.#context.scoreboard.health(checked.target.slot);
      if (health !== HEALTH.healthy) return checked;
      return { ...checked, known: { kind: "healthy", failures: 0 } as const };
    });
  }

  /** Another target may get the rows of those that left: it must not inherit their health. */
  #forgetThoseWhoLeft(groups: readonly TargetGroup[]): void {
    const kept = new Set(groups.flatMap(({ targets }) => targets.map(({ slot }) => slot)));
    for (const { targets } of this.#groups) {
      for (const { slot } of targets) if (!kept.has(slot)) this.#context.scoreboard.clearSlot(slot);
    }
  }

  /** A target that is no longer checked counts as unknown, that is: usable. */
  #forgetUnchecked(): void {
    for (const group of this.#groups) {
      if (group.health !== undefined) continue;
      for (const { slot } of group.targets) this.#context.scoreboard.setHealth(slot, HEALTH.unknown);
    }
  }
}

/** Draining targets are not asked: they are on their way out, and may close their health path first. */
function checkedTargets(group: TargetGroup): Checked[] {
  const policy = group.health;
  if (policy === undefined) return [];
  return group.targets
    .filter(({ state }) => state === "active")
    .map((target) => ({ key: `${group.name} ${target.id}`, policy, group: group.name, target }));
}
