/**
 * The cheapest copies that reach a target.
 *
 * Uniform-cost search over how many copies of each part are added, in a fixed order of the parts so that each set is met
 * once, and never dearer than what the best next purchase, again and again, comes to. Where the search would take too
 * long that one stands, and says so. The cost is money where all prices are known, else the number of purchases.
 */
import {
  type Contribution,
  contributionsOf,
  nextPurchases,
  priceOfOneMore,
  withOneMore,
} from "./dominance.ts";
import { mentionsOf, namesOf, type System } from "./system.ts";
import { unavailabilityOf } from "./unavailability.ts";

/** Copies of one part that can be added: more than anybody buys at once. */
const ADDED_MAX = 20;

/** Steps of evaluation that each of the two searches may take: a second or less. */
const WORK_MAX = 1_000_000;

/** Evaluations of each part in one look at all purchases. */
const LOOKS = 3;

/** Rounding of decimals is no reason to buy a copy. */
const TARGET_TOLERANCE = 1e-9;

/** Whether a system that is down so often meets a target of at most `target`. */
export function meets(unavailability: number, target: number): boolean {
  return unavailability <= target * (1 + TARGET_TOLERANCE);
}

/** How many more of a part. */
export interface Addition {
  readonly name: string;
  readonly count: number;
}

/** What it takes to reach a target. */
export type Reach =
  | {
      readonly kind: "reached";
      readonly additions: readonly Addition[];
      readonly unavailability: number;
      /** Of the additions; absent when a price is not known. */
      readonly pricePerMonth?: number;
      /** Nothing cheaper does it; false when there were too many combinations to look at. */
      readonly cheapest: boolean;
    }
  /** Not by copies: `floor` is the unavailability that is left with many of each. */
  | { readonly kind: "unreachable"; readonly floor: number }
  /** More parts than could be looked through; with many of each it is `floor`. */
  | { readonly kind: "too many"; readonly floor: number };

interface State {
  readonly system: System;
  readonly unavailability: number;
  readonly cost: number;
  /** The first of the useful parts that may still be added. */
  readonly from: number;
  readonly added: readonly string[];
}

interface Shop {
  readonly target: number;
  /** Parts of which one more helps. */
  readonly useful: readonly Contribution[];
  readonly isPriced: boolean;
  readonly addedMax: number;
}

/** The cheapest copies to add until the system is down at most `target` of the time. */
export function cheapestReach(system: System, target: number): Reach {
  const useful = contributionsOf(system).filter(({ savedMsPerYear }) => savedMsPerYear > 0);
  const shop: Shop = {
    target,
    useful,
    isPriced: useful.every(({ pricePerMonth }) => pricePerMonth !== undefined),
    addedMax: ADDED_MAX * useful.length,
  };
  const floor = unavailabilityOf(withMany(system, useful));
  const start: State = { system, unavailability: unavailabilityOf(system), cost: 0, from: 0, added: [] };
  if (!meets(floor, target)) return { kind: "unreachable", floor };
  const greedy = greedily(start, shop);
  const best = search(start, shop, greedy?.cost ?? Infinity);
  if (best !== undefined) return reached(best, shop, true);
  return greedy === undefined ? { kind: "too many", floor } : reached(greedy, shop, false);
}

function withMany(system: System, useful: readonly Contribution[]): System {
  let current = system;
  for (const { name } of useful)
    for (let added = 0; added < ADDED_MAX; added++) current = withOneMore(current, name);
  return current;
}

/** The best next purchase, again and again; undefined when that takes too long. */
function greedily(start: State, shop: Shop): State | undefined {
  let state = start;
  let looks = WORK_MAX / (workOf(start.system) * namesOf(start.system).length * LOOKS);
  while (!meets(state.unavailability, shop.target)) {
    const [next] = nextPurchases(contributionsOf(state.system));
    if (next === undefined || state.added.length >= shop.addedMax || --looks < 0) return undefined;
    state = plus(state, next.name, 0, shop);
  }
  return state;
}

/** The cheapest state that meets the target; undefined when there are too many to look at. */
function search(start: State, shop: Shop, costMax: number): State | undefined {
  let steps = WORK_MAX / workOf(start.system);
  const open: State[] = [start];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (meets(state.unavailability, shop.target)) return state;
    if (state.added.length >= shop.addedMax) continue;
    for (const [index, { name }] of shop.useful.entries()) {
      if (index < state.from) continue;
      if (--steps < 0) return undefined;
      const next = plus(state, name, index, shop);
      if (next.cost <= costMax) insert(open, next);
    }
  }
  return undefined;
}

/** What one evaluation takes, roughly: each part, each pair of copies, once for each state of what is shared. */
function workOf(system: System): number {
  const mentions = mentionsOf(system);
  const shared = new Set(mentions.flatMap(({ component }) => (component.shared ? [component.name] : [])));
  return (
    mentions.reduce(
      (sum, { component: { copies, needed }, times }) => sum + times ** 2 + copies * (copies - needed + 1),
      0,
    ) *
    2 ** shared.size
  );
}

function plus(state: State, name: string, from: number, { isPriced }: Shop): State {
  const price = isPriced ? (priceOfOneMore(state.system, name) ?? 0) : 1;
  const system = withOneMore(state.system, name);
  return {
    system,
    unavailability: unavailabilityOf(system),
    cost: state.cost + price,
    from,
    added: [...state.added, name],
  };
}

/** Keeps the cheapest last, and among equals the one that is down least. */
function insert(open: State[], state: State): void {
  let low = 0;
  let high = open.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = open[middle];
    if (other !== undefined && isBetter(other, state)) high = middle;
    else low = middle + 1;
  }
  open.splice(low, 0, state);
}

function isBetter(one: State, other: State): boolean {
  return one.cost < other.cost || (one.cost === other.cost && one.unavailability < other.unavailability);
}

function reached({ added, unavailability, cost }: State, { isPriced }: Shop, cheapest: boolean): Reach {
  const counts = new Map<string, number>();
  for (const name of added) counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    kind: "reached",
    additions: [...counts].map(([name, count]) => ({ name, count })),
    unavailability,
    ...(isPriced && added.length > 0 ? { pricePerMonth: cost } : {}),
    cheapest,
  };
}
