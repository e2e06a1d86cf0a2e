/** How many servers an objective needs: the smallest number for which it holds, found by growing and halving. */
import { type GgcInput, ggc } from "./ggc.ts";
import type { Steady } from "./steady.ts";
import { responseQuantile } from "./tails.ts";

/** What is asked of a queue. */
export type ServiceObjective =
  /** At most this share may wait. */
  | { readonly kind: "wait-share"; readonly share: number }
  /** The mean time to an answer. */
  | { readonly kind: "mean"; readonly ms: number }
  /** The time that the share `q` of the answers keeps. */
  | { readonly kind: "quantile"; readonly q: number; readonly ms: number };

/** The work for which servers are sought; cv is 1 unless given. */
export interface Work
  extends Pick<GgcInput, "rateRps" | "serviceMs">,
    Partial<Pick<GgcInput, "arrivalCv" | "serviceCv">> {}

/** How many it takes, or why no number is the answer. */
export type Staffing =
  | { readonly kind: "servers"; readonly servers: number }
  /** The service alone takes too long. */
  | { readonly kind: "never" }
  /** More than `SERVERS_MAX`. */
  | { readonly kind: "too-many" };

/** Servers beyond this are a mistaken unit, and the exact sums would take minutes. */
export const SERVERS_MAX = 1_000_000;

/** Whether the queue keeps the objective. */
export function keeps(queue: Steady, objective: ServiceObjective): boolean {
  switch (objective.kind) {
    case "wait-share":
      return queue.waitShare <= objective.share;
    case "mean":
      return queue.responseMs <= objective.ms;
    case "quantile":
      return responseQuantile(queue, objective.q) <= objective.ms;
  }
}

/** Fewest servers that keep up at all. */
export function serversMin({ rateRps, serviceMs }: Pick<Work, "rateRps" | "serviceMs">): number {
  const load = (rateRps * serviceMs) / 1000;
  const floor = Math.floor(load) + 1;
  const queue = ggc({
    rateRps,
    serviceMs,
    servers: Math.min(floor, SERVERS_MAX),
    arrivalCv: 1,
    serviceCv: 1,
  });
  // 30 x 0.1 is a little less than 3, and 3 servers would be as good as full.
  return queue.kind === "unstable" && floor <= SERVERS_MAX ? floor + 1 : floor;
}

/** Fewest servers that keep the objective. */
export function serversFor(work: Work, objective: ServiceObjective): Staffing {
  const holds = (servers: number): boolean => {
    const queue = ggc({ arrivalCv: 1, serviceCv: 1, ...work, servers });
    return queue.kind === "steady" && keeps(queue, objective);
  };
  if (!keeps(unloaded(work), objective)) return { kind: "never" };
  let high = serversMin(work);
  let low = high - 1;
  if (high > SERVERS_MAX) return { kind: "too-many" };
  while (!holds(high)) {
    if (high === SERVERS_MAX) return { kind: "too-many" };
    [low, high] = [high, Math.min(SERVERS_MAX, Math.ceil(high * 1.2) + 1)];
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return { kind: "servers", servers: high };
}

/** The queue of endless servers: nobody waits, and what is missed then is missed by the service itself. */
function unloaded({ serviceMs, serviceCv = 1 }: Work): Steady {
  const none = { utilisation: 0, waitShare: 0, waitMs: 0, queued: 0, inSystem: 0 };
  return { kind: "steady", ...none, responseMs: serviceMs, serviceMs, serviceCv };
}

/** Rule of thumb: the load plus `k` square roots of it (Halfin & Whitt 1981). */
export function squareRootStaffing(load: number, k: number): number {
  return Math.ceil(load + k * Math.sqrt(load));
}
