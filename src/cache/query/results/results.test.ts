import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { simulatedTime, systemClock } from "../../../base/index.ts";
import { RespClient } from "../../../resp/io/index.ts";
import { hasRedis, startRedis, type TestStore } from "../../../resp/testing/store-servers.ts";
import { memoryResults } from "./memory-results.ts";
import { respResults } from "./resp-results.ts";
import type { ResultStore, StoredAnswer } from "./results.ts";

const FIELD = {
  name: "x",
  tableID: 1,
  columnID: 1,
  dataTypeID: 25,
  dataTypeSize: -1,
  dataTypeModifier: -1,
  format: "text",
};
const stored = (text: string | null): StoredAnswer => ({
  versions: ["1", "2"],
  answer: { command: "SELECT", fields: [FIELD], rows: [[text]] },
});

/** What both do. */
function resultsSuite(name: string, make: () => ResultStore): void {
  describe(`answers in ${name}`, () => {
    test.each(["", "é\u0000\u2028'\"\\", null, "NaN", "x".repeat(100_000)])(
      "come back as they were: %p",
      async (text) => {
        const store = make();
        await store.set("k", stored(text), 10_000, 100);
        expect(await store.get("k")).toEqual(stored(text));
        expect(await store.get("other")).toBeUndefined();
      },
    );

    test("are replaced", async () => {
      const store = make();
      await store.set("k", stored("a"), 10_000, 100);
      await store.set("k", stored("b"), 10_000, 100);
      expect(await store.get("k")).toEqual(stored("b"));
    });
  });
}

resultsSuite("memory", () => memoryResults({ clock: systemClock }));

describe("answers in memory", () => {
  test("end with their time", async () => {
    const time = simulatedTime();
    const store = memoryResults({ clock: time.clock });
    await store.set("k", stored("a"), 100, 100);
    time.advance(100);
    expect(await store.get("k")).toBeUndefined();
  });

  test("are bounded by bytes, and the one not asked for longest goes", async () => {
    const store = memoryResults({ clock: systemClock, bytesMax: 250 });
    for (const key of ["a", "b"]) await store.set(key, stored(key), 10_000, 100);
    await store.get("a");
    await store.set("c", stored("c"), 10_000, 100);
    expect([await store.get("a"), await store.get("b"), await store.get("c")]).toEqual([
      stored("a"),
      undefined,
      stored("c"),
    ]);
  });
});

describe.skipIf(!hasRedis)("in a store (needs redis-server)", () => {
  let redis: TestStore;
  let client: RespClient;
  beforeAll(async () => {
    redis = await startRedis();
    client = new RespClient({ url: redis.url });
  });
  afterAll(async () => {
    client.close();
    await redis.stop();
  });

  resultsSuite("a store", () => respResults({ store: client, deadlineMs: 5000 }));

  test("what is garbage or of another format is an error or nothing", async () => {
    const store = respResults({ store: client });
    await client.call(["SET", "tq:r:garbage", "{"]);
    await client.call(["SET", "tq:r:future", "[2,[],{}]"]);
    expect(store.get("garbage")).rejects.toThrow();
    expect(await store.get("future")).toBeUndefined();
  });

  test("they end with their time", async () => {
    const store = respResults({ store: client });
    await store.set("short", stored("a"), 5, 100);
    await Bun.sleep(20);
    expect(await store.get("short")).toBeUndefined();
  });
});
