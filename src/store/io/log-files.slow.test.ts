import { afterEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../base/index.ts";
import type { Settings } from "../settings.ts";
import { drawCommand, TestClient, testStore } from "../testing/index.ts";
import { LogFiles } from "./log-files.ts";
import { DamagedStoreError } from "./recovery.ts";

const folders: string[] = [];
const mounts: string[] = [];
afterEach(() => {
  for (const mount of mounts.splice(0)) spawnSync("umount", [mount]);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-store-"));
  folders.push(folder);
  return folder;
}

function open(
  folder: string,
  settings: Partial<Settings> = {},
): ReturnType<typeof testStore> & { files: LogFiles } {
  const made = testStore(settings);
  const files = new LogFiles(made.store, folder);
  made.store.log = files;
  return { ...made, files };
}

/** Everything that a store holds, in a form that can be compared. */
function contents(client: TestClient): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (let database = 0; database < 16; database++) {
    client.say("SELECT", database);
    for (const key of (client.raw("KEYS", "*")[0] as Uint8Array[]).toSorted((a, b) => Buffer.compare(a, b)))
      all[`${database} ${Buffer.from(key).toString("latin1")}`] = [
        valueOf(client, key),
        client.say("PEXPIRETIME", key),
      ];
  }
  client.say("SELECT", 0);
  return all;
}

function valueOf(client: TestClient, key: Uint8Array): unknown {
  const type = String(client.say("TYPE", key));
  const sorted = (reply: unknown): unknown =>
    Array.isArray(reply) ? reply.map(String).toSorted((a, b) => (a < b ? -1 : 1)) : reply;
  const readers: Record<string, () => unknown> = {
    string: () => client.say("GET", key),
    list: () => client.say("LRANGE", key, 0, -1),
    set: () => sorted(client.say("SMEMBERS", key)),
    zset: () => client.say("ZRANGE", key, 0, -1, "WITHSCORES"),
    hash: () =>
      sorted(
        (client.say("HGETALL", key) as string[])
          .map((_, i, all) => (i % 2 ? `${all[i - 1]}=${all[i]}` : ""))
          .filter(Boolean),
      ),
  };
  return [type, readers[type]?.()];
}

function runRandom(
  client: TestClient,
  seed: number,
  count: number,
  between: (i: number) => void = () => {},
): void {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    const { request } = drawCommand(random);
    if (!["WATCH", "BLPOP", "BLMOVE", "BZPOPMIN", "BLMPOP"].includes(request[0] ?? ""))
      client.all(...request);
    between(i);
  }
  client.say("DISCARD");
}

