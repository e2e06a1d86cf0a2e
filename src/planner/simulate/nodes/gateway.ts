/**
 * A gateway before one service, on production's own code: the target group with its balancer, slow start, ejection and
 * panic; the states of active checks; the rule that says what may be sent again, and the retry budget.
 *
 * What is left to this file is what the gateway's sockets do: requests wait for a connection or for a target, deadlines
 * run out, clients go away. It follows `gateway/io/attempts.ts` and `upstream-group.ts`:
 *
 *   enter -> (CPU) -> choose -> (queue | hold) -> send -> answered | lost -> choose …
 */
import type { Random } from "../../../base/index.ts";
import { type GatewayErrorCode, maySendAgain } from "../../../gateway/index.ts";
import type { Deadlines } from "../deadlines.ts";
import type { GatewayDesign } from "../design.ts";
import { sampler } from "../distribution.ts";
import { IntQueue } from "../int-queue.ts";
import { OUTCOME, outcomeName } from "../outcomes.ts";
import { NONE } from "../visits.ts";
import type { Node, World } from "../world.ts";
import { Server } from "./server.ts";
import type { Service } from "./service.ts";
import { type NodeBasics, passOn } from "./simple-node.ts";
import { Targets } from "./targets.ts";

/** Pauses of a request that every target refused, as in `attempts.ts`: the first doubled is 50 ms. */
const HOLD_PAUSE_MIN_MS = 25;
const HOLD_PAUSE_MAX_MS = 400;

/** Where a visit is, in `mark`. */
const AT = { cpu: 0, queue: 1, target: 2, pause: 3 } as const;

/** What a gateway is told of the graph. */
export interface GatewayContext {
  readonly world: World;
  readonly random: Random;
  readonly service: Service;
  readonly serviceNode: number;
}

/**
 * Visits keep the target that they were sent to last in `unit`, its slot in `pending`, the visit to it in `child`, their
 * attempts in `step`, and the length of their last pause in `sinceMs`.
 */
export class Gateway implements Node {
  readonly name: string;
  readonly kind = "gateway";
  readonly usage: Node["usage"];
  readonly tally: Node["tally"];
  readonly pricePerMonth: number;
  readonly lagMs: () => number;
  readonly #design: GatewayDesign;
  readonly #world: World;
  readonly #context: GatewayContext;
  readonly #cpu: Server | undefined;
  readonly #targets: Targets;
  readonly #waiting = new IntQueue();
  readonly #queueDeadlines: Deadlines;
  readonly #holdDeadlines: Deadlines;
  readonly #answerDeadlines: Deadlines;
  #retries = 0;
  #overBudget = 0;

