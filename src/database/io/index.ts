/** The database tier's sockets, files and processes. */
export { Counters } from "./router/counters.ts";
export { fetchVerifiers } from "./router/fetch-verifiers.ts";
export type { ReadsSettings } from "./router/reads.ts";
export {
  type PoolStatus,
  type RouterParts,
  type RouterSettings,
  RouterWorker,
} from "./router/router-worker.ts";
export type { FetchVerifier, UserConfig } from "./router/users.ts";
