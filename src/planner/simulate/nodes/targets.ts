/**
 * The tasks of a service as the targets of a gateway: production's target group and scoreboard, and active checks.
 *
 * What the controller and the snapshot do between the two is here a table of tasks and slots. Targets are numbered as in
 * the group: anew whenever the set of tasks changes.
 */
import type { Random } from "../../../base/index.ts";
import type { Target } from "../../../config/index.ts";
import { formatScoreboard, Group, Scoreboard, scoreboardBytes } from "../../../gateway/index.ts";
import type { GatewayDesign } from "../design.ts";
import { NONE } from "../visits.ts";
import type { World } from "../world.ts";
import { HealthChecks } from "./health-checks.ts";
import type { Service } from "./service.ts";

/** How often ejections are looked through, as the gateway's own sweep. */
const SWEEP_MS = 1000;

/** Fields of a target that a simulation has no use for. */
const HOST = "10.0.0.1";

/** Row of the group in its scoreboard, which it has for itself. */
const ROW = 0;

/** What targets are made of. */
export interface TargetsContext {
  readonly world: World;
  readonly random: Random;
  readonly service: Service;
  /** A place may have come free. */
  readonly changed: () => void;
}

/** The targets of one gateway. */
export class Targets {
  readonly #design: GatewayDesign;
  readonly #context: TargetsContext;
  readonly #scoreboard: Scoreboard = emptyScoreboard();
  readonly #group: Group;
  readonly #checks: HealthChecks;
  /** By target: its task, and the slot in the scoreboard. */
  #tasks: Int32Array = new Int32Array(0);
  #slots: Int32Array = new Int32Array(0);
  /** By task: its slot; kept as long as the task is in the group. */
  readonly #slotOf = new Map<number, number>();
  readonly #freeSlots: number[] = [];
  #slotsUsed = 0;

  constructor(design: GatewayDesign, context: TargetsContext) {
    const { world, random, service } = context;
    this.#design = design;
    this.#context = context;
    const nowMs = (): number => world.nowMs;
    this.#group = new Group(this.#spec([]), {
      scoreboard: this.#scoreboard,
      column: this.#column,
      random,
      nowMs,
    });
    this.#checks = new HealthChecks(design.group.health, { world, random, service }, (task, health) =>
      this.#scoreboard.setHealth(this.#slotOf.get(task) ?? 0, health),
    );
    service.onChange(() => this.#follow());
    this.#follow();
    world.every(SWEEP_MS, () => {
      this.#group.sweep();
      context.changed();
    });
  }

  get group(): Group {
    return this.#group;
  }
  /** Requests under way to all of them. */
  get inFlight(): number {
    return this.#scoreboard.groupInFlight(ROW);
  }

  /** The balancer's choice, or any target with a place, or the choice to wait for; `NONE` when the group is empty. */
  choose(hash: number, exclude: number): number {
    const chosen = this.#group.pick(hash, exclude);
    if (chosen < 0 || this.hasPlace(chosen)) return chosen;
    const least = this.#leastUsed(exclude);
    return least < 0 ? chosen : least;
  }

  hasPlace(target: number): boolean {
    return this.#scoreboard.inFlight(this.#slots[target] ?? 0) < this.#design.group.connections.perTargetMax;
  }

  /** A request begins at the target; its slot, which keeps while targets are renumbered. */
  begin(target: number): number {
    const slot = this.#slots[target] ?? 0;
    this.#column.moveInFlight(slot, ROW, 1);
    return slot;
  }
  end(slot: number): void {
    this.#column.moveInFlight(slot, ROW, -1);
  }

  taskOf(target: number): number {
    return this.#tasks[target] ?? 0;
  }
  /** Whether the number still means the target that has this slot. */
  isAt(target: number, slot: number): boolean {
    return this.#slots[target] === slot;
  }

  #leastUsed(exclude: number): number {
    let least: number = NONE;
    let leastInFlight = this.#design.group.connections.perTargetMax;
    for (const target of this.#group.usable) {
      const inFlight = this.#scoreboard.inFlight(this.#slots[target] ?? 0);
      if (target === exclude || inFlight >= leastInFlight) continue;
      least = target;
      leastInFlight = inFlight;
    }
    return least;
  }

  get #column() {
    const [column] = this.#scoreboard.columns;
    if (column === undefined) throw new Error("simulate: a scoreboard without a column");
    return column;
  }

  /** The tasks that take requests, and those that drain, are the group's targets. */
  #follow(): void {
    const { living } = this.#context.service.tasks;
    const tasks = living.filter(({ state }) => state === "ready" || state === "draining");
    const staying = new Set(tasks.map(({ number }) => number));
    for (const [task, slot] of this.#slotOf) {
      if (staying.has(task)) continue;
      this.#slotOf.delete(task);
      this.#scoreboard.clearSlot(slot);
      this.#freeSlots.push(slot);
    }
    const targets = tasks.map(({ number, state }) => this.#target(number, state === "draining"));
    this.#tasks = Int32Array.from(tasks, ({ number }) => number);
    this.#slots = Int32Array.from(targets, ({ slot }) => slot);
    this.#group.update(this.#spec(targets));
    this.#checks.follow(tasks);
    this.#context.changed();
  }

  #target(task: number, draining: boolean): Target {
    const slot = this.#slotOf.get(task) ?? this.#freeSlots.pop() ?? this.#slotsUsed++;
    this.#slotOf.set(task, slot);
    const address = { host: HOST, port: task };
    return { id: `${HOST}:${task}`, address, weight: 1, slot, state: draining ? "draining" : "active" };
  }

  #spec(targets: readonly Target[]) {
    return { ...this.#design.group, name: this.#design.to, slot: ROW, targets };
  }
}

function emptyScoreboard(): Scoreboard {
  const block = new Uint8Array(scoreboardBytes(1));
  formatScoreboard(block, 1);
  return new Scoreboard(block);
}
