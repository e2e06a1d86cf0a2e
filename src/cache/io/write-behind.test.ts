import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CacheError } from "../errors.ts";
import type { Source } from "../source.ts";
import { cacheAside, readThrough, writeThrough } from "../strategies.ts";
import { createCache } from "./create-cache.ts";
import { killWriters } from "./testing/kill-writers.ts";
import { writeBehind } from "./write-behind.ts";
import { openWriteLog } from "./write-log.ts";

let folder = "";
let log = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tenfold-write-behind-"));
  log = join(folder, "writes.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A table in memory. */
function table(): Source<number, string> & { rows: Map<number, string>; calls: string[] } {
  const rows = new Map<number, string>();
  const calls: string[] = [];
  return {
    rows,
    calls,
    load: (key) => (calls.push(`load ${key}`), rows.get(key)),
    store: (key, value) => void (calls.push(`store ${key}`), rows.set(key, value)),
    remove: (key) => void (calls.push(`remove ${key}`), rows.delete(key)),
  };
}

const options = { prefix: "row:" };

describe("strategies", () => {
  test("read-through loads once, and remembers what does not exist", async () => {
    const source = table();
    source.rows.set(1, "one");
    const rows = readThrough(createCache(), source, options);
    expect([await rows.get(1), await rows.get(1), await rows.get(2), await rows.get(2)]).toEqual([
      "one",
      "one",
      undefined,
      undefined,
    ]);
    expect([...(await rows.getMany([1, 2, 3]))]).toEqual([[1, "one"]]);
    expect(source.calls).toEqual(["load 1", "load 2", "load 3"]);
  });

  test("read-through loads many in one call when the source can", async () => {
    const asked: (readonly number[])[] = [];
    const source: Source<number, string> = {
      load: () => undefined,
      loadMany: (keys) => (asked.push(keys), new Map(keys.map((key) => [key, `v${key}`]))),
    };
    const rows = readThrough(createCache(), source, options);
    expect([...(await rows.getMany([1, 2]))]).toEqual([
      [1, "v1"],
      [2, "v2"],
    ]);
    await rows.getMany([2, 3]);
    expect(asked).toEqual([[1, 2], [3]]);
  });

  test("cache-aside writes to the source and forgets", async () => {
    const source = table();
    const rows = cacheAside(createCache(), source, options);
    await rows.get(1);
    await rows.set(1, "one");
    expect(await rows.get(1)).toBe("one");
    await rows.delete(1);
    expect(await rows.get(1)).toBeUndefined();
    expect(source.calls).toEqual(["load 1", "store 1", "load 1", "remove 1", "load 1"]);
  });

  test("write-through writes to the source and keeps: no load follows", async () => {
    const source = table();
    const rows = writeThrough(createCache(), source, options);
    await rows.get(1);
    await rows.set(1, "one");
    expect(await rows.get(1)).toBe("one");
    expect(source.calls).toEqual(["load 1", "store 1"]);
  });

  test("a source that only reads refuses writes", async () => {
    const rows = cacheAside(createCache(), { load: () => "v" }, options);
    expect(await rows.set(1, "x").catch((error: CacheError) => error.code)).toBe("write-refused" as never);
  });

  test("write-behind answers from the buffer, then from the cache; the source follows", async () => {
    const source = table();
    const rows = await writeBehind(createCache(), source, { ...options, log, flushAfter: "1s" });
    await rows.set(1, "one");
    await rows.set(1, "two");
    expect([await rows.get(1), source.rows.get(1)]).toEqual(["two", undefined]);
    await rows.delete(2);
    expect(await rows.get(2)).toBeUndefined();
    await rows.drain();
    expect([await rows.get(1), source.rows.get(1)]).toEqual(["two", "two"]);
    expect(source.calls).toEqual(["store 1", "remove 2"]);
    await rows.close();
  });

  test("write-behind puts aside what the source refuses, says so, and the cache forgets it", async () => {
    const dead: unknown[] = [];
    const source = table();
    source.rows.set(1, "old");
    const refusing = { ...source, store: () => Promise.reject(new Error("constraint")) };
    const rows = await writeBehind(createCache(), refusing, {
      ...options,
      log,
      attempts: 1,
      onDeadLetter: (key, value) => dead.push([key, value]),
    });
    await rows.set(1, "bad");
    await rows.drain();
    await Bun.sleep(5);
    expect(dead).toEqual([[1, "bad"]]);
    expect(await rows.get(1)).toBe("old");
    expect(readFileSync(`${log}.dead`, "utf8")).toContain('"value":"bad","problem":"constraint"');
    await rows.close();
  });
});

describe("the log on disk", () => {
  const write = (text: string, value: unknown) => ({ text, key: text, value });

  test("gives back what was not settled, in order, and goes on counting", async () => {
    const first = await openWriteLog(log);
    const a = await first.append(write("a", 1));
    await first.append(write("b", 2));
    await first.append(write("a", 3));
    first.settled(a);
    await first.close();
    const second = await openWriteLog(log);
    expect(second.recovered.map(({ text, version, value }) => [text, version, value])).toEqual([
      ["b", 2, 2],
      ["a", 3, 3],
    ]);
    expect((await second.append(write("c", 4))).version).toBe(4);
    await second.close();
  });

  test("cuts off a torn end at every byte of it, and passes over a damaged line", async () => {
    const first = await openWriteLog(log);
    await first.append(write("a", "ä"));
    await first.append(write("b", "ö"));
    await first.close();
    const whole = readFileSync(log);
    const firstLine = whole.indexOf("\n") + 1;
    for (let end = firstLine; end < whole.length; end++) {
      writeFileSync(log, whole.subarray(0, end));
      const opened = await openWriteLog(log);
      expect(opened.recovered.map(({ text }) => text)).toEqual(["a"]);
      await opened.append(write("c", 1));
      await opened.close();
      const again = await openWriteLog(log);
      expect(again.recovered.map(({ text }) => text)).toEqual(["a", "c"]);
      await again.close();
    }
    const damaged = Buffer.from(whole);
    damaged[12]! ^= 1;
    writeFileSync(log, damaged);
    const opened = await openWriteLog(log);
    expect(opened.recovered.map(({ text }) => text)).toEqual(["b"]);
    await opened.close();
  });

  test("is replaced by what is left when most of it is done with, and versions go on", async () => {
    const opened = await openWriteLog(log);
    const kept = await opened.append(write("kept", "v"));
    const large = "x".repeat(10_000);
    let last = kept;
    for (let at = 0; at < 300; at++) {
      last = await opened.append(write("k", large));
      opened.settled(last);
    }
    await opened.close();
    expect(statSync(log).size).toBeLessThan(1_500_000);
    const again = await openWriteLog(log);
    expect(again.recovered).toEqual([kept]);
    expect((await again.append(write("n", 1))).version).toBeGreaterThan(last.version);
    await again.close();
  });

  test("is open once: a second opening is refused, and a lock that a killed process left is not", async () => {
    const opened = await openWriteLog(log);
    expect(await openWriteLog(log).catch(String)).toContain("is open already");
    await opened.close();
    writeFileSync(`${log}.lock`, "1");
    expect(await openWriteLog(log).catch(String)).toContain("is open in process 1");
    writeFileSync(`${log}.lock`, "999999999");
    await (await openWriteLog(log)).close();
  });

  test("a folder that does not exist is an error at once", async () => {
    expect(await openWriteLog(join(folder, "none", "x.log")).catch(String)).toContain("ENOENT");
  });

  test("a full disk refuses the write, keeps what was accepted, and goes on when there is room", async () => {
    // A limit on the size of files stands for a full disk: the write fails halfway, as there.
    const program = `
      import { openWriteLog } from ${JSON.stringify(join(import.meta.dir, "write-log.ts"))};
      process.on("SIGXFSZ", () => {});
      const log = await openWriteLog(${JSON.stringify(log)});
      const outcomes = [];
      for (let at = 0; at < 20; at++) {
        const value = at === 10 ? "small" : "x".repeat(at < 5 ? 100 : 3000);
        outcomes.push(await log.append({ text: "k" + at, key: at, value }).then(() => "ok", (error) => error.code));
      }
      console.log(JSON.stringify(outcomes));`;
    const child = Bun.spawnSync(["bash", "-c", `ulimit -f 4; exec ${process.execPath} -e '${program}'`]);
    const outcomes: string[] = JSON.parse(child.stdout.toString() || "[]");
    expect(outcomes.filter((each) => each === "write-log-failed").length).toBeGreaterThan(5);
    const accepted = outcomes.flatMap((each, at) => (each === "ok" ? [`k${at}`] : []));
    expect(accepted).toContain("k10");
    const opened = await openWriteLog(log);
    expect(opened.recovered.map(({ text }) => text)).toEqual(accepted);
    await opened.close();
  });
});

test("kill -9 at random points: no acknowledged write is lost, order per key is kept, each is applied once", async () => {
  const { kills, acknowledged, lost, misordered, applied } = await killWriters({
    folder,
    kills: 12,
    seed: 1,
  });
  expect(kills).toBe(12);
  expect(acknowledged).toBeGreaterThan(100);
  expect({ lost, misordered }).toEqual({ lost: 0, misordered: 0 });
  expect(applied).toBeGreaterThan(50);
}, 60_000);
