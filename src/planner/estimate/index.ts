/** Estimates: what a number of users needs in requests, storage, bandwidth, memory, servers and money. */
export { type Estimate, estimate, serversFor as serversForRate } from "./estimate.ts";
export { parseWorkload } from "./parse.ts";
export { PRICES, type Prices, parsePrices } from "./prices.ts";
export { estimateReport } from "./report.ts";
export { cpuReport } from "./servers-report.ts";
export type { Measurable } from "./tables.ts";
export { latencyReport, powersReport } from "./tables-report.ts";
export { PRESETS, type Workload } from "./workload.ts";
