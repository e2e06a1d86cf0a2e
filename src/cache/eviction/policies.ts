/** The table of eviction policies. Adding one is a file and a row here; the shared suite then tests it. */
import type { Eviction, EvictionContext } from "./eviction.ts";
import { createLfu } from "./lfu.ts";
import { createFifo, createLru } from "./queue.ts";
import { createS3Fifo } from "./s3-fifo.ts";
import { createWTinyLfu } from "./w-tinylfu.ts";

/** Name of an eviction policy. */
export type EvictionName = "fifo" | "lfu" | "lru" | "s3-fifo" | "w-tinylfu";

/** Name -> policy. */
export const POLICIES: Readonly<Record<EvictionName, (context: EvictionContext) => Eviction>> = {
  fifo: createFifo,
  lfu: createLfu,
  lru: createLru,
  "s3-fifo": createS3Fifo,
  "w-tinylfu": createWTinyLfu,
};
