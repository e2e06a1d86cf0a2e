/** A delay: time passes, nothing is used up. A name look-up, a network, a third party that never fills. */
import type { Random } from "../../../base/index.ts";
import type { DelayDesign } from "../design.ts";
import { sampler } from "../distribution.ts";
import { OUTCOME } from "../outcomes.ts";
import type { Node, World } from "../world.ts";
import { basicsOf, passOn } from "./simple-node.ts";

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
      else world.visit(visit, to);
    },
    returned: (visit, _child, outcome) => passOn(world, visit, outcome),
    counters: () => ({}),
    clear: () => {},
  };
}
