/** A small client of PostgreSQL for the product's own queries, on Node and Bun. */
export { PgConnection, type PgConnectionOptions, type PgResult, type PgRow } from "./connection.ts";
export { PgConnectionError, type PgConnectionErrorCode, PgServerError } from "./errors.ts";
