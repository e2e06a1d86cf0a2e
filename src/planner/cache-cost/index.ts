/** What an edge cache costs and saves, from the counters of one that runs. */
export { type CacheCounters, type CacheWindow, grownBetween, requestsOf, type Upstream } from "./costs.ts";
export { CACHE_PRICES, type CachePrices, parseCachePrices } from "./prices.ts";
export { type CostQuestion, cacheCostReport } from "./report.ts";
