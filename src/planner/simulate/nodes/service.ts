/**
 * A service: tasks that each do their own work on their cores, then call what the route needs, then answer.
 *
 * A request is admitted (at most `concurrency` in one task), does its work (at most `cores` at the same instant), makes
 * its calls stage by stage, and leaves. One that was sent to no task in particular goes to the next in turn.
 */
import type { Random } from "../../../base/index.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Call, ServiceDesign } from "../design.ts";
import { type Sampler, sampler } from "../distribution.ts";
import { IntQueue } from "../int-queue.ts";
import { OUTCOME } from "../outcomes.ts";
import { HELD, INHERITED, type Node, type World } from "../world.ts";
import { Server } from "./server.ts";
import { basicsOf } from "./simple-node.ts";
import { type Task, Tasks } from "./tasks.ts";

/** Own work of one route, and the nodes it calls: stage after stage, the calls of one stage at once. */
export interface Program {
  readonly draw: Sampler;
  readonly stages: readonly (readonly ResolvedCall[])[];
}

/** A call with its node's number. */
export interface ResolvedCall extends Omit<Call, "to"> {
  readonly node: number;
}

/** What a service is told of the graph. */
export interface ServiceContext {
  readonly world: World;
  readonly random: Random;
  /** Number of a node by name. */
  readonly nodeOf: (name: string) => number;
  /** Names of the routes, by number. */
  readonly routes: readonly string[];
}

/** Bits of `mark`: one of its calls failed; the answer is an error of the app's own. */
const FAILED = 1;

const NO_CALLS: readonly ResolvedCall[] = [];

/** The tasks of one app at work. */
export class Service implements Node {
  readonly name: string;
  readonly kind = "service";
  readonly usage: Node["usage"];
  readonly tally: Node["tally"];
  readonly pricePerMonth: number;
  readonly lagMs: () => number;
  readonly design: ServiceDesign;
  readonly tasks: Tasks;
  readonly #world: World;
  readonly #random: Random;
  readonly #programs: readonly Program[];
  /** Requests that wait to be admitted, by task. */
  readonly #waiting: IntQueue[] = [];
  readonly #listeners: (() => void)[] = [];
  readonly #limits: Deadlines;
  #ready: Task[] = [];
  #turn = 0;

