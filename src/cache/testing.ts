/** Builders for the tests of this part. */
import { type SimulatedTime, seededRandom, simulatedTime } from "../base/index.ts";
import { Cache } from "./cache.ts";
import { createCodec, JSON_SERIALIZER } from "./codec.ts";
import { L1 } from "./l1.ts";
import { type CacheSettings, completeSettings } from "./settings.ts";
import type { SharedStore } from "./store/store.ts";

/** A cache whose time moves by hand. */
export interface TestCache extends SimulatedTime {
  readonly cache: Cache;
  readonly l1: L1;
}

let tokens = 0;

/** A cache on simulated time, or on the given one; no jitter unless the settings say so. */
export function testCache(
  settings: CacheSettings = {},
  store?: SharedStore,
  time: SimulatedTime = simulatedTime(),
): TestCache {
  const complete = completeSettings({ jitter: 0, ...settings });
  const { clock, scheduler } = time;
  const random = seededRandom(1);
  const { capacity, sizeOf, eviction } = complete;
  const l1 = new L1({ capacity, sizeOf, eviction, clock, scheduler, random });
  const codec = createCodec(JSON_SERIALIZER, complete.compressFromBytes);
  const newToken = (): string => `token${tokens++}`;
  const cache = new Cache({ ...complete, clock, scheduler, random, l1, store, codec, newToken });
  return { cache, l1, ...time };
}

/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes one. */
export function deferred<T>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return { promise, resolve, reject };
}

/** Lets all promises that can go on do so. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
