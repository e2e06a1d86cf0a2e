/** A delay: time passes, nothing is used up. A name look-up, a network, a third party that never fills. */
import type { Random } from "../../../base/index.ts";
import type { DelayDesign } from "../design.ts";
import { sampler } from "../distribution.ts";
import { OUTCOME } from "../outcomes.ts";
import { NONE } from "../visits.ts";
import type { Node, World } from "../world.ts";
import { basicsOf, passOn } from "./simple-node.ts";

/** Where a visit stands: on its way, or behind. */
const STEP = { under: 0, passed: 1 } as const;

/** A delay, and then what is behind it, if anything. */
export function createDelay(design: DelayDesign, world: World, random: Random, to: number | undefined): Node {
  const draw = sampler(design.time, random);
  const basics = basicsOf(design, Infinity, 1, world.nowMs);
  return {
    ...basics,
    enter(visit) {
      basics.usage.moveBusy(1, world.nowMs);
      world.work(visit, draw());
    },
    worked(visit) {
      basics.usage.moveBusy(-1, world.nowMs);
      if (to === undefined) world.end(visit, OUTCOME.ok);
      else if (world.visits.parent[visit] === NONE) passOn(world, visit, OUTCOME["client-timeout"]);
      else {
        world.visits.step[visit] = STEP.passed;
        world.visit(visit, to);
      }
    },
    abandoned(visit) {
      if (world.visits.step[visit] !== STEP.passed) return;
      world.abandon(world.visits.child[visit] ?? NONE);
      passOn(world, visit, OUTCOME["client-timeout"]);
    },
    returned: (visit, _child, outcome) => passOn(world, visit, outcome),
    counters: () => ({}),
    clear: () => {},
  };
}
