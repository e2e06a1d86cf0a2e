/** Postgres as a place for what others keep in a store: its URLs, its errors. The client is behind `io/`. */
export { codeOf, isConnectionLoss } from "./connection-loss.ts";
export type { Field } from "./field.ts";
export { identity } from "./identity.ts";
export { isPostgresUrl, postgresUrl } from "./url.ts";