  constructor(design: ServiceDesign, context: ServiceContext) {
    const { world, random, routes } = context;
    const { usage, ...basics } = basicsOf(design, 0, 0, world.nowMs);
    this.name = basics.name;
    this.usage = usage;
    this.tally = basics.tally;
    this.pricePerMonth = basics.pricePerMonth;
    this.lagMs = basics.lagMs;
    this.design = design;
    this.#world = world;
    this.#random = random;
    this.#limits = world.deadlines(design.timeLimitMs, (visit) => {
      if (world.visits.mark[visit] !== HELD) world.cutOff(visit, OUTCOME["upstream-closed"]);
    });
    this.#programs = routes.map((route) => programOf(design, route, context));
    this.tasks = new Tasks(design, {
      world,
      createServer: ({ number }) => this.#createServer(number),
      changed: () => this.#follow(),
      lost: (task) => this.#lose(task),
      counted: (by) => usage.moveCapacity(by * design.cores, by, world.nowMs),
    });
    this.tasks.begin();
    if (design.pauses.everyMs > 0) this.#pauseSometimes();
  }

  /** Calls `listener` whenever the set of tasks that take requests has changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  enter(visit: number): void {
    const { visits } = this.#world;
    const given = visits.unit[visit] ?? -1;
    const task = given >= 0 ? this.tasks.all[given] : this.#next();
    if (task === undefined) return this.#world.end(visit, OUTCOME["no-target"]);
    visits.unit[visit] = task.number;
    this.#limits.set(visit, visits.serial[visit] ?? 0, this.#world.nowMs);
    if (task.state === "gone") return this.#world.end(visit, OUTCOME["connect-refused"]);
    if (task.partitioned) {
      visits.mark[visit] = HELD;
      return;
    }
    if (task.admitted < this.design.concurrency) return this.#admit(visit, task);
    const waiting = this.#waiting[task.number];
    if (waiting === undefined || waiting.size >= this.design.queueMax)
      return this.#world.end(visit, OUTCOME["app-overloaded"]);
    waiting.push(visit);
    this.usage.moveQueued(1, this.#world.nowMs);
  }

  worked(visit: number): void {
    const task = this.#taskOf(visit);
    if (!task.server.worked(visit)) return;
    this.#advance(visit, task);
  }

  returned(visit: number, child: number, outcome: number): void {
    const { visits } = this.#world;
    const call = this.#stageOf(visit)[visits.call[child] ?? 0];
    if (outcome !== OUTCOME.ok && call?.optional !== true) visits.mark[visit] = FAILED;
    visits.pending[visit] = (visits.pending[visit] ?? 1) - 1;
    if ((visits.pending[visit] ?? 0) === 0) this.#advance(visit, this.#taskOf(visit));
  }

  /** From now on the task takes requests and answers none, or works again; what it held then breaks off. */
  partition(task: Task, on: boolean): void {
    task.partitioned = on;
    if (on) return;
    const { visits } = this.#world;
    const node = this.#world.nodes.indexOf(this);
    for (let visit = 0; visit < visits.end; visit++) {
      const isHeld = visits.node[visit] === node && visits.mark[visit] === HELD;
      if (isHeld && visits.unit[visit] === task.number) this.#world.end(visit, OUTCOME["upstream-closed"]);
    }
  }

  counters(): Readonly<Record<string, number>> {
    return { tasks: this.tasks.living.length, ready: this.#ready.length, wanted: this.tasks.wanted };
  }
  clear(): void {}

  #next(): Task | undefined {
    this.#turn = (this.#turn + 1) % Math.max(1, this.#ready.length);
    return this.#ready[this.#turn];
  }

  #admit(visit: number, task: Task): void {
    task.admitted++;
    if (task.server.submit(visit)) return;
    this.#leave(task);
    this.#world.end(visit, OUTCOME["app-overloaded"]);
  }

  /** Makes the next calls, or answers when there are none left or one has failed. */
  #advance(visit: number, task: Task): void {
    const { visits } = this.#world;
    const { stages } = this.#programs[visits.route[visit] ?? 0] ?? { stages: [] };
    while ((visits.mark[visit] ?? 0) !== FAILED && (visits.step[visit] ?? 0) < stages.length) {
      visits.step[visit] = (visits.step[visit] ?? 0) + 1;
      if (this.#callStage(visit)) return;
    }
    this.#answer(visit, task);
  }

  /** Makes the calls of the visit's stage; false when chance leaves them all out. */
  #callStage(visit: number): boolean {
    const { visits } = this.#world;
    const stage = this.#stageOf(visit);
    const [only] = stage;
    if (stage.length === 1 && only !== undefined) {
      if (only.share < 1 && this.#random() >= only.share) return false;
      visits.pending[visit] = only.times;
      this.#call(visit, 0, only);
      return true;
    }
    const made = stage.map(({ share }) => share === 1 || this.#random() < share);
    visits.pending[visit] = stage.reduce(
      (sum, { times }, call) => sum + (made[call] === true ? times : 0),
      0,
    );
    if (visits.pending[visit] === 0) return false;
    const serial = visits.serial[visit];
    for (const [call, one] of stage.entries())
      if (made[call] === true && visits.serial[visit] === serial) this.#call(visit, call, one);
    return true;
  }

  #call(visit: number, call: number, { node, times }: ResolvedCall): void {
    const { visits, nodes } = this.#world;
    const serial = visits.serial[visit] ?? 0;
    for (let i = 0; i < times && visits.serial[visit] === serial; i++) {
      const child = this.#world.prepare(visit, node);
      visits.call[child] = call;
      nodes[node]?.enter(child);
    }
  }

  #answer(visit: number, task: Task): void {
    const { visits } = this.#world;
    const ownError = this.design.errorShare > 0 && this.#random() < this.design.errorShare;
    const failed = (visits.mark[visit] ?? 0) === FAILED;
    this.#leave(task);
    if (failed) visits.mark[visit] = INHERITED;
    this.#world.end(visit, failed || ownError ? OUTCOME["app-error"] : OUTCOME.ok);
  }

  /** A request has left the task: the next one may come in. */
  #leave(task: Task): void {
    task.admitted--;
    const waiting = this.#waiting[task.number];
    if (waiting !== undefined && waiting.size > 0 && task.state !== "gone") {
      this.usage.moveQueued(-1, this.#world.nowMs);
      this.#admit(waiting.shift(), task);
    } else this.tasks.leave(task);
  }

  /** All that the task held ends where it is. */
  #lose(task: Task): void {
    const { visits } = this.#world;
    const node = this.#world.nodes.indexOf(this);
    task.server.clear();
    const waiting = this.#waiting[task.number];
    if (waiting !== undefined) this.usage.moveQueued(-waiting.size, this.#world.nowMs);
    task.admitted = 0;
    for (let visit = 0; visit < visits.end; visit++) {
      if (visits.node[visit] !== node || visits.unit[visit] !== task.number) continue;
      this.#orphan(visit);
      this.#world.end(visit, OUTCOME["upstream-closed"]);
    }
  }

  /** What the visit had called goes on without it. */
  #orphan(visit: number): void {
    const { visits } = this.#world;
    if ((visits.pending[visit] ?? 0) === 0) return;
    for (let child = 0; child < visits.end; child++)
      if (visits.parent[child] === visit && (visits.node[child] ?? -1) >= 0) this.#world.abandon(child);
  }

  #follow(): void {
    this.#ready = this.tasks.ready;
    for (const listener of this.#listeners) listener();
  }

  #createServer(number: number): Server {
    this.#waiting[number] = new IntQueue();
    const { cores, queueMax } = this.design;
    const world = this.#world;
    const startMs = world.nowMs;
    const draw = (visit: number): number =>
      (this.#programs[world.visits.route[visit] ?? 0]?.draw() ?? 0) * this.#coldness(number, startMs);
    return new Server({ world, usage: this.usage, cores, queueMax, draw });
  }

  /** Tasks of the very beginning are warm. */
  #coldness(number: number, startMs: number): number {
    const { ms, factor } = this.design.coldStart;
    if (factor === 1 || startMs === 0) return 1;
    return this.#world.nowMs - (this.tasks.all[number]?.readySinceMs ?? 0) < ms ? factor : 1;
  }

  #stageOf(visit: number): readonly ResolvedCall[] {
    const { visits } = this.#world;
    return this.#programs[visits.route[visit] ?? 0]?.stages[(visits.step[visit] ?? 1) - 1] ?? NO_CALLS;
  }

  #taskOf(visit: number): Task {
    const task = this.tasks.all[this.#world.visits.unit[visit] ?? 0];
    if (task === undefined) throw new Error(`simulate: ${this.name} has lost a task`);
    return task;
  }

  /** Each task by itself, so that they do not all stop at once. */
  #pauseSometimes(): void {
    const { everyMs, pauseMs } = this.design.pauses;
    const next = (): void => {
      const ready = this.#ready;
      ready[Math.floor(this.#random() * ready.length)]?.server.pause(pauseMs);
      const meanMs = everyMs / Math.max(1, ready.length);
      this.#world.after(-meanMs * Math.log(1 - this.#random()), next);
    };
    this.#world.after(everyMs * this.#random(), next);
  }
}

function programOf(design: ServiceDesign, route: string, { random, nodeOf }: ServiceContext): Program {
  const work = design.work[route] ?? design.work["*"];
  if (work === undefined) throw new Error(`simulate: ${design.name} has no work for "${route}"`);
  return { draw: sampler(work.time, random), stages: stagesOf(work.calls, nodeOf) };
}

/** Parallel calls that follow each other are one stage; of the others each time is a stage of its own. */
function stagesOf(calls: readonly Call[], nodeOf: (name: string) => number): ResolvedCall[][] {
  const stages: ResolvedCall[][] = [];
  for (const [index, { to, ...call }] of calls.entries()) {
    const resolved = { ...call, node: nodeOf(to) };
    const together = stages.at(-1);
    if (!call.parallel) for (let i = 0; i < call.times; i++) stages.push([{ ...resolved, times: 1 }]);
    else if (together !== undefined && calls[index - 1]?.parallel === true) together.push(resolved);
    else stages.push([resolved]);
  }
  return stages;
}