  constructor(design: GatewayDesign, basics: NodeBasics, context: GatewayContext) {
    const { world, random } = context;
    const { connections } = design.group;
    this.name = basics.name;
    this.usage = basics.usage;
    this.tally = basics.tally;
    this.pricePerMonth = basics.pricePerMonth;
    this.lagMs = basics.lagMs;
    this.#design = design;
    this.#world = world;
    this.#context = context;
    const draw = sampler(design.time, random);
    const isFree = design.time.kind === "constant" && design.time.meanMs === 0;
    const cpu = { world, usage: this.usage, cores: design.cores, queueMax: design.queueMax, draw };
    this.#cpu = isFree ? undefined : new Server(cpu);
    this.#queueDeadlines = world.deadlines(connections.queueTimeoutMs, (visit) =>
      this.#waitedTooLong(visit, OUTCOME["queue-timeout"]),
    );
    this.#holdDeadlines = world.deadlines(connections.holdMs, (visit) =>
      this.#waitedTooLong(visit, OUTCOME["no-target"]),
    );
    this.#answerDeadlines = world.deadlines(design.firstByteMs, (child) => this.#noAnswer(child));
    this.#targets = new Targets(design, { ...context, changed: () => this.#serveWaiting() });
  }

  enter(visit: number): void {
    this.#targets.group.began();
    if (this.#cpu === undefined) return this.#start(visit);
    if (!this.#cpu.submit(visit)) this.#world.end(visit, OUTCOME["queue-full"]);
  }

  worked(visit: number): void {
    if (this.#cpu?.worked(visit) !== true) return;
    if (this.#world.visits.parent[visit] === NONE) this.#drop(visit);
    else this.#start(visit);
  }

  returned(visit: number, child: number, outcome: number): void {
    const { visits, nowMs } = this.#world;
    const latencyMs = nowMs - (visits.startMs[child] ?? nowMs);
    const target = this.#release(visit);
    if (isAnswer(outcome)) {
      if (target >= 0) this.#targets.group.answered(target, outcome === OUTCOME.ok ? 200 : 500, latencyMs);
      passOn(this.#world, visit, outcome);
    } else this.#lost(visit, target, { outcome, latencyMs });
    this.#serveWaiting();
  }

  /** The client is gone: nothing is waited for any more. CPU and pauses end by themselves, and look then. */
  abandoned(visit: number): void {
    const { visits } = this.#world;
    const at = visits.mark[visit];
    if (at === AT.queue) this.#leaveQueue(visit);
    else if (at === AT.target) {
      this.#world.abandon(visits.child[visit] ?? NONE);
      this.#release(visit);
    } else return;
    this.#drop(visit);
    this.#serveWaiting();
  }

  counters(): Readonly<Record<string, number>> {
    const { usable, panic } = this.#targets.group;
    return {
      retries: this.#retries,
      overBudget: this.#overBudget,
      usable: usable.length,
      panic: panic ? 1 : 0,
    };
  }
  clear(): void {
    this.#retries = 0;
    this.#overBudget = 0;
  }

  /** Requests under way to the service and those that wait for a connection: what the autoscaler is told. */
  get inFlight(): number {
    return this.#targets.inFlight + this.#waiting.size;
  }

  #start(visit: number): void {
    this.#world.visits.sinceMs[visit] = HOLD_PAUSE_MIN_MS;
    this.#try(visit, NONE);
  }

  /** Whoever waits goes first: a free place is not given to one who has just come. */
  #try(visit: number, exclude: number): void {
    const target = this.#targets.choose(this.#world.visits.key[visit] ?? 0, exclude);
    if (target < 0) this.#holdForTarget(visit);
    else if (this.#waiting.size > 0 || !this.#targets.hasPlace(target))
      this.#queue(visit, this.#queueDeadlines);
    else this.#send(visit, target);
  }

  #queue(visit: number, deadlines: Deadlines): void {
    const { visits, nowMs } = this.#world;
    if (this.#waiting.size >= this.#design.queueMax) return this.#world.end(visit, OUTCOME["queue-full"]);
    visits.mark[visit] = AT.queue;
    this.#waiting.push(visit);
    this.usage.moveQueued(1, nowMs);
    deadlines.set(visit, visits.serial[visit] ?? 0, nowMs);
  }

  /** The group is empty: a task is being replaced, or none has come up yet. */
  #holdForTarget(visit: number): void {
    if (this.#holdLeftMs(visit) > 0) this.#queue(visit, this.#holdDeadlines);
    else this.#world.end(visit, OUTCOME["no-target"]);
  }

  /** Every target refuses: the one that takes their place may be here in a moment. Looks again, less and less often. */
  #holdForPeer(visit: number, outcome: number): void {
    const { visits } = this.#world;
    const leftMs = this.#holdLeftMs(visit);
    if (leftMs <= 0) return passOn(this.#world, visit, outcome);
    const pauseMs = Math.min(HOLD_PAUSE_MAX_MS, 2 * (visits.sinceMs[visit] ?? HOLD_PAUSE_MIN_MS));
    visits.sinceMs[visit] = pauseMs;
    visits.mark[visit] = AT.pause;
    this.#world.after(Math.min(leftMs, pauseMs), () => {
      if (visits.parent[visit] === NONE) this.#drop(visit);
      else this.#try(visit, NONE);
    });
  }

  #holdLeftMs(visit: number): number {
    const { visits, nowMs } = this.#world;
    return this.#design.group.connections.holdMs - (nowMs - (visits.startMs[visit] ?? nowMs));
  }

  #send(visit: number, target: number): void {
    const { visits, nowMs } = this.#world;
    visits.unit[visit] = target;
    visits.step[visit] = (visits.step[visit] ?? 0) + 1;
    visits.pending[visit] = this.#targets.begin(target);
    visits.mark[visit] = AT.target;
    const child = this.#world.prepare(visit, this.#context.serviceNode);
    visits.child[visit] = child;
    visits.unit[child] = this.#targets.taskOf(target);
    this.#answerDeadlines.set(child, visits.serial[child] ?? 0, nowMs);
    this.#context.service.enter(child);
  }

  /** The visit is no longer in flight; the target that it was sent to, `NONE` when that has left the group. */
  #release(visit: number): number {
    const { visits } = this.#world;
    const slot = visits.pending[visit] ?? 0;
    const target = visits.unit[visit] ?? NONE;
    this.#targets.end(slot);
    return this.#targets.isAt(target, slot) ? target : NONE;
  }

  /** The connection is gone before an answer: another target, when that is safe, or an error page. */
  #lost(
    visit: number,
    target: number,
    { outcome, latencyMs }: { readonly outcome: number; readonly latencyMs: number },
  ): void {
    if (target >= 0) this.#targets.group.failed(target, latencyMs);
    if (this.#mayRetry(visit, outcome)) this.#try(visit, target);
    else if (outcome === OUTCOME["connect-refused"]) this.#holdForPeer(visit, outcome);
    else passOn(this.#world, visit, outcome);
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
    if (!this.#targets.group.takeRetry()) {
      this.#overBudget++;
      return false;
    }
    this.#retries++;
    return true;
  }

  /** No byte of an answer in time: an error page, never another try. The task goes on with it; nobody listens. */
  #noAnswer(child: number): void {
    const { visits, nowMs } = this.#world;
    const visit = visits.parent[child] ?? NONE;
    if (visit < 0) return;
    const latencyMs = nowMs - (visits.startMs[child] ?? nowMs);
    this.#world.abandon(child);
    const target = this.#release(visit);
    if (target >= 0) this.#targets.group.failed(target, latencyMs);
    visits.mark[visit] = AT.cpu;
    this.#world.end(visit, OUTCOME["first-byte-timeout"]);
    this.#serveWaiting();
  }

  #waitedTooLong(visit: number, outcome: number): void {
    if (this.#world.visits.mark[visit] !== AT.queue) return;
    this.#leaveQueue(visit);
    this.#world.end(visit, outcome);
  }

  #leaveQueue(visit: number): void {
    if (this.#waiting.remove(visit)) this.usage.moveQueued(-1, this.#world.nowMs);
  }

  /** Nobody wants to know any more. */
  #drop(visit: number): void {
    passOn(this.#world, visit, OUTCOME["client-timeout"]);
  }

  #serveWaiting(): void {
    const { visits } = this.#world;
    while (this.#waiting.size > 0) {
      const target = this.#targets.choose(visits.key[this.#waiting.peek()] ?? 0, NONE);
      if (target < 0 || !this.#targets.hasPlace(target)) return;
      this.usage.moveQueued(-1, this.#world.nowMs);
      this.#send(this.#waiting.shift(), target);
    }
  }
}

/** Whether the target answered, be it with an error of its own. */
function isAnswer(outcome: number): boolean {
  return outcome === OUTCOME.ok || outcome === OUTCOME["app-error"] || outcome === OUTCOME["app-overloaded"];
}
