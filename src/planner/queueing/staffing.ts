/** How many servers an objective needs: the smallest number for which it holds, found by doubling and halving. */
import { type Mmc, mmc, responseQuantile } from "./mmc.ts";

/** What is asked of a queue. */
export type ServiceObjective =
  /** At most this share may wait. */
  | { readonly kind: "wait-share"; readonly share: number }
  /** The mean time to an answer. */
  | { readonly kind: "mean"; readonly ms: number }
  /** The time that the share `q` of the answers keeps. */
  | { readonly kind: "quantile"; readonly q: number; readonly ms: number };

/** Servers beyond this are a mistaken unit. */
export const SERVERS_MAX = 10_000_000;

/** Whether the queue keeps the objective. */
export function keeps(queue: Mmc, objective: ServiceObjective): boolean {
  switch (objective.kind) {
    case "wait-share":
      return queue.waitShare <= objective.share;
    case "mean":
      return queue.responseMs <= objective.ms;
    case "quantile":
      return responseQuantile(queue, objective.q) <= objective.ms;
  }
}

/** Fewest servers that keep the objective; undefined when no number does (the service alone takes too long). */
export function serversFor(
  rateRps: number,
  serviceMs: number,
  objective: ServiceObjective,
): number | undefined {
  const holds = (servers: number): boolean => {
    const queue = mmc({ rateRps, serviceMs, servers });
    return queue.kind === "steady" && keeps(queue, objective);
  };
  const least = Math.floor((rateRps * serviceMs) / 1000) + 1;
  let high = least;
  let low = least - 1;
  while (!holds(high)) {
    low = high;
    // Far beyond the load nobody waits any more: what is missed then is missed by the service itself.
    if (high > 4 * least + 100 || high > SERVERS_MAX) return undefined;
    high = Math.ceil(high * 1.5) + 1;
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Rule of thumb: the load plus `k` square roots of it (Halfin & Whitt 1981). */
export function squareRootStaffing(load: number, k: number): number {
  return Math.ceil(load + k * Math.sqrt(load));
}
