/** Makes a cache of real parts: the machine's clock, and the store that a URL names. */
import { randomBytes } from "node:crypto";
import { systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import { isPostgresUrl } from "../../postgres/index.ts";
import { isClusterUrl } from "../../resp/index.ts";
import { Cache } from "../cache.ts";
import { createCodec } from "../codec.ts";
import { L1 } from "../l1.ts";
import { type CacheSettings, type CompleteSettings, completeSettings } from "../settings.ts";
import { ClusterStore } from "../store/cluster.ts";
import { type GuardedStore, guarded } from "../store/guarded-store.ts";
import { MemoryStore } from "../store/memory-store.ts";
import type { SharedStore } from "../store/store.ts";
import { type Duration, durationMs } from "../terms.ts";
import { createPostgresStore } from "./postgres-store.ts";
import { redisClusterStore } from "./redis-cluster-store.ts";
import { createRedisStore } from "./redis-store.ts";

/** Settings with the place of L2. */
export interface CreateCacheSettings extends CacheSettings {
  /**
   * The shared store: `redis://`, `rediss://`, `valkey://` or `valkeys://` with host and port; `redis-cluster://host:port,host:port` and
   * the like for a cluster; `pg://` with a database, by the app's package `pg`; `memory://NAME`, shared by the caches of this process. Left out,
   * the cache is this process's memory alone.
   */
  readonly store?: string | ClusterSettings;
}

/** Several cache servers. */
export interface ClusterSettings {
  /** Their URLs; each key belongs to one of them. */
  readonly nodes: readonly string[];
  /** URL of a server that takes the keys of servers that are down. */
  readonly gutter?: string;
  /** Servers that a hot key is read from when its own has more than its share to do: 1 to 3. Default 2. */
  readonly replicas?: number;
}

/** How a change of the servers goes on. */
export interface ServerChange {
  /** Within this time the change must be made in every process. Default "30s". */
  readonly settle?: Duration;
  /** How long after that reads look at a key's old server too. Default "5m". */
  readonly dualRead?: Duration;
}

const REPLICAS = 2;
const REPLICAS_MAX = 3;
const SETTLE_MS = 30_000;
const DUAL_READ_MS = 300_000;

const clusters = new WeakMap<Cache, ClusterStore>();

/** Changes the servers of a cache that has several, while it is used. Throws a TypeError when it has not. */
export function setNodes(cache: Cache, nodes: readonly string[], change: ServerChange = {}): void {
  const cluster = clusters.get(cache);
  if (cluster === undefined)
    throw new TypeError(`cache "${cache.name}" has no several servers: give it \`store: { nodes }\``);
  cluster.setNodes(checkedNodes(nodes), {
    settleMs: durationMs(change.settle, "settle") ?? SETTLE_MS,
    dualReadMs: durationMs(change.dualRead, "dualRead") ?? DUAL_READ_MS,
  });
}

function checkedNodes(nodes: readonly string[]): readonly string[] {
  if (nodes.length === 0 || new Set(nodes).size !== nodes.length) {
    throw new TypeError("store.nodes: give at least one URL, and each once");
  }
  return nodes;
}

const PROCESS = randomBytes(12).toString("base64url");
let tokens = 0;

const memoryStores = new Map<string, MemoryStore>();

/** Makes a cache. Throws a TypeError that names the setting which is wrong. */
export function createCache(settings: CreateCacheSettings = {}): Cache {
  const complete = completeSettings(settings);
  const parts = { clock: systemClock, scheduler: systemScheduler, random: systemRandom };
  const { capacity, sizeOf, eviction, serializer, compressFromBytes } = complete;
  const store = settings.store === undefined ? undefined : openStore(settings.store, complete);
  const cache = new Cache({
    ...parts,
    ...complete,
    l1: new L1({ ...parts, capacity, sizeOf, eviction }),
    store,
    codec: createCodec(serializer, compressFromBytes),
    newToken,
  });
  if (store instanceof ClusterStore) clusters.set(cache, store);
  return cache;
}

/** 96 random bits of this process and a count: no two are ever the same. */
function newToken(): string {
  return `${PROCESS}.${tokens++}`;
}

function openStore(place: string | ClusterSettings, settings: CompleteSettings): SharedStore {
  if (typeof place !== "string") return openCluster(place, settings);
  return place.startsWith("memory://") ? openMemory(place) : connect(place, settings);
}

function openMemory(url: string): SharedStore {
  const known = memoryStores.get(url) ?? new MemoryStore(systemClock);
  memoryStores.set(url, known);
  return known.view();
}

function connect(url: string, { name, deadlineMs }: CompleteSettings): GuardedStore {
  const parts = { clock: systemClock, scheduler: systemScheduler, deadlineMs };
  const withoutPassword = url.replace(/\/\/.*@/, "//");
  const store = { ...parts, url, namespace: `tenfold:${name}`, newToken };
  if (isClusterUrl(url)) return redisClusterStore({ ...store, name: withoutPassword });
  const create = isPostgresUrl(url) ? createPostgresStore : createRedisStore;
  return guarded(create(store), { ...parts, name: withoutPassword });
}

function openCluster(
  { nodes, gutter, replicas = REPLICAS }: ClusterSettings,
  settings: CompleteSettings,
): ClusterStore {
  if (!(Number.isInteger(replicas) && replicas >= 1 && replicas <= REPLICAS_MAX)) {
    throw new TypeError(`store.replicas: ${replicas} is not 1 to ${REPLICAS_MAX}`);
  }
  return new ClusterStore({
    nodes: checkedNodes(nodes),
    gutter,
    replicas,
    clock: systemClock,
    connect: (url) => connect(url, settings),
  });
}
