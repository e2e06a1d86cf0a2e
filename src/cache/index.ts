/** The app cache, pure part: eviction, L1, policy of loads and invalidations. Wires and files are behind `io/`. */
export { CACHE_ERRORS } from "./errors.ts";
export type { EvictionName } from "./eviction/policies.ts";
export { Generations } from "./generations.ts";
export { L1, type L1Entry, type L1Options, type L1Stats, type L1Terms } from "./l1.ts";
export { Breaker } from "./store/breaker.ts";
export { MemoryStore } from "./store/memory-store.ts";
export type { BusListener, SharedStore } from "./store/store.ts";
