/**
 * A gateway before one service, on production's own code: the target group with its balancer, slow start, ejection and
 * panic; the states of active checks; the rule that says what may be sent again, and the retry budget.
 *
 * What is left to this file is what the gateway's sockets do: connections are counted, requests wait for one, deadlines
 * run out. It follows `gateway/io/attempts.ts` and `upstream-group.ts`.
 */
import type { Random } from "../../../base/index.ts";
import type { Target, TargetGroup } from "../../../config/index.ts";
import {
  formatScoreboard,
  type GatewayErrorCode,
  Group,
  maySendAgain,
  Scoreboard,
  scoreboardBytes,
} from "../../../gateway/index.ts";
import type { Deadlines } from "../deadlines.ts";
import type { GatewayDesign } from "../design.ts";
import { sampler } from "../distribution.ts";
import { IntQueue } from "../int-queue.ts";
import { OUTCOME, outcomeName } from "../outcomes.ts";
import { NONE } from "../visits.ts";
import type { Node, World } from "../world.ts";
import { HealthChecks } from "./health-checks.ts";
import { Server } from "./server.ts";
import type { Service } from "./service.ts";
import { basicsOf, passOn } from "./simple-node.ts";

/** How often ejections are looked through, as the gateway's own sweep. */
const SWEEP_MS = 1000;

/** Fields of a target that a simulation has no use for. */
const HOST = "10.0.0.1";

/** Visits of the gateway keep the target that they were sent to last in `unit`, and their attempts in `step`. */
export class Gateway implements Node {
  readonly name: string;
  readonly kind = "gateway";
  readonly usage: Node["usage"];
  readonly tally: Node["tally"];
  readonly pricePerMonth: number;
  readonly lagMs: () => number;
  readonly #design: GatewayDesign;
  readonly #world: World;
  readonly #service: Service;
  readonly #serviceNode: number;
  readonly #cpu: Server | undefined;
  readonly #scoreboard: Scoreboard;
  readonly #group: Group;
  readonly #waiting = new IntQueue();
  readonly #queueDeadlines: Deadlines;
  readonly #answerDeadlines: Deadlines;
  readonly #checks: HealthChecks;
  /** By target: its task, and the slot in the scoreboard. */
  #tasks: Int32Array = new Int32Array(0);
  #slots: Int32Array = new Int32Array(0);
  /** By task: its slot; kept as long as the task is in the group. */
  readonly #slotOf = new Map<number, number>();
  readonly #freeSlots: number[] = [];
  #slotsUsed = 0;
  #retries = 0;
  #overBudget = 0;

