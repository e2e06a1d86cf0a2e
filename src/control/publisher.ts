/**
 * Publishing: from the config and the tasks to the snapshot that the data plane serves by, and back from its readings
 * to what reconciliation needs to know of a task.
 */
import {
  buildSnapshot,
  type Config,
  formatAddress,
  type Snapshot,
  type Target,
  type TaskTarget,
} from "../config/index.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Ledger, Records } from "./ledger.ts";
import type { RequestOutcome } from "./requests.ts";
import { processOf, type Task } from "./task.ts";
import type { TaskSignals } from "./view.ts";

/** Tasks run on this machine and are reached over loopback. */
export const TASK_HOST = "127.0.0.1";

/** What a publication came to. */
export type Published =
  | { readonly kind: "unchanged" }
  | { readonly kind: "published"; readonly snapshot: Snapshot }
  | { readonly kind: "refused"; readonly reason: string; readonly message: string };

/** Publishes snapshots and keeps track of where each task stands in them. */
export class Publisher {
  readonly #dataPlane: DataPlane;
  readonly #ledger: Ledger;
  #revision: number;
  #lastKey = "";
  /** The latest snapshot; also that of an earlier controller. */
  #latest: Snapshot | undefined;
  /** Its targets by address; the ports of this machine are unique, so one address is one task. */
  #targets: ReadonlyMap<string, Target> = new Map();
  /** Row of each task in the scoreboard; kept until the task is forgotten, since requests outlive a registration. */
  readonly #slots = new Map<string, number>();
  /** The first revision in which a leaving task gets no new requests. */
  readonly #drainedAt = new Map<string, number>();
  /** Tasks that are registered in this revision and for the first time; until it is acknowledged. */
  readonly #joining = new Map<string, number>();
  readonly #serving = new Set<string>();
  readonly #unhealthySince = new Map<string, number>();

  /** Targets taken out by hand, as "group address". */
  #drained: ReadonlySet<string>;

  /** `records` say which revision was used last in this state directory, and which targets are out by hand. */
  constructor(dataPlane: DataPlane, ledger: Ledger, records: Pick<Records, "snapshotRevision" | "drained">) {
    this.#dataPlane = dataPlane;
    this.#ledger = ledger;
    this.#take(dataPlane.latest());
    this.#drained = new Set(records.drained);
    this.#revision = Math.max(records.snapshotRevision, this.#latest?.revision ?? 0);
  }

