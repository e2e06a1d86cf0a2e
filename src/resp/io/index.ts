/** A client of Redis, Valkey and the embedded store, for Node and Bun. */
export { RespClient, type RespClientOptions, type RespClientState } from "./client.ts";
export { StoreError, type StoreErrorCode } from "./store-error.ts";
