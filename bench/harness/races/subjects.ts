/**
 * Cache libraries as one process of several uses them: ours, and three others over the same kind of server.
 *
 * The others are set up in their kindest form: bentocache with its bus; cacheable and cache-manager, whose memories nobody tells of
 * invalidations, without a memory.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { redisBusDriver, redisDriver } from "bentocache/drivers/redis";
import { createCache as createCacheManager } from "cache-manager";
import { Cacheable } from "cacheable";
import type { Keyv } from "keyv";
import { systemScheduler } from "../../../src/base/index.ts";
import { createCache } from "../../../src/cache/io/index.ts";
import { createRedisStore } from "../../../src/cache/io/redis-store.ts";

/** Loads the value of a key. */
export type Load = () => Promise<number>;

/** A library in one process. */
export interface Subject {
  readonly getOrSet: (key: string, load: Load) => Promise<unknown>;
  /** Makes the key invalid, by the `way`-th of 16 ways where there are several; whether everybody was told. */
  readonly invalidate: (key: string, way: number) => Promise<boolean>;
  /** What the shared server holds of the key, whatever this process's memory says; undefined for nothing. */
  readonly inStore: (key: string) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

/** Rows of `SUBJECTS`. */
export type SubjectName = "tenfold" | "bentocache" | "cacheable" | "cache-manager";

/** What a subject is to be. */
export interface SubjectSetup {
  readonly url: string;
  /** Keys that memory has room for. */
  readonly max: number;
  /** Longest wait for an answer of the server, ms. */
  readonly deadlineMs: number;
}

const TTL_MS = 3_600_000;
const NAME = "race";

const KEYV_FOLDER = join(import.meta.dir, "../../../conformance/keyv");

/** Whether the packages of the peers that need Keyv's Redis adapter are installed: `npm ci --prefix conformance/keyv`. */
export const hasKeyv: boolean = existsSync(join(KEYV_FOLDER, "node_modules"));

/** Every subject. */
export const SUBJECTS: Readonly<Record<SubjectName, (setup: SubjectSetup) => Promise<Subject>>> = {
  tenfold: async ({ url, max, deadlineMs }) => {
    // Memory is believed for as long as values live, so that the bus alone keeps it right.
    const settings = { name: NAME, store: url, max, beta: 0, ttl: TTL_MS, l1MaxAge: TTL_MS };
    const cache = createCache({ ...settings, deadline: deadlineMs });
    const scheduler = systemScheduler;
    const namespace = `tenfold:${NAME}`;
    const store = createRedisStore({ url, namespace, deadlineMs, newToken: () => "peek", scheduler });
    return {
      getOrSet: (key, load) => cache.getOrSet(key, load, { tags: [`tag:${key}`] }),
      invalidate: async (key, way) => {
        const input = way === 0 ? { prefix: key } : way < 4 ? { tags: [`tag:${key}`] } : { keys: [key] };
        return (await cache.invalidate(input)) === "everywhere";
      },
      inStore: async (key) => {
        const found = await store.peek(key);
        // The payload is one letter for the serializer, then JSON.
        return found === undefined ? undefined : Number(new TextDecoder().decode(found.payload.subarray(1)));
      },
      close: () => Promise.all([cache.close(), store.close()]),
    };
  },
  bentocache: async ({ url, max }) => {
    const { hostname: host, port } = new URL(url);
    const connection = { host, port: Number(port) };
    const bento = new BentoCache({
      default: "both",
      stores: {
        both: bentostore()
          .useL1Layer(memoryDriver({ maxItems: max }))
          .useL2Layer(redisDriver({ connection }))
          .useBus(redisBusDriver({ connection })),
        shared: bentostore().useL2Layer(redisDriver({ connection })),
      },
    });
    return {
      getOrSet: (key, load) => bento.getOrSet({ key, factory: load, ttl: TTL_MS, timeout: 0 }),
      invalidate: (key) => bento.delete({ key }).then(() => true),
      inStore: (key) => bento.use("shared").get({ key }),
      close: () => bento.disconnectAll(),
    };
  },
  cacheable: async ({ url }) => {
    const store = await keyvOn(url);
    const cache = new Cacheable({ primary: store });
    return {
      getOrSet: (key, load) => cache.getOrSet(key, load, { ttl: TTL_MS }),
      invalidate: (key) => cache.delete(key).then(() => true),
      inStore: (key) => store.get(key),
      close: () => store.disconnect(),
    };
  },
  "cache-manager": async ({ url }) => {
    const store = await keyvOn(url);
    const cache = createCacheManager({ stores: [store] });
    return {
      getOrSet: (key, load) => cache.wrap(key, load, TTL_MS),
      invalidate: (key) => cache.del(key).then(() => true),
      inStore: (key) => store.get(key),
      close: () => store.disconnect(),
    };
  },
};

/** Keyv over its Redis adapter, whose packages are apart from the root's. */
async function keyvOn(url: string): Promise<Keyv> {
  const { createKeyv } = (await import(Bun.resolveSync("@keyv/redis", KEYV_FOLDER))) as {
    readonly createKeyv: (url: string) => Keyv;
  };
  return createKeyv(url);
}
