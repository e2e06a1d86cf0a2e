/**
 * What one large machine costs, and what several small ones do: the two curves of vertical against horizontal.
 *
 * A core costs the same in every machine up to a point; beyond it machines are made in small numbers and a core gets
 * dearer. Several small ones cost the same for each core, but need one more to spare, two gateways in front, and an app
 * that keeps nothing of its own.
 */
import { unavailabilityOf } from "../availability/index.ts";
import { BUSY } from "../database-server.ts";
import type { Facts } from "./facts.ts";

/** Up to here a core costs the same: what a machine with one processor has. */
const KNEE_CORES = 32;

/** The largest machine that is rented out by the hour without asking. */
export const LARGEST_CORES = 448;

/** Two gateways of two cores: one may fail. */
const GATEWAY_CORES = 4;

const HOURS_A_MONTH = 730;

/** One of twenty failures takes all copies: a bad deploy, the power, the network (beta factor, NUREG/CR-4780). */
const COMMON_SHARE = 0.05;

/** One server of ten is to spare, at least one: more of them fail at once where there are more. */
const SPARE_SHARE = 0.1;

/** Reckoned with at most so many: with a share to spare more servers are too few still more rarely, and sums are slow. */
const SERVERS_MAX = 20;

/** What both curves depend on. */
export type CurveFacts = Pick<
  Facts,
  | "serverCores"
  | "serverAvailability"
  | "downtimeCost"
  | "corePrice"
  | "bigCorePrice"
  | "state"
  | "statelessCost"
>;

/** One way to have so many cores. */
export interface Offer {
  /** Machines, those to spare among them. */
  readonly machines: number;
  readonly spare: number;
  readonly coresEach: number;
  /** A month: machines, gateways, work. */
  readonly price: number;
  readonly unavailability: number;
  /** Price and what its downtime costs, a month. */
  readonly total: number;
}

/** One machine that is 70 % busy. Its price is that of as many cores as it needs, not of the next size. */
export function one(busyCores: number, facts: CurveFacts): Offer {
  const { corePrice, bigCorePrice, serverAvailability } = facts;
  const cores = Math.max(1, busyCores / BUSY);
  const bend = Math.log(bigCorePrice) / Math.log(LARGEST_CORES / KNEE_CORES);
  const price =
    cores > LARGEST_CORES ? Infinity : corePrice * cores * Math.max(1, cores / KNEE_CORES) ** bend;
  return offer(
    { machines: 1, spare: 0, coresEach: cores, price, unavailability: 1 - serverAvailability },
    facts,
  );
}

/** As many small servers as are 70 % busy, some to spare, gateways in front. */
export function several(busyCores: number, facts: CurveFacts): Offer {
  const { serverCores, serverAvailability } = facts;
  const needed = serversFor(busyCores, serverCores);
  const spare = spareFor(needed);
  const unavailability = someUnavailability(needed, 1 - serverAvailability);
  const price = priceOfSeveral(needed, facts);
  return offer({ machines: needed + spare, spare, coresEach: serverCores, price, unavailability }, facts);
}

function priceOfSeveral(
  needed: number,
  { serverCores, corePrice, state, statelessCost }: CurveFacts,
): number {
  const work = state === "none" ? 0 : statelessCost;
  return corePrice * ((needed + spareFor(needed)) * serverCores + GATEWAY_CORES) + work;
}

/** Small servers that are at most 70 % busy. */
export function serversFor(busyCores: number, serverCores: number): number {
  return Math.max(1, Math.ceil(busyCores / (serverCores * BUSY) - 1e-9));
}

/** Servers to spare beside those that are needed. */
export function spareFor(needed: number): number {
  return Math.ceil(needed * SPARE_SHARE);
}

/** Needed servers as they are reckoned with. */
export function reckoned(needed: number): number {
  return Math.min(needed, SERVERS_MAX);
}

/** Share of time that fewer than `needed` are up beside those to spare; a common cause included. */
function someUnavailability(needed: number, unavailability: number): number {
  const counted = reckoned(needed);
  return unavailabilityOf({
    kind: "component",
    name: "server",
    unavailability,
    needed: counted,
    copies: counted + spareFor(counted),
    options: { commonShare: COMMON_SHARE, failoverMs: 0, failoversPerYear: 0 },
    shared: false,
  });
}

function offer(parts: Omit<Offer, "total">, { downtimeCost }: CurveFacts): Offer {
  return { ...parts, total: parts.price + parts.unavailability * HOURS_A_MONTH * downtimeCost };
}

/**
 * Busy cores from which on several cost less, for good: the curve of several climbs in steps, so what counts is the last
 * place where one machine is the cheaper. Within a step only one's price climbs, so its foot is looked at first. At most
 * what the largest machine carries.
 */
export function crossingCores(facts: CurveFacts): number {
  const step = facts.serverCores * BUSY;
  const most = LARGEST_CORES * BUSY;
  const downtime = downtimesOfSeveral(facts);
  for (let needed = Math.ceil(most / step); needed >= 1; needed--) {
    const total = priceOfSeveral(needed, facts) + (downtime[reckoned(needed)] ?? 0);
    const foot = (needed - 1) * step;
    if (one(foot, facts).total < total) return lastCheaper(total, foot, Math.min(most, foot + step), facts);
  }
  return 0;
}

/** What the downtime of several costs a month, by the number that is reckoned with; nothing where it costs nothing. */
function downtimesOfSeveral({ downtimeCost, serverAvailability }: CurveFacts): readonly number[] {
  if (downtimeCost === 0) return [];
  return Array.from(
    { length: SERVERS_MAX + 1 },
    (_, needed) => someUnavailability(needed, 1 - serverAvailability) * HOURS_A_MONTH * downtimeCost,
  );
}

/** Between two places, where one machine reaches this total; the far one when it does not. */
function lastCheaper(total: number, from: number, to: number, facts: CurveFacts): number {
  let [low, high] = [from, to];
  if (one(high, facts).total < total) return high;
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (one(middle, facts).total < total) low = middle;
    else high = middle;
  }
  return high;
}

/** Cost of an hour of downtime at which several are worth their price; Infinity when they are up no longer than one. */
export function downtimeCostOfCrossing(busyCores: number, facts: CurveFacts): number {
  const [single, many] = [one(busyCores, facts), several(busyCores, facts)];
  const saved = (single.unavailability - many.unavailability) * HOURS_A_MONTH;
  return saved <= 0 ? Infinity : Math.max(0, (many.price - single.price) / saved);
}
