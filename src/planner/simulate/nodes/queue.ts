/** A queue with workers: a request is done once it is accepted; the work behind it is done when there is time. */
import type { Random } from "../../../base/index.ts";
import type { QueueDesign } from "../design.ts";
import { sampler } from "../distribution.ts";
import { IntQueue } from "../int-queue.ts";
import { OUTCOME } from "../outcomes.ts";
import { NONE } from "../visits.ts";
import type { Node, World } from "../world.ts";
import { basicsOf } from "./simple-node.ts";

/** Where a visit stands: being accepted, or the work itself, a visit of its own. */
const STEP = { accept: 0, work: 1, call: 2 } as const;

/** A queue; its workers call node `to` after their own work, if there is one. */
export function createQueue(design: QueueDesign, world: World, random: Random, to: number | undefined): Node {
  const basics = basicsOf(design, design.workers, design.workers, world.nowMs);
  const { usage } = basics;
  const accept = sampler(design.time, random);
  const work = sampler(design.work, random);
  const jobs = new IntQueue();
  let done = 0;
  let failed = 0;

  const begin = (job: number): void => {
    usage.moveBusy(1, world.nowMs);
    world.work(job, work());
  };
  const finish = (job: number, outcome: number): void => {
    usage.moveBusy(-1, world.nowMs);
    if (outcome === OUTCOME.ok) done++;
    else failed++;
    world.visits.give(job);
    if (jobs.size === 0) return;
    usage.moveQueued(-1, world.nowMs);
    begin(jobs.shift());
  };
  /** The request ends here; what is left to do is a visit that nobody waits for. */
  const enqueue = (visit: number): void => {
    if (jobs.size >= design.depthMax) return world.end(visit, OUTCOME["depth-max"]);
    const job = world.prepare(visit, world.visits.node[visit] ?? 0);
    world.visits.parent[job] = NONE;
    world.visits.step[job] = STEP.work;
    world.end(visit, OUTCOME.ok);
    if (usage.busy < design.workers) return begin(job);
    jobs.push(job);
    usage.moveQueued(1, world.nowMs);
  };

  return {
    ...basics,
    enter: (visit) => world.work(visit, accept()),
    worked(visit) {
      if (world.visits.step[visit] === STEP.accept) return enqueue(visit);
      if (to === undefined) return finish(visit, OUTCOME.ok);
      world.visits.step[visit] = STEP.call;
      world.visit(visit, to);
    },
    returned: (job, _child, outcome) => finish(job, outcome),
    counters: () => ({ depth: jobs.size, done, failed }),
    clear() {
      done = 0;
      failed = 0;
    },
  };
}
