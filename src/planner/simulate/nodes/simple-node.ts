/** What most nodes have in common: a name, usage, a tally, and no lag. */
import type { NodeDesign } from "../design.ts";
import { OUTCOME } from "../outcomes.ts";
import { Usage } from "../usage.ts";
import { INHERITED, Tally, type World } from "../world.ts";

/** The facts every node has; the rest of `Node` is each node's own. */
export interface NodeBasics {
  readonly name: string;
  readonly kind: string;
  readonly usage: Usage;
  readonly tally: Tally;
  readonly pricePerMonth: number;
  readonly lagMs: () => number;
}

/** The basics of a node with `capacity` places in `units` paid units. */
export function basicsOf(
  { name, kind, pricePerMonth }: NodeDesign,
  capacity: number,
  units: number,
  nowMs: number,
): NodeBasics {
  const usage = new Usage();
  usage.moveCapacity(capacity, units, nowMs);
  return { name, kind, usage, tally: new Tally(), pricePerMonth, lagMs: () => 0 };
}

/** Ends a visit as the visit that it made ended; an error is counted where it began, not here. */
export function passOn(world: World, visit: number, outcome: number): void {
  if (outcome !== OUTCOME.ok) world.visits.mark[visit] = INHERITED;
  world.end(visit, outcome);
}
