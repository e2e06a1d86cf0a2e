/** Which target takes a request: the balancing algorithms, slow start, and who may be picked at all. */
export { ALGORITHMS, type Algorithm, type AlgorithmRow, createBalancer } from "./algorithms.ts";
export type { Balancer, BalancerContext, Candidate, Load } from "./balancer.ts";
export { type Usable, type UsableReason, usableTargets } from "./panic.ts";
export { type Placement, placementOf } from "./placement.ts";
export { SlowStart, type WarmthReason } from "./slow-start.ts";
