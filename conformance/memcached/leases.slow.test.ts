/**
 * Our leases beside those of memcached: the same stories end the same way. (memcached refuses a late fill only when the client compares,
 * `C`; ours has no other fill.)
 */
import { afterAll, describe, expect, test } from "bun:test";
import { systemScheduler } from "../../src/base/index.ts";
import { createRedisStore } from "../../src/cache/io/redis-store.ts";
import { hasRedis, startEmbedded, startRedis } from "../../src/resp/testing/store-servers.ts";
import { type Leases, STORIES } from "./leases.ts";
import { hasMemcached, startMemcached } from "./memcached.ts";

const stops: (() => unknown)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

const HOUR_MS = 3_600_000;

/** Our leases in a store. */
async function leasesIn(start: typeof startEmbedded): Promise<Leases> {
  const server = await start();
  let tokens = 0;
  const newToken = (): string => `t${tokens++}`;
  const store = createRedisStore({
    url: server.url,
    namespace: "compare",
    deadlineMs: 2000,
    newToken,
    scheduler: systemScheduler,
  });
  stops.push(() => store.close(), server.stop);
  const text = (bytes: Uint8Array | undefined): string | undefined =>
    bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  return {
    look: async (key, leaseSeconds) => {
      const request = { token: newToken(), leaseMs: leaseSeconds * 1000, refresh: false };
      const found = await store.lookup(key, request);
      if (found.kind === "hit") return { kind: "hit", token: "", kept: text(found.value.payload) };
      return { kind: found.kind, token: request.token, kept: text(found.stale?.payload) };
    },
    fill: (key, token, value) => {
      const payload = new TextEncoder().encode(value);
      return store.fill(key, token, { payload, ttlMs: HOUR_MS, graceMs: HOUR_MS, loadMs: 1, tags: [] });
    },
    remove: (key) => store.invalidate({ kind: "key", key, soft: false }),
    soften: (key) => store.invalidate({ kind: "key", key, soft: true }),
  };
}

const memcached = hasMemcached ? await startMemcached() : undefined;
if (memcached !== undefined) stops.push(() => memcached.stop());
const ours: Record<string, Leases> = { "the embedded store": await leasesIn(startEmbedded) };
if (hasRedis) ours["redis-server"] = await leasesIn(startRedis);

for (const [name, leases] of Object.entries(ours)) {
  describe.skipIf(memcached === undefined)(`leases in ${name} beside memcached (needs memcached)`, () => {
    test.each(Object.entries(STORIES))("%s", async (story, tell) => {
      const key = `k${Object.keys(STORIES).indexOf(story)}-${name.length}`;
      const [theirs, own] = await Promise.all([tell(memcached as Leases, key), tell(leases, key)]);
      expect(own).toEqual(theirs);
    });
  });
}