  constructor(design: GatewayDesign, world: World, random: Random, service: Service, serviceNode: number) {
    const basics = basicsOf(design, design.cores, 1, world.nowMs);
    this.name = basics.name;
    this.usage = basics.usage;
    this.tally = basics.tally;
    this.pricePerMonth = basics.pricePerMonth;
    this.lagMs = basics.lagMs;
    this.#design = design;
    this.#world = world;
    this.#service = service;
    this.#serviceNode = serviceNode;
    const draw = sampler(design.time, random);
    const isFree = design.time.kind === "constant" && design.time.meanMs === 0;
    const cpu = { world, usage: this.usage, cores: design.cores, queueMax: design.queueMax, draw };
    this.#cpu = isFree ? undefined : new Server(cpu);
    this.#scoreboard = emptyScoreboard();
    const [column] = this.#scoreboard.columns;
    if (column === undefined) throw new Error("simulate: a scoreboard without a column");
    this.#group = new Group(this.#spec([]), {
      scoreboard: this.#scoreboard,
      column,
      random,
      nowMs: () => world.nowMs,
    });
    this.#queueDeadlines = world.deadlines(design.group.connections.queueTimeoutMs, (visit) =>
      this.#waitedTooLong(visit),
    );
    this.#answerDeadlines = world.deadlines(design.firstByteMs, (child) => this.#noAnswer(child));
    this.#checks = new HealthChecks(design.group.health, { world, random, service }, (task, health) =>
      this.#scoreboard.setHealth(this.#slotOf.get(task) ?? 0, health),
    );
    service.onChange(() => this.#follow());
    this.#follow();
    world.every(SWEEP_MS, () => this.#group.sweep());
  }

  enter(visit: number): void {
    this.#group.began();
    if (this.#cpu === undefined) return this.#dispatch(visit);
    if (!this.#cpu.submit(visit)) this.#world.end(visit, OUTCOME["queue-full"]);
  }

  worked(visit: number): void {
    if (this.#cpu?.worked(visit) === true) this.#dispatch(visit);
  }

  returned(visit: number, child: number, outcome: number): void {
    const { visits, nowMs } = this.#world;
    this.#settle(visit, outcome, nowMs - (visits.startMs[child] ?? nowMs));
  }

  counters(): Readonly<Record<string, number>> {
    return {
      retries: this.#retries,
      overBudget: this.#overBudget,
      usable: this.#group.usable.length,
      panic: this.#group.panic ? 1 : 0,
    };
  }
  clear(): void {
    this.#retries = 0;
    this.#overBudget = 0;
  }

  /** Requests under way to the service and those that wait for a connection: what the autoscaler is told. */
  get inFlight(): number {
    return this.#scoreboard.groupInFlight(0) + this.#waiting.size;
  }

  /** The balancer's choice, or any target with a free connection, or a place in the queue. */
  #dispatch(visit: number): void {
    const { visits } = this.#world;
    const chosen = this.#group.pick(visits.key[visit] ?? 0, visits.unit[visit] ?? NONE);
    if (chosen < 0) return this.#world.end(visit, OUTCOME["no-target"]);
    const target = this.#hasPlace(chosen) ? chosen : this.#leastUsed(visits.unit[visit] ?? NONE);
    if (target >= 0) return this.#send(visit, target);
    if (this.#waiting.size >= this.#design.queueMax) return this.#world.end(visit, OUTCOME["queue-full"]);
    this.#waiting.push(visit);
    this.usage.moveQueued(1, this.#world.nowMs);
    this.#queueDeadlines.set(visit, visits.serial[visit] ?? 0, this.#world.nowMs);
  }

  #send(visit: number, target: number): void {
    const { visits, nowMs } = this.#world;
    visits.unit[visit] = target;
    visits.step[visit] = (visits.step[visit] ?? 0) + 1;
    const slot = this.#slots[target] ?? 0;
    visits.pending[visit] = slot;
    this.#column.moveInFlight(slot, 0, 1);
    const child = this.#world.prepare(visit, this.#serviceNode);
    visits.unit[child] = this.#tasks[target] ?? 0;
    this.#answerDeadlines.set(child, visits.serial[child] ?? 0, nowMs);
    this.#service.enter(child);
  }

  /** An attempt has ended, with an answer or without. */
  #settle(visit: number, outcome: number, latencyMs: number): void {
    const { visits } = this.#world;
    const slot = visits.pending[visit] ?? 0;
    this.#column.moveInFlight(slot, 0, -1);
    const target = this.#slots[visits.unit[visit] ?? 0] === slot ? (visits.unit[visit] ?? NONE) : NONE;
    if (isAnswer(outcome)) {
      if (target >= 0) this.#group.answered(target, outcome === OUTCOME.ok ? 200 : 500, latencyMs);
      passOn(this.#world, visit, outcome);
    } else {
      if (target >= 0) this.#group.failed(target, latencyMs);
      if (this.#mayRetry(visit, outcome)) this.#dispatch(visit);
      else passOn(this.#world, visit, outcome);
    }
    if (this.#waiting.size > 0) this.#serveWaiting();
  }

  #mayRetry(visit: number, outcome: number): boolean {
    const failed = {
      code: outcomeName(outcome) as GatewayErrorCode,
      unsent: outcome === OUTCOME["connect-refused"],
      stale: false,
      staleBefore: false,
      idempotent: true,
      attempts: this.#world.visits.step[visit] ?? 1,
    };
    const { attempts } = this.#design.retry;
    if (!maySendAgain(failed, { attempts, nonIdempotent: false })) return false;
    if (!this.#group.takeRetry()) {
      this.#overBudget++;
      return false;
    }
    this.#retries++;
    return true;
  }

  /** No byte of an answer in time: the task goes on with it, but nobody listens any more. */
  #noAnswer(child: number): void {
    const { visits, nowMs } = this.#world;
    const visit = visits.parent[child] ?? NONE;
    if (visit < 0) return;
    const latencyMs = nowMs - (visits.startMs[child] ?? nowMs);
    this.#world.abandon(child);
    this.tally.errors[OUTCOME["first-byte-timeout"]] =
      (this.tally.errors[OUTCOME["first-byte-timeout"]] ?? 0) + 1;
    this.#settle(visit, OUTCOME["first-byte-timeout"], latencyMs);
  }

  #waitedTooLong(visit: number): void {
    if (!this.#waiting.remove(visit)) return;
    this.usage.moveQueued(-1, this.#world.nowMs);
    this.#world.end(visit, OUTCOME["queue-timeout"]);
  }

  #serveWaiting(): void {
    const { visits } = this.#world;
    while (this.#waiting.size > 0) {
      const visit = this.#waiting.peek();
      const chosen = this.#group.pick(visits.key[visit] ?? 0, NONE);
      const target = chosen >= 0 && this.#hasPlace(chosen) ? chosen : this.#leastUsed(NONE);
      if (target < 0) return;
      this.#waiting.shift();
      this.usage.moveQueued(-1, this.#world.nowMs);
      this.#send(visit, target);
    }
  }

  #hasPlace(target: number): boolean {
    return this.#scoreboard.inFlight(this.#slots[target] ?? 0) < this.#design.group.connections.perTargetMax;
  }

  #leastUsed(exclude: number): number {
    let least = NONE;
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
    const tasks = this.#service.tasks.living.filter(({ state }) => state === "ready" || state === "draining");
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
    if (this.#waiting.size > 0) this.#serveWaiting();
  }

  #target(task: number, draining: boolean): Target {
    const slot = this.#slotOf.get(task) ?? this.#freeSlots.pop() ?? this.#slotsUsed++;
    this.#slotOf.set(task, slot);
    return {
      id: `${HOST}:${task}`,
      address: { host: HOST, port: task },
      weight: 1,
      slot,
      state: draining ? "draining" : "active",
    };
  }

  #spec(targets: readonly Target[]): TargetGroup {
    return { ...this.#design.group, name: this.#design.to, slot: 0, targets };
  }
}

/** Whether the target answered, be it with an error of its own. */
function isAnswer(outcome: number): boolean {
  return outcome === OUTCOME.ok || outcome === OUTCOME["app-error"] || outcome === OUTCOME["app-overloaded"];
}

function emptyScoreboard(): Scoreboard {
  const block = new Uint8Array(scoreboardBytes(1));
  formatScoreboard(block, 1);
  return new Scoreboard(block);
}
