/** A client of Redis, Valkey and the embedded store, of one server or a cluster, for Node and Bun. */
export { type Reply, ReplyError, textOf } from "../reply.ts";
export type { Argument, Request } from "../request.ts";
export { RespClient, type RespClientOptions, type RespClientState } from "./client.ts";
export { RespCluster, type RespClusterOptions } from "./cluster.ts";
export { openStoreClient, type StoreClient } from "./store-client.ts";
export { StoreError, type StoreErrorCode } from "./store-error.ts";
