/** Estimates: what a number of users needs in requests, storage, bandwidth, memory, servers and money. */
export { type Estimate, estimate } from "./estimate.ts";
export type { Measurable } from "./latency-numbers.ts";
export { latencyReport, type Measured } from "./latency-report.ts";
export { WORKLOAD_LIMITS } from "./limits.ts";
export type { Overrides } from "./override.ts";
export { parseWorkload, readGrowth } from "./parse.ts";
export { powersReport } from "./powers-report.ts";
export { PRESETS } from "./presets.ts";
export { PRICES, type Prices, parsePrices } from "./prices.ts";
export { estimateReport } from "./report.ts";
export { type Servers, serversOf } from "./servers.ts";
export { cpuReport } from "./servers-report.ts";
export type { Action, Workload } from "./workload.ts";
