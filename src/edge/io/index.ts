/** The rim of the edge cache: the store's file, and the disk tier below it. */
export { type PrepareDiskOptions, prepareDiskTier, removeDiskTier, sealDiskTier } from "./disk-folder.ts";
export type { DiskQuery } from "./disk-reads.ts";
export type { DiskRecord } from "./disk-record.ts";
export {
  DiskTier,
  diskBodyBytesMax,
  type JoinDiskOptions,
  joinDiskTier,
} from "./disk-tier.ts";
export {
  isProcessAlive,
  mapStore,
  type OpenStoreOptions,
  observeStore,
  openStore,
  sealStore,
} from "./store-file.ts";
