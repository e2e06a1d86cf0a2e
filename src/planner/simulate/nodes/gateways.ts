/**
 * Several gateways before one service. They know nothing of each other: each has its own view of load and health, its
 * own ejections and its own retry budget. Requests are spread over them by chance, as by DNS or a layer-4 balancer.
 */
import type { GatewayDesign } from "../design.ts";
import { NONE } from "../visits.ts";
import type { Node } from "../world.ts";
import { Gateway, type GatewayContext } from "./gateway.ts";
import { basicsOf } from "./simple-node.ts";

/** A gateway, or several, as one node. */
export interface GatewayNode extends Node {
  readonly inFlight: number;
}

/** The gateways of a design. More than one have numbers beyond those of the design; their figures are the node's. */
export function createGateways(design: GatewayDesign, context: GatewayContext): GatewayNode {
  const { world, random } = context;
  const { count } = design;
  const basics = basicsOf(design, design.cores * count, count, world.nowMs);
  const [only, ...others] = Array.from({ length: count }, () => new Gateway(design, basics, context));
  if (only === undefined) throw new Error(`simulate: ${design.name} has no gateway`);
  if (others.length === 0) return only;
  const gateways = [only, ...others];
  const numbers = gateways.map((gateway) => world.nodes.push(gateway) - 1);
  return {
    ...basics,
    get inFlight() {
      return gateways.reduce((sum, gateway) => sum + gateway.inFlight, 0);
    },
    enter(visit) {
      const number = numbers[Math.floor(random() * count)] ?? NONE;
      world.visits.node[visit] = number;
      world.nodes[number]?.enter(visit);
    },
    worked: () => {},
    returned: () => {},
    counters: () => sums(gateways.map((gateway) => gateway.counters())),
    clear() {
      for (const gateway of gateways) gateway.clear();
    },
  };
}

function sums(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of all)
    for (const [name, value] of Object.entries(one)) total[name] = (total[name] ?? 0) + value;
  return total;
}
