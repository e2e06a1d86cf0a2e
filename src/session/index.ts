/**
 * Door of `session`: sessions in a store or in a sealed cookie, and the handlers that frameworks take. Portable: Node
 * from 22 on, and Bun.
 */
export type { Device } from "./devices.ts";
export { SESSION_ERRORS, SessionError, type SessionErrorCode } from "./errors.ts";
export {
  type ExpressCookie,
  type ExpressSession,
  type ExpressSessionRequest,
  type StoreCallback,
  TenfoldStore,
  type TenfoldStoreOptions,
} from "./express-session/tenfold-store.ts";
export { requireUser } from "./handlers/failure.ts";
export {
  type FastifyApp,
  type FastifyReply,
  type FastifyRequest,
  fastifyRequireUser,
  fastifySessions,
} from "./handlers/fastify.ts";
export {
  type FetchOptions,
  fetchSessions,
  type HonoContext,
  honoRequireUser,
  honoSessions,
} from "./handlers/fetch.ts";
export {
  type NextCookie,
  type NextCookies,
  type NextHeaders,
  type NextSessions,
  nextSessions,
  type ReadSession,
} from "./handlers/next.ts";
export {
  expressRequireUser,
  expressSessions,
  type NodeRequest,
  nodeSessions,
  sessionOf,
} from "./handlers/node.ts";
export type { NodeResponse } from "./handlers/node-response.ts";
export type { SessionOptions, SnapshotOptions } from "./options.ts";
export type { Keys } from "./seal.ts";
export { type SealedSessionOptions, sealedSessions } from "./sealed-sessions.ts";
export type {
  Fields,
  OpenSession,
  RequestFacts,
  Session,
  SessionSource,
  SessionStatus,
  SignInCheck,
} from "./session.ts";
export { createSessions, type SessionStats, type Sessions } from "./sessions.ts";
export type { Patch, PatchOutcome, RecordStore, SessionStore, StoredRecord } from "./store.ts";
export {
  type IoredisClient,
  ioredisCommands,
  type NodeRedisClient,
  nodeRedisCommands,
} from "./stores/clients.ts";
export type { IoredisCluster, NodeRedisCluster, NodeRedisClusterMulti } from "./stores/cluster-clients.ts";
export type { StoreCommand, StoreCommands, StoreReply } from "./stores/commands.ts";
export type { EvictionOptions } from "./stores/eviction.ts";
export { CONNECT_REDIS_PREFIX, jsonStore } from "./stores/json.ts";
export { memoryStore } from "./stores/memory.ts";
export { KEY_PREFIX, redisStore } from "./stores/redis.ts";
export type { ClientCommands } from "./stores/watched-commands.ts";
