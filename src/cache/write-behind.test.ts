import { describe, expect, test } from "bun:test";
import { simulatedTime } from "../base/index.ts";
import { CacheError } from "./errors.ts";
import { deferred, turns } from "./testing.ts";
import { type WriteBehindSettings, WriteBuffer, type WriteLog, type WriteRecord } from "./write-behind.ts";

const SETTINGS: WriteBehindSettings = {
  flushAfterMs: 200,
  flushCount: 100,
  bufferMax: 1000,
  roomTimeoutMs: 1000,
  attempts: 3,
};

/** A log that notes what it is told. */
function noteLog(recovered: readonly WriteRecord[] = []) {
  const notes: string[] = [];
  let version = recovered.length;
  const log: WriteLog = {
    recovered,
    append: async (write) => ({ ...write, version: ++version }),
    settled: ({ text, version: settled }) => void notes.push(`settled ${text}:${settled}`),
    bury: async ({ text, version: buried }, problem) =>
      void notes.push(`buried ${text}:${buried} ${problem}`),
    close: async () => void notes.push("closed"),
  };
  return { log, notes };
}

function setUp(settings: Partial<WriteBehindSettings> = {}, recovered: readonly WriteRecord[] = []) {
  const time = simulatedTime();
  const { log, notes } = noteLog(recovered);
  const applied: string[] = [];
  const source = { apply: null as ((record: WriteRecord) => Promise<void>) | null };
  const buffer = new WriteBuffer({
    ...time,
    log,
    apply: async (record, { idempotencyKey }) => {
      await source.apply?.(record);
      applied.push(`${idempotencyKey}=${String(record.value)}`);
    },
    ended: () => {},
    settings: { ...SETTINGS, ...settings },
  });
  const write = (text: string, value: unknown): Promise<void> => buffer.write({ text, key: text, value });
  const pass = async (ms: number): Promise<void> => {
    time.advance(ms);
    await turns();
  };
  return { buffer, write, pass, applied, notes, source };
}

describe("the write buffer", () => {
  test("sends the latest of a key after a while, once, and says that it is settled", async () => {
    const { write, pass, applied, notes, buffer } = setUp();
    for (const value of [1, 2, 3]) await write("a", value);
    expect(buffer.find("a")?.value).toBe(3);
    await pass(200);
    expect(applied).toEqual(["a:3=3"]);
    expect(notes).toEqual(["settled a:3"]);
    expect(buffer.lag()).toMatchObject({ pending: 0, applied: 1, coalesced: 2 });
  });

  test("sends at once when many keys wait", async () => {
    const { write, pass, applied } = setUp({ flushCount: 3 });
    await Promise.all(["a", "b", "c"].map((key) => write(key, 1)));
    await pass(0);
    expect(applied).toHaveLength(3);
  });

  test("sends one write of a key at a time: a later one waits for the one under way", async () => {
    const { write, pass, applied, source, buffer } = setUp();
    const first = deferred<void>();
    source.apply = () => first.promise;
    await write("a", 1);
    await pass(200);
    source.apply = async () => {};
    await write("a", 2);
    await pass(1000);
    expect(applied).toEqual([]);
    expect(buffer.find("a")?.value).toBe(2);
    first.resolve();
    await turns();
    await pass(200);
    expect(applied).toEqual(["a:1=1", "a:2=2"]);
  });

  test("tries again, waits longer each time, and then puts the write aside", async () => {
    const { write, pass, applied, notes, source, buffer } = setUp();
    source.apply = () => Promise.reject(new Error("down"));
    await write("a", 1);
    await pass(200);
    await pass(100);
    expect(buffer.lag()).toMatchObject({ retries: 2, deadLetters: 0, pending: 1 });
    await pass(200);
    expect(notes).toEqual(["buried a:1 down", "settled a:1"]);
    expect(buffer.lag()).toMatchObject({ deadLetters: 1, pending: 0 });
    source.apply = async () => {};
    await write("a", 2);
    await pass(200);
    expect(applied).toEqual(["a:2=2"]);
  });

  test("makes writers wait when it is full, and refuses them when that takes too long", async () => {
    const { write, pass, source } = setUp({ bufferMax: 2 });
    const slow = deferred<void>();
    source.apply = () => slow.promise;
    await write("a", 1);
    await write("b", 1);
    await write("a", 2); // a key that waits needs no room
    const third = write("c", 1);
    const fourth = write("d", 1).catch((error: CacheError) => error.code);
    await pass(500);
    slow.resolve();
    await turns();
    await third;
    source.apply = () => new Promise(() => {});
    await pass(1500);
    expect(["write-buffer-full", undefined]).toContain((await fourth) as never);
  });

  test("sends first what an earlier run has left", async () => {
    const recovered = [1, 2].map((version) => ({ version, text: "a", key: "a", value: version }));
    const { pass, applied, write } = setUp({}, recovered);
    await write("b", 9);
    await pass(200);
    expect(applied).toEqual(["a:2=2", "b:3=9"]);
  });

  test("drains at once, and closes when all is sent or the time is over", async () => {
    const { write, pass, applied, notes, buffer, source } = setUp();
    await write("a", 1);
    const drained = buffer.drain();
    await pass(0);
    await drained;
    expect(applied).toEqual(["a:1=1"]);
    source.apply = () => new Promise(() => {});
    await write("b", 1);
    const closed = buffer.close(5000);
    await pass(5000);
    await closed;
    expect(notes.at(-1)).toBe("closed");
    expect(await write("c", 1).catch((error: CacheError) => error.code)).toBe("cache-closed" as never);
  });
});