describe("the log", () => {
  test("brings back everything that random commands of all families made", async () => {
    const folder = newFolder();
    const first = open(folder);
    runRandom(first.client, 1, 20_000, (i) => {
      if (i % 50 === 0) first.files.flush();
    });
    const before = contents(first.client);
    await first.files.close();
    const second = open(folder);
    expect(contents(second.client)).toEqual(before);
    expect(Object.keys(before).length).toBeGreaterThan(20);
    expect(second.files.report).toMatchObject({ lostBytes: 0, damagedPath: undefined });
    await second.files.close();
  });

  test("brings back everything when it was rewritten while commands went on", async () => {
    const folder = newFolder();
    const first = open(folder);
    for (let i = 0; i < 3000; i++) first.client.say("SET", `more:${i}`, i);
    for (let i = 0; i < 3000; i++) first.client.say("RPUSH", "large", i);
    for (let i = 0; i < 1000; i++) first.client.say("ZADD", "scores", i, `m${i}`);
    let rewrites = 0;
    runRandom(first.client, 2, 20_000, (i) => {
      if (i % 100 === 0) first.files.flush();
      if (i % 2500 === 0 && !first.files.isRewriting) {
        first.files.rewrite();
        rewrites++;
      }
      if (i % 20 === 0) first.time.advance(2);
      if (i % 7 === 0) first.client.say("INCR", `more:${i % 3000}`);
      if (i % 11 === 0) first.client.say("DEL", `more:${(i * 7) % 3000}`);
    });
    first.time.advance(1000);
    expect(first.files.isRewriting).toBe(false);
    expect(rewrites).toBeGreaterThan(3);
    first.files.flush();
    const before = contents(first.client);
    await first.files.close();
    expect(readdirSync(folder).filter((name) => name.startsWith("snapshot"))).toHaveLength(1);
    const second = open(folder);
    expect(contents(second.client)).toEqual(before);
    await second.files.close();
  });

  test("of a rewrite that a crash broke off brings back everything", async () => {
    const folder = newFolder();
    const first = open(folder);
    for (let i = 0; i < 4000; i++) first.client.say("SET", `k${i}`, i);
    first.files.rewrite();
    for (let i = 0; i < 1000; i++) first.client.say("INCR", `k${i * 3}`);
    first.files.flush();
    const before = contents(first.client);
    // No close: the process is gone.
    const names = readdirSync(folder);
    expect(names.some((name) => name.endsWith(".part")) || names.includes("snapshot-1")).toBe(true);
    const second = open(folder);
    expect(contents(second.client)).toEqual(before);
    await second.files.close();
  });

  test("that ends in the middle of a write is cut there, wherever that is, and says so", async () => {
    const folder = newFolder();
    const first = open(folder);
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      first.client.say("RPUSH", "list", "v");
      first.files.flush();
      sizes.push(statSync(join(folder, "log-0")).size);
    }
    await first.files.close();
    const whole = readFileSync(join(folder, "log-0"));
    for (let length = 0; length <= whole.length; length++) {
      const copy = newFolder();
      writeFileSync(join(copy, "log-0"), whole.subarray(0, length));
      const { client, files } = open(copy);
      const records = sizes.filter((size) => size <= length).length;
      expect(client.say("LLEN", "list")).toBe(records);
      expect(files.report.lostBytes).toBe(length - (sizes[records - 1] ?? 0));
      client.say("RPUSH", "list", "after");
      await files.close();
      if (length % 5 !== 0) continue;
      const again = open(copy);
      expect(again.client.say("LLEN", "list")).toBe(records + 1);
      await again.files.close();
    }
  });

  test("with a flipped bit in its last record keeps what is before, and the damaged bytes aside", async () => {
    const folder = newFolder();
    const first = open(folder);
    for (let i = 0; i < 3; i++) {
      first.client.say("SET", `k${i}`, i);
      first.files.flush();
    }
    await first.files.close();
    const path = join(folder, "log-0");
    const bytes = readFileSync(path);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const { client, files } = open(folder);
    expect(client.say("DBSIZE")).toBe(2);
    expect(files.report.damagedPath).toBe(`${path}.damaged`);
    await files.close();
  });

  test("refuses to start on a damaged snapshot: going on would lose data unsaid", async () => {
    const folder = newFolder();
    const first = open(folder);
    first.client.say("SET", "k", "v");
    first.files.rewrite();
    first.time.advance(100);
    await first.files.close();
    const path = join(folder, "snapshot-1");
    truncateSync(path, statSync(path).size - 5);
    expect(() => open(folder)).toThrow(DamagedStoreError);
  });

  test("keeps expiry as a moment: what ran out meanwhile is gone, what did not is there", async () => {
    const folder = newFolder();
    const first = open(folder);
    first.client.say("SET", "soon", 1, "PX", 1000);
    first.client.say("SET", "later", 1, "EX", 1000);
    first.client.say("HSET", "h", "f", 1);
    first.client.say("PEXPIRE", "h", 1500);
    await first.files.close();
    const second = testStore();
    second.time.advance(2000);
    second.store.log = new LogFiles(second.store, folder);
    expect(second.client.say("MGET", "soon", "later")).toEqual([null, "$1"]);
    expect(second.client.say("EXISTS", "h")).toBe(0);
    expect(second.client.say("TTL", "later")).toBe(998);
  });

  test("writes transactions whole: all of one or nothing", async () => {
    const folder = newFolder();
    const first = open(folder);
    first.client.say("MULTI");
    for (let i = 0; i < 50; i++) first.client.say("RPUSH", "list", "x".repeat(1000));
    first.client.say("EXEC");
    first.files.flush();
    await first.files.close();
    const whole = readFileSync(join(folder, "log-0"));
    for (const length of [10, 1000, 30_000, whole.length - 1, whole.length]) {
      const copy = newFolder();
      writeFileSync(join(copy, "log-0"), whole.subarray(0, length));
      const { client, files } = open(copy);
      expect(client.say("LLEN", "list")).toBe(length === whole.length ? 50 : 0);
      await files.close();
    }
  });

  test("grows to its bound, is rewritten by itself, and is small again", async () => {
    const folder = newFolder();
    const { client, files, time } = open(folder, { rewriteBytesMin: 100_000 });
    for (let i = 0; i < 5000; i++) {
      client.say("SET", "k", "x".repeat(100));
      if (i % 100 === 0) {
        files.flush();
        files.cycle();
        time.advance(5);
      }
    }
    expect(files.bytes).toBeLessThan(250_000);
    expect(readdirSync(folder).length).toBeLessThanOrEqual(3);
    await files.close();
  });
});

const canMount = process.getuid?.() === 0;

describe("a full disk", () => {
  test.skipIf(!canMount)(
    "refuses writes in Redis' words, lets reads go on, and heals by itself (needs mount)",
    async () => {
      const folder = newFolder();
      expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]).status).toBe(0);
      mounts.push(folder);
      writeFileSync(join(folder, "ballast"), new Uint8Array(100_000));
      const { client, files } = open(folder, { fsync: "always" });
      let acknowledged = 0;
      for (let i = 0; i < 100; i++) {
        const reply = client.say("SET", `k${i}`, "x".repeat(10_000));
        if (reply !== "OK") {
          expect(reply).toBe("-MISCONF Errors writing to the AOF file: No space left on device");
          break;
        }
        if (!files.flush()) break;
        acknowledged++;
      }
      expect(acknowledged).toBeGreaterThan(5);
      expect(files.refusal).toContain("MISCONF");
      expect(client.say("SET", "new", 1)).toContain("-MISCONF");
      expect(client.say("GET", "k0")).toBe(`$${"x".repeat(10_000)}`);
      rmSync(join(folder, "ballast"));
      files.cycle();
      expect(files.refusal).toBeUndefined();
      expect(client.say("SET", "new", 1)).toBe("OK");
      files.flush();
      await files.close();
      const again = open(folder);
      expect(
        again.client.say("EXISTS", ...Array.from({ length: acknowledged }, (_, i) => `k${i}`), "new"),
      ).toBe(acknowledged + 1);
      await again.files.close();
    },
  );
});
