/** Steering clients to the nearest edge by DNS: regions, distances, the choice, and the answers. Pure. */
export { Answerer, type DnsQuery } from "./answer.ts";
export { PrefixLimiter, type Verdict } from "./limiter.ts";
export { type Decision, type EdgeHealth, explainSteering, Steering } from "./steer.ts";
