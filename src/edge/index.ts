/** The edge cache: what may be kept and served (`policy/`), and where it is kept (`store/`). Pure; files are in `io/`. */
export type { DiskMiss, DiskOff, DiskRefusal, DiskStats } from "./disk/index.ts";
export { type Evaluation, evaluate } from "./evaluate.ts";
export { urlKey } from "./key.ts";
export * from "./policy/index.ts";
export * from "./purge/index.ts";
export {
  HEAD_BYTES_MAX,
  type HeadLayout,
  layOutRawHead,
  ownHead,
  putContentLength,
  type StoredHead,
} from "./raw-head.ts";
export * from "./store/index.ts";
export { layOutHead, StoredResponse, varyKey, writeMeta } from "./stored-response.ts";
export * from "./usage/index.ts";
