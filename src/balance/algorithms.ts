/**
 * The table of balancing algorithms. Adding one is a file, a row here, and its name in the config; the shared suite
 * then tests it by what its row says.
 */
import type { Balancer, BalancerContext } from "./balancer.ts";
import { createConsistentHash } from "./consistent-hash.ts";
import { createHash } from "./hash.ts";
import { createLeastRequests } from "./least-requests.ts";
import { createLeastResponseTime } from "./least-response-time.ts";
import { createMaglev } from "./maglev.ts";
import { createPowerOfTwo } from "./p2c.ts";
import { createRandom } from "./random.ts";
import { createRoundRobin } from "./round-robin.ts";
import { createWeightedRoundRobin } from "./weighted-round-robin.ts";

/** The name of an algorithm. The same names as the config's, by structure: neither part imports the other. */
export type Algorithm =
  | "round-robin"
  | "weighted-round-robin"
  | "least-requests"
  | "p2c"
  | "random"
  | "ip-hash"
  | "hash"
  | "consistent-hash"
  | "maglev"
  | "least-response-time";

/** One algorithm: how to make it, and what its picks depend on. */
export interface AlgorithmRow {
  readonly create: (context: BalancerContext) => Balancer;
  /** Reads `Candidate.weight`. */
  readonly weight: boolean;
  /** Reads `Load.warmth`. */
  readonly warmth: boolean;
  /** Reads the `hash` given to `pick`; the others may be given 0, and no key need be hashed for them. */
  readonly hash: boolean;
  /** How many keys a change of the set moves: "all" may, or "few" (about the changed target's share). */
  readonly moves: "all" | "few";
}

/** Every algorithm by the name it has in the config. */
export const ALGORITHMS: Readonly<Record<Algorithm, AlgorithmRow>> = {
  "round-robin": { create: createRoundRobin, weight: false, warmth: true, hash: false, moves: "all" },
  "weighted-round-robin": {
    create: createWeightedRoundRobin,
    weight: true,
    warmth: true,
    hash: false,
    moves: "all",
  },
  "least-requests": { create: createLeastRequests, weight: true, warmth: true, hash: false, moves: "all" },
  p2c: { create: createPowerOfTwo, weight: true, warmth: true, hash: false, moves: "all" },
  random: { create: createRandom, weight: true, warmth: true, hash: false, moves: "all" },
  "ip-hash": { create: createHash, weight: true, warmth: false, hash: true, moves: "all" },
  hash: { create: createHash, weight: true, warmth: false, hash: true, moves: "all" },
  "consistent-hash": { create: createConsistentHash, weight: true, warmth: false, hash: true, moves: "few" },
  maglev: { create: createMaglev, weight: true, warmth: false, hash: true, moves: "few" },
  "least-response-time": {
    create: createLeastResponseTime,
    weight: true,
    warmth: true,
    hash: false,
    moves: "all",
  },
};

/** Creates the balancer of one target group. It has no targets yet. */
export function createBalancer(algorithm: Algorithm, context: BalancerContext): Balancer {
  return ALGORITHMS[algorithm].create(context);
}
