import { describe, expect, test } from "bun:test";
import { type RegionalSource, regional } from "./regions.ts";
import { MemoryStore } from "./store/memory-store.ts";
import { testCache } from "./testing.ts";

/** A master and a replica that has what `replicate` has copied. */
function database() {
  const master = new Map<string, string>();
  const replica = new Map<string, string>();
  const asked: string[] = [];
  const source: RegionalSource<string, string> = {
    load: (key) => (asked.push("replica"), replica.get(key)),
    loadFromMaster: (key) => (asked.push("master"), master.get(key)),
    store: (key, value) => void master.set(key, value),
    remove: (key) => void master.delete(key),
  };
  const replicate = (): void => {
    replica.clear();
    for (const [key, value] of master) replica.set(key, value);
  };
  return { source, replicate, asked };
}

function region(isMaster: boolean) {
  const time = testCache();
  const memory = new MemoryStore(time.clock);
  const { source, replicate, asked } = database();
  const processes = [0, 1].map(() => {
    const { cache } = testCache({ ttl: "1h" }, memory.view(), time);
    return regional(cache, source, { prefix: "row:", isMaster, markFor: "10s", negativeTtl: "1h" });
  });
  return { processes, replicate, asked, advance: time.advance };
}

describe("a region with a replica", () => {
  test("after a write every process of the region loads from the master while the mark lasts, then from the replica", async () => {
    const {
      processes: [one, other],
      replicate,
      asked,
      advance,
    } = region(false);
    await one!.set("a", "1");
    replicate();
    expect(await other!.get("b")).toBeUndefined(); // not written: the replica is good
    await one!.set("a", "2");
    expect(await other!.get("a")).toBe("2");
    expect(await one!.get("a")).toBe("2");
    expect(asked).toEqual(["replica", "master"]);
    replicate();
    advance(10_001);
    await one!.delete("c");
    advance(10_001);
    expect(await other!.get("c")).toBeUndefined();
    expect(asked).toEqual(["replica", "master", "replica"]);
  });

  test("a removal is marked too", async () => {
    const {
      processes: [one, other],
      replicate,
    } = region(false);
    await one!.set("a", "1");
    replicate();
    await one!.delete("a");
    expect(await other!.get("a")).toBeUndefined();
  });

  test("the master's region marks nothing", async () => {
    const {
      processes: [one],
      asked,
    } = region(true);
    await one!.set("a", "1");
    await one!.get("a");
    expect(asked).toEqual(["replica"]);
  });
});
