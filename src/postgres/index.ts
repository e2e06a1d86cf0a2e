/** Postgres as a place for what others keep in a store: its URLs. The client is behind `io/`. */
export { identity } from "./identity.ts";
export { isPostgresUrl, postgresUrl } from "./url.ts";
