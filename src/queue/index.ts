/** Pure door of `queue`: batches, the table of jobs, numbers. */
export { type Batch, BatchFullError, type BatchOptions, batch } from "./batch.ts";
export { nodeQueueEndpoint, queueEndpoint } from "./endpoint.ts";
export { type Duration, type JobKind, type JobSettings, type Jobs, job, type SendOptions } from "./jobs.ts";
export { cacheInvalidations, queryCacheWrites } from "./sinks.ts";
export type { KindStats, QueueStats } from "./stats.ts";
export type { Tx } from "./tx.ts";
