/** The gateway at the sockets: the worker, its snapshot and its scoreboard. */
export { columnsFor } from "../scoreboard.ts";
export { type CacheExplanation, explainCache, type StoredFacts } from "./cache/explain.ts";
export { keyRule, objectShare, ruleCache } from "./cache/rule-cache.ts";
export { mapScoreboard, openScoreboard } from "./scoreboard-file.ts";
export { readSnapshot, SnapshotWatch } from "./snapshot-file.ts";
export { Worker, type WorkerContext } from "./worker.ts";
