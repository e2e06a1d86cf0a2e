import { describe, expect, test } from "bun:test";
import { simulatedTime } from "../base/index.ts";
import { memoryBackend, type NextCacheBackend } from "./backend.ts";
import { guardedBackend } from "./guarded-backend.ts";

const EXPIRE = { kind: "expire" } as const;

/** A guarded cache that can be away, with the time of its retries and what it was asked. */
function guarded() {
  const time = simulatedTime();
  const memory = memoryBackend();
  const asked: string[] = [];
  let isAway = false;
  const through = <K extends keyof NextCacheBackend>(name: K): NextCacheBackend[K] =>
    (async (...words: unknown[]) => {
      asked.push(name === "mark" ? `mark ${String(words[0])}` : name);
      if (isAway) throw new Error("away");
      return (memory[name] as (...all: unknown[]) => Promise<unknown>)(...words);
    }) as unknown as NextCacheBackend[K];
  const names = ["read", "write", "remove", "marks", "mark", "forget"] as const;
  const backend = Object.fromEntries(
    names.map((name) => [name, through(name)]),
  ) as unknown as NextCacheBackend;
  const cache = guardedBackend(backend, { clock: time.clock, scheduler: time.scheduler });
  const away = (value: boolean) => void (isAway = value);
  return { cache, memory, asked, time, away };
}

/** Lets what was started come to its end: promises of memory alone. */
const settled = () => Bun.sleep(1);

describe("invalidations", () => {
  test("of the same turn go in one, and each caller hears of it", async () => {
    const { cache, asked } = guarded();
    await Promise.all([cache.mark(["a"], EXPIRE), cache.mark(["a", "b"], EXPIRE)]);
    expect(asked).toEqual(["mark a,b"]);
  });

  test("that come while the same tag is being marked are marked again", async () => {
    const { cache, memory } = guarded();
    const first = cache.mark(["a"], EXPIRE);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.all([first, cache.mark(["a"], EXPIRE)]);
    expect((await memory.read("")).sequence).toBe(2);
  });

  test("of different kinds are told apart; a soft one does not weaken one that is owed", async () => {
    const { cache, memory } = guarded();
    await Promise.all([
      cache.mark(["a", "b"], EXPIRE),
      cache.mark(["b", "c"], { kind: "stale", untilMs: 7 }),
    ]);
    const [a, b, c] = await memory.marks(["a", "b", "c"]);
    expect([a?.expired, b?.expired, c?.expired, c?.staleUntilMs]).toEqual([1, 1, 0, 7]);
  });

  test("that failed say so, and are told before the next read once the cache is back", async () => {
    const { cache, asked, away } = guarded();
    away(true);
    expect(cache.mark(["a"], EXPIRE)).rejects.toThrow("away");
    await settled();
    expect(cache.read("x")).rejects.toThrow("away");
    await settled();
    expect(asked).not.toContain("read");
    away(false);
    await cache.read("x");
    expect(asked.slice(-2)).toEqual(["mark a", "read"]);
  });

  test("that failed are told without anybody asking", async () => {
    const { cache, memory, away, time } = guarded();
    away(true);
    expect(cache.mark(["a"], EXPIRE)).rejects.toThrow("away");
    await settled();
    away(false);
    time.advance(1000);
    await settled();
    expect((await memory.marks(["a"]))[0]?.expired).toBe(1);
  });

  test("too many to be told apart forget everything", async () => {
    const { cache, memory, away } = guarded();
    await memory.write("x", new Uint8Array(), 1000);
    away(true);
    const tags = Array.from({ length: 10_001 }, (_, index) => `t${index}`);
    expect(cache.mark(tags, EXPIRE)).rejects.toThrow("away");
    await settled();
    away(false);
    expect((await cache.read("x")).entry).toBeUndefined();
  });
});

test("a cache that failed five times in a row is not asked for a while, then by one", async () => {
  const { cache, asked, away, time } = guarded();
  away(true);
  for (let times = 0; times < 8; times++) await cache.read("x").catch(() => {});
  expect(asked).toHaveLength(5);
  away(false);
  expect(cache.read("x")).rejects.toThrow("not asked for a while");
  time.advance(600);
  expect((await cache.read("x")).sequence).toBe(0);
});
