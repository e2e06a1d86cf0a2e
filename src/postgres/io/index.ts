/** A client of Postgres by the app's own package `pg`, for Node and Bun: statements, a line to a channel, tables, expiry. */
export { PostgresClient, type PostgresClientOptions } from "./client.ts";
export { type DriverClient, driver, type Row, type Statement } from "./driver.ts";
export { PostgresListener, type PostgresListenerOptions } from "./listener.ts";
export { ensureSchema, type PostgresSchema } from "./schema.ts";
export { type SweeperOptions, startSweeper } from "./sweeper.ts";
