/** A pool: a bound on requests at once, with a bounded queue and a longest wait. Database connections, mostly. */
import type { PoolDesign } from "../design.ts";
import { IntQueue } from "../int-queue.ts";
import { OUTCOME } from "../outcomes.ts";
import type { Node, World } from "../world.ts";
import { basicsOf, passOn } from "./simple-node.ts";

/** A pool before node `to`. */
export function createPool(design: PoolDesign, world: World, to: number): Node {
  const basics = basicsOf(design, design.size, 1, world.nowMs);
  const { usage } = basics;
  const waiting = new IntQueue();
  const deadlines = world.deadlines(design.queueTimeoutMs, (visit) => {
    if (!waiting.remove(visit)) return;
    usage.moveQueued(-1, world.nowMs);
    world.end(visit, OUTCOME["pool-timeout"]);
  });

  const admit = (visit: number): void => {
    usage.moveBusy(1, world.nowMs);
    world.visit(visit, to);
  };

  return {
    ...basics,
    enter(visit) {
      if (usage.busy < design.size) return admit(visit);
      if (waiting.size >= design.queueMax) return world.end(visit, OUTCOME["pool-full"]);
      waiting.push(visit);
      usage.moveQueued(1, world.nowMs);
      deadlines.set(visit, world.visits.serial[visit] ?? 0, world.nowMs);
    },
    worked: () => {},
    returned(visit, _child, outcome) {
      usage.moveBusy(-1, world.nowMs);
      passOn(world, visit, outcome);
      if (waiting.size === 0 || usage.busy >= design.size) return;
      usage.moveQueued(-1, world.nowMs);
      admit(waiting.shift());
    },
    counters: () => ({}),
    clear: () => {},
  };
}
