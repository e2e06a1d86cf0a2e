/** `tenfold/queue`: background jobs and an outbox in the app's Postgres. Runs on Node (22 and later) and Bun. */
export * from "../index.ts";
export type { DeadJob, PageOptions } from "./dead-jobs.ts";
export { openQueue } from "./open-queue.ts";
export type { OpenOptions } from "./opening.ts";
export { type Outbox, type OutboxEvent, type OutboxStats, openOutbox } from "./outbox.ts";
export type { PgPool, PoolInput } from "./pool.ts";
export type { Queue, QueueOptions, ScheduleOptions, WorkOptions } from "./queue.ts";
export type { Delivery, Relay, RelayCounters, RelayOptions, Topics } from "./relay.ts";
export type { Job, WorkerCounters } from "./worker.ts";
