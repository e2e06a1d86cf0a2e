import { describe, expect, test } from "bun:test";
import { type SimulatedTime, simulatedTime } from "../../base/index.ts";
import { turns } from "../testing.ts";
import { ClusterStore } from "./cluster.ts";
import { guarded } from "./guarded-store.ts";
import { MemoryStore } from "./memory-store.ts";
import type { SharedStore } from "./store.ts";
import { newValue, storeSuite } from "./suite.ts";

/** Servers in memory, each of which can be killed, and clusters over them as several processes have. */
function servers(time: SimulatedTime = simulatedTime()) {
  const memory = new Map<string, MemoryStore>();
  const calls = new Map<string, number>();
  const dead = new Set<string>();
  const hold = new Map<string, Promise<void>>();
  const connect = (url: string) => {
    const store = memory.get(url) ?? new MemoryStore(time.clock);
    memory.set(url, store);
    const view = store.view();
    const ways = Object.entries(view).map(([name, call]) => [
      name,
      async (...args: unknown[]) => {
        if (name === "listen" || name === "close") return (call as (...all: unknown[]) => unknown)(...args);
        calls.set(url, (calls.get(url) ?? 0) + 1);
        if (dead.has(url)) throw new Error("killed");
        await hold.get(`${url} ${name}`);
        return (call as (...all: unknown[]) => unknown)(...args);
      },
    ]);
    return guarded(Object.fromEntries(ways) as SharedStore, { name: url, deadlineMs: 50, ...time });
  };
  const cluster = (nodes: readonly string[], gutter?: string): ClusterStore =>
    new ClusterStore({ nodes, gutter, replicas: 2, clock: time.clock, connect });
  return { ...time, cluster, calls, dead, hold, memory };
}

storeSuite("a cluster of three", async () => {
  const { cluster, advance } = servers();
  return {
    open: async () => onceEach(cluster(["a", "b", "c"])),
    pass: async (ms) => advance(ms),
    settle: () => turns(50),
    stop: async () => {},
  };
});

