import { describe, expect, test } from "bun:test";
import { simulatedTime } from "../base/index.ts";
import { BatchFullError, batch } from "./batch.ts";

/** Records calls; `bad` items are refused as a database refuses a row. */
function sink(bad: readonly number[] = [], code = "23505") {
  const calls: number[][] = [];
  const run = async (items: number[]): Promise<number[]> => {
    calls.push(items);
    if (items.some((item) => bad.includes(item))) throw Object.assign(new Error("refused"), { code });
    return items.map((item) => item * 2);
  };
  return { calls, run };
}
const settled = (all: Promise<number>[]): Promise<string[]> =>
  Promise.all(all.map((each) => each.then(String, (error: Error) => error.message)));

describe("a batch", () => {
  test("is full, or waits no longer than told", async () => {
    const time = simulatedTime();
    const { calls, run } = sink();
    const add = batch(run, { maxSize: 3, maxWaitMs: 5, scheduler: time.scheduler });
    const results = [1, 2, 3, 4].map((n) => add(n));
    await Promise.resolve();
    expect(calls).toEqual([[1, 2, 3]]);
    time.advance(5);
    expect(await Promise.all(results)).toEqual([2, 4, 6, 8]);
    expect(calls).toEqual([[1, 2, 3], [4]]);
  });

  test("loses none of the others for a bad one", async () => {
    const { calls, run } = sink([5]);
    const add = batch(run, { maxSize: 8 });
    const results = await settled(Array.from({ length: 8 }, (_, n) => add(n)));
    expect(results).toEqual(["0", "2", "4", "6", "8", "refused", "12", "14"]);
    expect(calls).toHaveLength(7);
  });

  test("is not repeated in parts when nobody knows what became of it", async () => {
    const { calls, run } = sink([1], "ECONNRESET");
    const add = batch(run, { maxSize: 3 });
    expect(await settled([1, 2, 3].map((n) => add(n)))).toEqual(["refused", "refused", "refused"]);
    expect(calls).toHaveLength(1);
  });

  test("rejects an item by an error in its place, and all when results are missing", async () => {
    const one = batch<number, number>(
      async (items) => items.map((item) => (item === 2 ? new Error("two") : item)),
      {
        maxSize: 3,
      },
    );
    expect(await settled([1, 2, 3].map((n) => one(n)))).toEqual(["1", "two", "3"]);
    const short = batch<number, number>(async () => [1], { maxSize: 2 });
    expect(await settled([short(1), short(2)])).toEqual(Array(2).fill("a batch of 2 items has 1 results"));
  });

  test("has a bound on what waits, and flushes", async () => {
    const { run, calls } = sink();
    const add = batch(run, { queueMax: 2, maxWaitMs: 60_000 });
    const kept = [add(1), add(2)];
    expect(await add(3).catch((error: unknown) => error)).toBeInstanceOf(BatchFullError);
    expect(add.waiting).toBe(2);
    await add.flush();
    expect([add.waiting, calls]).toEqual([0, [[1, 2]]]);
    expect(await Promise.all(kept)).toEqual([2, 4]);
  });
});