  #take(snapshot: Snapshot | undefined): void {
    this.#latest = snapshot;
    const targets = snapshot?.targetGroups.flatMap((group) => group.targets) ?? [];
    this.#targets = new Map(targets.map((target) => [target.id, target]));
  }

  get latest(): Snapshot | undefined {
    return this.#latest;
  }

  /** Publishes when the config or the set of registered tasks differs from what was published last. */
  async publish(config: Config, tasks: readonly Task[]): Promise<Published> {
    const targets = this.#targetsOf(config, tasks);
    const key = JSON.stringify([
      config.gateway,
      config.listeners,
      config.targetGroups,
      targets,
      [...this.#drained],
    ]);
    const published: Published =
      key === this.#lastKey ? { kind: "unchanged" } : await this.#build(config, targets);
    if (published.kind === "published") this.#lastKey = key;
    this.#note(tasks);
    return published;
  }

  async #build(config: Config, tasks: readonly TaskTarget[]): Promise<Published> {
    const revision = this.#revision + 1;
    const outcome = buildSnapshot({ config, tasks, previous: this.#latest, revision });
    if (outcome.kind === "refused") return outcome;
    // The number is written down first: whatever happens next, it is never used again.
    await this.#ledger.putSnapshotRevision(revision);
    this.#revision = revision;
    await this.#forgetDrained(outcome.snapshot);
    const snapshot = withoutDrained(outcome.snapshot, this.#drained);
    await this.#dataPlane.publish(snapshot);
    this.#take(snapshot);
    return { kind: "published", snapshot };
  }

  /** A target that is gone is no longer out by hand: another one may get its address. */
  async #forgetDrained(snapshot: Snapshot): Promise<void> {
    const known = snapshot.targetGroups.flatMap(({ name, targets }) =>
      targets.map(({ id }) => keyOf(name, id)),
    );
    const kept = [...this.#drained].filter((key) => known.includes(key));
    if (kept.length === this.#drained.size) return;
    await this.#ledger.putDrained(kept);
    this.#drained = new Set(kept);
  }

  /** Takes a target out by hand, or back in; takes effect with the next publication. */
  async drain(group: string, target: string, undo: boolean): Promise<RequestOutcome> {
    const targets = this.#latest?.targetGroups.find(({ name }) => name === group)?.targets ?? [];
    if (!targets.some(({ id }) => id === target)) {
      const known = targets.map(({ id }) => id).join(", ") || "none";
      const message = `no target ${target} in group ${group}: there is ${known}`;
      return { kind: "refused", reason: "unknown-target", message };
    }
    const others = [...this.#drained].filter((key) => key !== keyOf(group, target));
    const drained = undo ? others : [...others, keyOf(group, target)];
    await this.#ledger.putDrained(drained);
    this.#drained = new Set(drained);
    return {
      kind: "accepted",
      message: `${target} of ${group} ${undo ? "gets requests again" : "is draining"}`,
    };
  }

  #targetsOf(config: Config, tasks: readonly Task[]): TaskTarget[] {
    const served = new Set(config.targetGroups.map((group) => group.service));
    return tasks.flatMap((task) => {
      const port = processOf(task)?.port;
      const state = served.has(task.service) ? this.#stateOf(task) : undefined;
      if (port === undefined || state === undefined) return [];
      return [{ service: task.service, address: { host: TASK_HOST, port }, state }];
    });
  }

  #stateOf(task: Task): Target["state"] | undefined {
    switch (task.state.kind) {
      case "healthy":
        return "active";
      case "draining":
        return "draining";
      case "stopping":
        // Registered until it is gone, unless it never was: what is in flight past the deadline is still its own.
        return this.#targetOf(task) === undefined ? undefined : "draining";
      case "pending":
      case "starting":
      case "backoff":
      case "stopped":
        return undefined;
    }
  }

  #targetOf(task: Task): Target | undefined {
    const port = processOf(task)?.port;
    if (port === undefined) return undefined;
    return this.#targets.get(formatAddress({ host: TASK_HOST, port }));
  }

  /** Remembers rows, and since which revision each leaving task gets nothing new. */
  #note(tasks: readonly Task[]): void {
    const ids = new Set(tasks.map((task) => task.id));
    for (const known of [this.#slots, this.#drainedAt, this.#unhealthySince, this.#joining, this.#serving]) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    }
    for (const task of tasks) this.#noteTask(task, this.#targetOf(task));
  }

  #noteTask(task: Task, target: Target | undefined): void {
    if (target !== undefined) this.#slots.set(task.id, target.slot);
    this.#noteJoining(task, target);
    if (task.state.kind !== "draining") this.#drainedAt.delete(task.id);
    else if (target?.state !== "active" && this.#latest !== undefined && !this.#drainedAt.has(task.id))
      this.#drainedAt.set(task.id, this.#latest.revision);
  }

  #noteJoining({ id, state }: Task, target: Target | undefined): void {
    if (state.kind !== "healthy" || target === undefined) {
      this.#joining.delete(id);
      this.#serving.delete(id);
    } else if (!this.#serving.has(id) && !this.#joining.has(id)) {
      this.#joining.set(id, this.#latest?.revision ?? 0);
    }
  }

  /** Whether a task is registered, and every worker there was then knows of it. One that has just died is not. */
  isServing(task: Task): boolean {
    if (task.state.kind !== "healthy") return false;
    const since = this.#joining.get(task.id);
    if (since !== undefined && this.#dataPlane.ackedBy(since) === "all") {
      this.#joining.delete(task.id);
      this.#serving.add(task.id);
    }
    return this.#serving.has(task.id);
  }

  /** What the data plane says of a task. */
  signals(task: Task, nowMs: number): TaskSignals {
    const drainedAt = this.#drainedAt.get(task.id);
    const slot = this.#slots.get(task.id);
    return {
      drainAcked: drainedAt === undefined ? "waiting" : this.#dataPlane.ackedBy(drainedAt),
      inFlight: slot === undefined ? 0 : this.#dataPlane.inFlight(slot),
      unhealthyForMs: this.#unhealthyForMs(task, slot, nowMs),
    };
  }

  #unhealthyForMs(task: Task, slot: number | undefined, nowMs: number): number {
    const isBad =
      task.state.kind === "healthy" && slot !== undefined && this.#dataPlane.healthy(slot) === false;
    if (!isBad) {
      this.#unhealthySince.delete(task.id);
      return 0;
    }
    const since = this.#unhealthySince.get(task.id) ?? nowMs;
    this.#unhealthySince.set(task.id, since);
    return Math.max(1, nowMs - since);
  }

  /** Requests in flight to a target group; undefined = cannot be told. */
  groupInFlight(name: string): number | undefined {
    const group = this.#latest?.targetGroups.find((candidate) => candidate.name === name);
    return group === undefined ? undefined : this.#dataPlane.groupInFlight(group.slot);
  }

  /** Whether all workers serve by the latest snapshot. */
  acked(): ReturnType<DataPlane["ackedBy"]> {
    return this.#dataPlane.ackedBy(this.#latest?.revision ?? 0);
  }
}

/** Names hold no space, so the two halves cannot run into each other. */
function keyOf(group: string, target: string): string {
  return `${group} ${target}`;
}

/** The snapshot with the targets that were taken out by hand draining. */
function withoutDrained(snapshot: Snapshot, drained: ReadonlySet<string>): Snapshot {
  if (drained.size === 0) return snapshot;
  const targetGroups = snapshot.targetGroups.map((group) => ({
    ...group,
    targets: group.targets.map((target) =>
      drained.has(keyOf(group.name, target.id)) ? { ...target, state: "draining" as const } : target,
    ),
  }));
  return { ...snapshot, targetGroups };
}
