/**
 * How many servers: one question, many readings, and an answer that survives them.
 *
 * Given: the rate that is wanted, what one server gives and at which p99, and the p99 that is wanted. What one server is
 * inside is not known, so it is fitted: for every number of workers the service time at which the rated load has the
 * rated p99 (M/M/c).
 */
import { bisect } from "../queueing/bisect.ts";
import { mmc, responseQuantile, squareRootStaffing } from "../queueing/index.ts";

/** The question. */
export interface ServersQuestion {
  readonly rateRps: number;
  readonly objectiveMs: number;
  readonly serverRps: number;
  readonly serverP99Ms: number;
}

/** One way to read it. */
export interface Reading {
  readonly name: string;
  /** What one server may be given; absent where the reading does not speak of it. */
  readonly perServerRps?: number;
  /** Infinity: no number is enough. */
  readonly servers: number;
  readonly withOneLost: number;
}

/** Share of a server that is planned for. */
const HEADROOM = 0.7;
const ZONES = 3;

/** Contention of what all servers share (USL's first coefficient) that is tried. */
const CONTENTIONS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.05];

/** All readings, and the answer: enough for headroom and a lost server, and for a lost zone. */
export function serversFor(question: ServersQuestion): {
  readonly readings: readonly Reading[];
  readonly answer: number;
} {
  const { rateRps, serverRps } = question;
  const naive = divided("naive division", rateRps, serverRps);
  const fitted = [1, 4, 16, 32, 50].map((workers) => fittedReading(question, workers));
  const headroom = divided("70 % headroom", rateRps, serverRps * HEADROOM);
  const zones = zoneReading(question);
  const shared = CONTENTIONS.map((contention) => contentionReading(question, contention));
  return {
    readings: [naive, ...fitted, headroom, zones, ...staffing(question), ...shared],
    answer: Math.max(headroom.withOneLost, zones.servers),
  };
}

function divided(name: string, rateRps: number, perServerRps: number): Reading {
  const servers = Math.ceil(rateRps / perServerRps - 1e-9);
  return { name, perServerRps, servers, withOneLost: servers + 1 };
}

/** The rate at which a server of so many workers, fitted to its rating, has the wanted p99. */
function fittedReading(
  { rateRps, objectiveMs, serverRps, serverP99Ms }: ServersQuestion,
  workers: number,
): Reading {
  const p99 = (serviceMs: number, rate: number): number => {
    const queue = mmc({ rateRps: rate, serviceMs, servers: workers });
    return queue.kind === "steady" ? responseQuantile(queue, 0.99) : Infinity;
  };
  const longest = (workers * 1000) / serverRps;
  const serviceMs = bisect((share) => p99(share * longest, serverRps) >= serverP99Ms, 0.5) * longest;
  const most = (workers * 1000) / serviceMs;
  const perServerRps =
    bisect((share) => p99(serviceMs, Math.min(share, 1) * most) >= objectiveMs, 0.5) * most;
  return divided(`${workers} ${workers === 1 ? "worker" : "workers"}, fitted`, rateRps, perServerRps);
}

/** What is left after a zone is lost still serves at the rated load. */
function zoneReading({ rateRps, serverRps }: ServersQuestion): Reading {
  const perZone = Math.ceil(rateRps / serverRps / (ZONES - 1) - 1e-9);
  return {
    name: `lose 1 of ${ZONES} zones`,
    perServerRps: serverRps,
    servers: perZone * ZONES,
    withOneLost: perZone * ZONES,
  };
}

/** The load in servers, and square roots of it. */
function staffing({ rateRps, serverRps }: ServersQuestion): Reading[] {
  return [1, 2, 3].map((k) => {
    const servers = squareRootStaffing(rateRps / serverRps, k);
    return { name: `load + ${k} square ${k === 1 ? "root" : "roots"} of it`, servers, withOneLost: servers };
  });
}

/** X(N) = gN / (1 + a(N - 1)) reaches the rate at N = r(1 - a) / (1 - ra), r in servers; never once ra >= 1. */
function contentionReading({ rateRps, serverRps }: ServersQuestion, contention: number): Reading {
  const ratio = rateRps / serverRps;
  const servers =
    ratio * contention >= 1
      ? Infinity
      : Math.ceil((ratio * (1 - contention)) / (1 - ratio * contention) - 1e-9);
  return { name: `${contention * 100} % done one after the other (USL)`, servers, withOneLost: servers };
}
