/** Which replica takes a read: of two drawn, the one with the lower (in flight + 1) x latency. See src/balance/p2c.ts for why two. */
import type { Random } from "../../base/index.ts";
import type { Replica } from "./replica.ts";

/** One that has never answered is tried first. */
const cost = ({ inFlight, latencyMs }: Replica): number => (inFlight + 1) * latencyMs;

/** One of `candidates`; undefined when there is none. */
export function chooseReplica(candidates: readonly Replica[], random: Random): Replica | undefined {
  const count = candidates.length;
  if (count < 2) return candidates[0];
  const first = Math.floor(random() * count);
  const second = (first + 1 + Math.floor(random() * (count - 1))) % count;
  const [one, other] = [candidates[first], candidates[second]];
  return one !== undefined && other !== undefined && cost(other) < cost(one) ? other : one;
}
