/**
 * What limits a design: the node, or the part of one, that is full at the least load.
 *
 * While nothing is full, utilisation grows with the load (utilisation law), so a node is full at 1/utilisation times the
 * load. Once one is full the others see less than what was offered: those behind it because it lets less through, itself
 * because it can do no more. Their demand is then that of one request that got through, times what was offered.
 */
import type { Bottleneck, NodeResult } from "./result.ts";

/** A node less busy than this limits nothing. */
const BUSY_MIN = 0.1;

/** From here on a node holds others back, and what was offered differs from what got through. */
const FULL = 0.95;

/** Bottlenecks named: the first, and the one behind it. */
const BOTTLENECKS_MAX = 2;

/** Refusals cost a node no work. */
const FREE_REFUSALS: readonly string[] = [
  "connect-refused",
  "no-target",
  "queue-full",
  "queue-timeout",
  "app-overloaded",
  "pool-full",
  "pool-timeout",
  "database-overloaded",
  "primary-down",
  "no-server",
  "depth-max",
];

/** Requests that came to the design, and those that it answered, in time for the client or not. */
export interface Flow {
  readonly offered: number;
  readonly answered: number;
}

/** The first bottleneck and the one behind it. A pool is full because of what it waits for: among equals it is last. */
export function bottlenecksOf(nodes: readonly NodeResult[], flow: Flow): Bottleneck[] {
  const full = nodes.some((node) => fullest(node).utilisation >= FULL);
  return nodes
    .map((node) => bottleneckOf(node, full ? throttled(node, flow) : 1))
    .filter(({ utilisation }) => utilisation >= BUSY_MIN)
    .toSorted((a, b) => a.fullAtLoad - b.fullAtLoad || Number(isPool(nodes, a)) - Number(isPool(nodes, b)))
    .slice(0, BOTTLENECKS_MAX);
}

function bottleneckOf(node: NodeResult, times: number): Bottleneck {
  const { name, utilisation } = fullest(node);
  return {
    node: node.name,
    ...(name === "" ? {} : { part: name }),
    utilisation,
    fullAtLoad: 1 / (utilisation * times),
  };
}

/** The busiest of its parts, or the node as a whole when they are alike. */
function fullest({ parts, utilisation }: NodeResult): {
  readonly name: string;
  readonly utilisation: number;
} {
  return parts.reduce((most, part) => (part.utilisation > most.utilisation ? part : most), {
    name: "",
    utilisation,
  });
}

/** How many times the work that it did a node would have done, had all that was offered got through. */
function throttled({ kind, requests, answered, errors, counters }: NodeResult, flow: Flow): number {
  const refused = FREE_REFUSALS.reduce((sum, reason) => sum + (errors[reason] ?? 0), 0);
  const worked = kind === "queue" ? (counters["done"] ?? 0) + (counters["failed"] ?? 0) : requests - refused;
  if (worked <= 0 || flow.answered <= 0) return 1;
  return Math.max(1, (flow.offered * answered) / (flow.answered * worked));
}

function isPool(nodes: readonly NodeResult[], { node }: Bottleneck): boolean {
  return nodes.find(({ name }) => name === node)?.kind === "pool";
}
