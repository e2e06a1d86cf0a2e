/** Makes a cache of real parts: the machine's clock, and the store that a URL names. */
import { randomBytes } from "node:crypto";
import { systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import { Cache } from "../cache.ts";
import { createCodec } from "../codec.ts";
import { guarded } from "../guarded-store.ts";
import { L1 } from "../l1.ts";
import { MemoryStore } from "../memory-store.ts";
import { type CacheSettings, type CompleteSettings, completeSettings } from "../settings.ts";
import type { SharedStore } from "../store.ts";
import { createRedisStore } from "./redis-store.ts";

/** Settings with the place of L2. */
export interface CreateCacheSettings extends CacheSettings {
  /**
   * The shared store: `redis://`, `rediss://`, `valkey://` or `valkeys://` with host and port; `memory://NAME`, shared by the caches
   * of this process. Left out, the cache is this process's memory alone.
   */
  readonly store?: string;
}

const memoryStores = new Map<string, MemoryStore>();

/** Makes a cache. Throws a TypeError that names the setting which is wrong. */
export function createCache(settings: CreateCacheSettings = {}): Cache {
  const complete = completeSettings(settings);
  const parts = { clock: systemClock, scheduler: systemScheduler, random: systemRandom };
  const { capacity, sizeOf, eviction, serializer, compressFromBytes } = complete;
  const store = settings.store === undefined ? undefined : openStore(settings.store, complete);
  return new Cache({
    ...parts,
    ...complete,
    l1: new L1({ ...parts, capacity, sizeOf, eviction }),
    store,
    codec: createCodec(serializer, compressFromBytes),
    newToken,
  });
}

/** 96 random bits: no two processes ever have the same. */
function newToken(): string {
  return randomBytes(12).toString("base64url");
}

function openStore(url: string, { name, deadlineMs }: CompleteSettings): SharedStore {
  const clock = systemClock;
  const scheduler = systemScheduler;
  if (url.startsWith("memory://")) {
    const known = memoryStores.get(url) ?? new MemoryStore(clock);
    memoryStores.set(url, known);
    return known.view();
  }
  const namespace = `tenfold:${name}`;
  const store = createRedisStore({ url, namespace, deadlineMs, newToken, scheduler });
  return guarded(store, { name: url.replace(/\/\/.*@/, "//"), deadlineMs, clock, scheduler });
}
