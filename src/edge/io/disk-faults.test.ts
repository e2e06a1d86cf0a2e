import { afterEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, seededRandom } from "../../base/index.ts";
import { RETRY_MS } from "./disk-writer.ts";
import type { DiskTier } from "./index.ts";
import { DiskScene, keep, read } from "./testing/disk.ts";

const scenes: DiskScene[] = [];
const mounts: string[] = [];
afterEach(async () => {
  for (const one of scenes.splice(0)) await one.remove();
  for (const path of mounts.splice(0)) {
    spawnSync("umount", ["-l", path]);
    rmSync(path, { recursive: true });
  }
});

const URLS = Array.from({ length: 300 }, (_, at) => `example.com/${at % 7}/${at}`);

/** Words that a look-up may give instead of a body. */
const MISSES = new Set(["absent", "other", "purged", "torn", "corrupt", "gone"]);

async function filled(options: ConstructorParameters<typeof DiskScene>[0] = {}): Promise<DiskScene> {
  const one = new DiskScene(options);
  scenes.push(one);
  const tier = one.start();
  for (const [at, url] of URLS.entries())
    keep(tier, one.store, url, at % 9 === 0 ? { body: url.repeat(900) } : {});
  await tier.flush();
  return one;
}

/** How many URLs are found; throws for a body that is not theirs. */
async function verify(tier: DiskTier, { store }: DiskScene): Promise<number> {
  let found = 0;
  for (const [at, url] of URLS.entries()) {
    const body = await read(tier, store, url);
    if (MISSES.has(body)) continue;
    if (body !== (at % 9 === 0 ? url.repeat(900) : url)) throw new Error(`a wrong body for ${url}`);
    found++;
  }
  return found;
}

/** Changes some bytes, in places where there is something or anywhere. */
function damage(path: string, random: Random, count: number): void {
  const bytes = readFileSync(path);
  for (let flip = 0; flip < count; flip++) {
    const at = Math.floor(random() ** 2 * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  writeFileSync(path, bytes);
}

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  "bytes that flip in segments lose only themselves, seed %i",
  async (seed) => {
    const one = await filled();
    await one.stop();
    const random = seededRandom(seed);
    for (const name of readdirSync(one.folder))
      if (name.startsWith("segment")) damage(join(one.folder, name), random, 4);
    if (seed % 2 === 0) one.forgetBoot();
    const tier = one.start();
    await tier.rebuilt;
    expect(await verify(tier, one)).toBeGreaterThan(seed % 2 === 0 ? 0 : 100);
  },
);

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  "bytes that flip in the index give no wrong body, seed %i",
  async (seed) => {
    const one = await filled();
    await one.stop();
    const random = seededRandom(seed);
    // Header and tables first, then everything.
    damage(join(one.folder, "index"), random, 2000);
    for (const at of [8, 64, 128, 300, 600])
      flipAt(join(one.folder, "index"), at + Math.floor(random() * 60), random);
    const tier = one.start();
    await tier.rebuilt;
    await verify(tier, one);
    for (const url of URLS) keep(tier, one.store, url);
    for (const url of URLS) keep(tier, one.store, `${url}?again`, { bodyBytes: 9000 });
    await tier.flush();
    await one.stop();
  },
);

function flipAt(path: string, at: number, random: Random): void {
  const bytes = readFileSync(path);
  bytes[at] = Math.floor(random() * 256);
  writeFileSync(path, bytes);
}

test("records that were cut off while they were written are left out, and all before them are found", async () => {
  const one = await filled();
  await one.stop();
  const { size } = statSync(join(one.folder, "segment-0001"));
  one.cut("segment-0001", (size - 700) / size);
  one.forgetBoot();
  const tier = one.start();
  await tier.rebuilt;
  const found = await verify(tier, one);
  expect(found).toBeGreaterThan(URLS.length * 0.95);
  expect(found).toBeLessThan(URLS.length);
});

test("a body that pretends to be a record is none", async () => {
  const one = await filled();
  await one.stop();
  const stolen = readFileSync(join(one.folder, "segment-0000"));
  const other = await filled();
  const tier = other.start();
  const body = Buffer.from(stolen.subarray(64, 100_000)).toString("latin1");
  keep(tier, other.store, "example.com/forged", { body });
  await tier.flush();
  const again = await other.reboot();
  await again.rebuilt;
  expect(again.countObjects()).toBe(URLS.length + 1);
});

/** A file system of its own, or undefined when none can be mounted here. */
function mountSmall(bytes: number): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "tenfold-mount-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path]).status !== 0) {
    rmSync(path, { recursive: true });
    return undefined;
  }
  mounts.push(path);
  return path;
}

const mayMount = process.getuid?.() === 0;

test.skipIf(!mayMount)(
  "a full disk turns writing off and not reading, and there is room again later",
  async () => {
    const path = mountSmall(3 << 20);
    if (path === undefined) throw new Error("no tmpfs can be mounted here");
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, wallMs: () => nowMs };
    const one = new DiskScene({ clock, bytesPerSecond: 4e10 }, join(path, "tier"));
    scenes.push(one);
    const tier = one.start();
    keep(tier, one.store, "example.com/first");
    await tier.flush();
    for (let round = 0; round < 12; round++) {
      keep(tier, one.store, `example.com/${round}`, { bodyBytes: 110_000 + round });
      for (let at = 0; at < 3; at++)
        keep(tier, one.store, `example.com/${round}/${at}`, { bodyBytes: 100_000 });
      await tier.flush();
    }
    expect([tier.stats().off, keep(tier, one.store, "example.com/x")]).toEqual(["disk-full", "disk-full"]);
    expect(await read(tier, one.store, "example.com/first")).toBe("example.com/first");
    for (const name of readdirSync(one.folder))
      if (/^segment-000[2-9]$/.test(name)) rmSync(join(one.folder, name));
    nowMs += RETRY_MS + 1;
    expect(keep(tier, one.store, "example.com/x")).toBeUndefined();
    await tier.flush();
    expect([await read(tier, one.store, "example.com/x"), tier.stats().off]).toEqual([
      "example.com/x",
      undefined,
    ]);
  },
);

test("a folder that vanished underneath is a reason, and misses", async () => {
  const one = await filled();
  const tier = one.join(1);
  rmSync(one.folder, { recursive: true });
  keep(tier, one.store, "example.com/x");
  await tier.flush();
  expect(keep(tier, one.store, "example.com/x")).toBe("unwritable");
  expect(await read(tier, one.store, URLS[0] ?? "")).toBe("gone");
});

test.skipIf(process.getuid?.() === 0)(
  "a folder that may not be written is a reason (needs another user than root)",
  async () => {
    const one = await filled();
    const tier = one.join(1);
    chmodSync(one.folder, 0o500);
    keep(tier, one.store, "example.com/x");
    await tier.flush();
    expect(keep(tier, one.store, "example.com/x")).toBe("unwritable");
    chmodSync(one.folder, 0o700);
  },
);
