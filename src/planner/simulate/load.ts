/** The same design under another load, and the greatest load that it can take. */
import type { ClientsDesign, Design } from "./design.ts";
import type { SimulationResult } from "./result.ts";
import { type RunOptions, simulate } from "./run.ts";

/** The design with every rate and every number of users multiplied. */
export function underLoad(design: Design, factor: number): Design {
  return { ...design, clients: design.clients.map((clients) => scaled(clients, factor)) };
}

function scaled(clients: ClientsDesign, factor: number): ClientsDesign {
  const { arrivals } = clients;
  switch (arrivals.kind) {
    case "open":
      return {
        ...clients,
        arrivals: { ...arrivals, points: arrivals.points.map(([atMs, rate]) => [atMs, rate * factor]) },
      };
    case "closed":
      return {
        ...clients,
        arrivals: { ...arrivals, users: Math.max(1, Math.round(arrivals.users * factor)) },
      };
    case "herd":
      return {
        ...clients,
        arrivals: { ...arrivals, count: Math.max(1, Math.round(arrivals.count * factor)) },
      };
  }
}

/** Whether the run as a whole kept its objective. */
export function keepsObjective({ total, objective }: SimulationResult): boolean {
  return total.latency.p99Ms <= objective.p99Ms && total.errorShare <= objective.errorShare;
}

/** One load that was tried. */
export interface Tried {
  readonly factor: number;
  readonly result: SimulationResult;
  readonly keeps: boolean;
}

/** The greatest load that keeps the objective, to a relative `LOAD_PRECISION`, with everything that was tried. */
export interface LargestLoad {
  /** 0 when not even a thousandth of the load keeps it; Infinity when a thousandfold does. */
  readonly factor: number;
  readonly tried: readonly Tried[];
}

/** Loads closer than this are told apart by chance alone in runs of a minute. */
const LOAD_PRECISION = 0.02;

/** Loads beyond these are another system. */
const FACTOR_MIN = 1 / 1024;
const FACTOR_MAX = 1024;

/** Doubles or halves until the objective changes sides, then halves the gap. */
export function largestLoad(design: Design, options: RunOptions = {}): LargestLoad {
  const tried: Tried[] = [];
  const keeps = (factor: number): boolean => {
    const result = simulate(underLoad(design, factor), options);
    tried.push({ factor, result, keeps: keepsObjective(result) });
    return keepsObjective(result);
  };
  let low = 1;
  let high = 1;
  if (keeps(1)) while (high < FACTOR_MAX && keeps((high *= 2))) low = high;
  else while (low > FACTOR_MIN && !keeps((low /= 2))) high = low;
  if (low <= FACTOR_MIN || high >= FACTOR_MAX) return { factor: low <= FACTOR_MIN ? 0 : Infinity, tried };
  while (high / low > 1 + LOAD_PRECISION) {
    const middle = Math.sqrt(low * high);
    if (keeps(middle)) low = middle;
    else high = middle;
  }
  return { factor: low, tried };
}
