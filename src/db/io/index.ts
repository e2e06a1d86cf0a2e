/** `tenfold/db`: a client of Postgres that takes the place of `pg.Pool`. Runs on Node (22 and later) and Bun. */
export { NoPrimaryError, PoolExhaustedError, RolledBackError, UnknownOutcomeError } from "../errors.ts";
export type { RouteReason } from "../route.ts";
export type { Consistency } from "../terms.ts";
export { carryToken } from "./carry-token.ts";
export {
  type DatabaseOptions,
  DatabasePool,
  DatabasePool as Pool,
  type DatabaseStats,
  type Duration,
  openDatabase,
  type RunOptions,
} from "./database-pool.ts";
export type { Query, QueryAnswer, QueryConfig } from "./query.ts";
export type { RoutedClient } from "./routed-client.ts";
export type { TransactionOptions } from "./transaction.ts";