/** A bus of several servers may tell a thing several times: the suite wants to see each once. */
function onceEach(store: ClusterStore): SharedStore {
  return new Proxy<SharedStore>(store, {
    get(target, name) {
      if (name === "listen") {
        return (listener: Parameters<SharedStore["listen"]>[0]) => {
          let last = "";
          store.listen({
            ...listener,
            invalidated: (invalidation) => {
              const text = JSON.stringify(invalidation);
              if (text !== last) listener.invalidated(invalidation);
              last = text;
            },
          });
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

let tokens = 0;
const ask = () => ({ token: `t${tokens++}`, leaseMs: 5000, refresh: false });
const KEYS = Array.from({ length: 300 }, (_, at) => `key:${at}`);

/** Looks a key up and loads it when it has to; whether it had to. */
async function read(store: SharedStore, key: string, value = "v"): Promise<boolean> {
  const found = await store.lookup(key, ask()).catch(() => undefined);
  if (found?.kind === "hit") return false;
  if (found?.kind === "won") await store.fill(key, found.token, newValue(value)).catch(() => {});
  return true;
}

async function loadsOf(store: SharedStore): Promise<number> {
  let loads = 0;
  for (const key of KEYS) if (await read(store, key)) loads++;
  return loads;
}

describe("a cluster", () => {
  test("spreads keys over its servers, and all processes agree on where", async () => {
    const { cluster, calls } = servers();
    const [one, other] = [cluster(["a", "b", "c"]), cluster(["c", "b", "a"])];
    expect(await loadsOf(one)).toBe(300);
    for (const count of calls.values()) expect(count).toBeGreaterThan(100);
    expect(await loadsOf(other)).toBe(0);
  });

  test("one killed of three: only its share is loaded again, and with a gutter once, not each time", async () => {
    for (const gutter of [undefined, "gutter"]) {
      const { cluster, dead } = servers();
      const store = cluster(["a", "b", "c"], gutter);
      await loadsOf(store);
      dead.add("b");
      const lost = await loadsOf(store);
      expect(lost).toBeGreaterThan(50);
      expect(lost).toBeLessThan(150);
      const again = await loadsOf(store);
      if (gutter === undefined) expect(again).toBe(lost);
      else expect(again).toBeLessThanOrEqual(5); // those that found out that it is dead
    }
  });

  test("a server that comes back is told first what it missed", async () => {
    const { cluster, dead, advance } = servers();
    const store = cluster(["a", "b", "c"], "gutter");
    await loadsOf(store);
    dead.add("b");
    for (const key of KEYS) await store.invalidate({ kind: "key", key, soft: false }).catch(() => {});
    dead.clear();
    for (let step = 0; step < 20; step++) {
      advance(500);
      await turns(1000);
    }
    const other = cluster(["a", "b", "c"], "gutter");
    const loads = await loadsOf(other);
    expect(loads).toBe(300);
  });

  test("a server that is back is found by reads alone, and the gutter is left", async () => {
    const { cluster, dead, calls, advance } = servers();
    const store = cluster(["a"], "gutter");
    const look = () =>
      store.lookup("k", { token: "t", leaseMs: 1000, refresh: false }).catch(() => undefined);
    dead.add("a");
    for (let times = 0; times < 10; times++) await look();
    expect(calls.get("a")).toBe(5);
    dead.delete("a");
    advance(501);
    await look();
    const before = calls.get("gutter");
    for (let times = 0; times < 10; times++) await look();
    expect([calls.get("a"), calls.get("gutter")]).toEqual([16, before]);
  });

  test("while it is away one read in a pause is the probe, and the others go to the gutter", async () => {
    const { cluster, dead, calls, advance } = servers();
    const store = cluster(["a"], "gutter");
    const look = () =>
      store.lookup("k", { token: "t", leaseMs: 1000, refresh: false }).catch(() => undefined);
    dead.add("a");
    for (let times = 0; times < 10; times++) await look();
    advance(501);
    await Promise.all(Array.from({ length: 10 }, look));
    expect(calls.get("a")).toBe(6);
  });

  test("a value in the gutter does not live long", async () => {
    const { cluster, dead, advance } = servers();
    const store = cluster(["a"], "gutter");
    dead.add("a");
    for (let attempt = 0; attempt < 6; attempt++) await read(store, "k");
    expect(await read(store, "k")).toBe(false);
    advance(10_001);
    expect((await store.peek("k").catch(() => undefined))?.freshMs ?? 0).toBeLessThanOrEqual(0);
  });

  test("a hot key is read from a second server when its own has too much to do, and an invalidation reaches the copy", async () => {
    const { cluster, calls, hold } = servers();
    const store = cluster(["a", "b", "c"]);
    for (let at = 0; at < 30; at++) await read(store, "hot");
    const owner = [...calls].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? "";
    const gate = Promise.withResolvers<void>();
    hold.set(`${owner} peek`, gate.promise);
    const busy = Array.from({ length: 20 }, () => store.peek("hot"));
    await turns();
    await read(store, "hot"); // copies
    await turns();
    hold.set(`${owner} lookup`, gate.promise);
    expect(await read(store, "hot")).toBe(false); // the owner answers nobody
    await store.invalidate({ kind: "key", key: "hot", soft: false });
    gate.resolve();
    await Promise.all(busy);
    hold.clear();
    expect((await store.lookup("hot", ask())).kind).toBe("won");
  });

  test("a server is added under use: nothing is loaded again, and nothing invalidated meanwhile comes back", async () => {
    const { cluster, advance } = servers();
    const [one, other] = [cluster(["a", "b", "c"]), cluster(["a", "b", "c"])];
    await loadsOf(one);
    const change = { settleMs: 1000, dualReadMs: 10_000 };
    one.setNodes(["a", "b", "c", "d"], change);
    advance(500); // the other process is told later
    other.setNodes(["a", "b", "c", "d"], change);
    expect(await loadsOf(one)).toBe(0);
    for (const key of KEYS.slice(0, 100)) await other.invalidate({ kind: "key", key, soft: false });
    advance(600); // one reads by the new ring, the other by the old
    for (const key of KEYS.slice(100, 200)) await other.invalidate({ kind: "key", key, soft: false });
    let loads = 0;
    for (const key of KEYS.slice(0, 200)) if (await read(one, key)) loads++;
    expect(loads).toBe(200);
    expect(await loadsOf(one)).toBe(0);
    advance(20_000);
    expect(await loadsOf(one)).toBe(0);
    expect(one.state().map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
  });

  test("a server is taken out under use: its keys are copied to those that follow", async () => {
    const { cluster, advance } = servers();
    const store = cluster(["a", "b", "c"]);
    await loadsOf(store);
    store.setNodes(["a", "b"], { settleMs: 1000, dualReadMs: 10_000 });
    advance(1001);
    expect(await loadsOf(store)).toBe(0);
    advance(10_000);
    expect(await loadsOf(store)).toBe(0);
    expect(store.state().map(({ id }) => id)).toEqual(["a", "b"]);
  });
});
