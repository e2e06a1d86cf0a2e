import { afterEach, expect, test } from "bun:test";
import { chmodSync, lstatSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { admitUsedAgain } from "../disk/index.ts";
import { find, memoryStore, nameHash, put, use } from "../store/testing.ts";
import { type DiskTier, prepareDiskTier } from "./index.ts";
import { bodyFor, DiskScene, keep, read, type SceneOptions, seek } from "./testing/disk.ts";

const scenes: DiskScene[] = [];
function scene(options: SceneOptions = {}): DiskScene {
  const made = new DiskScene(options);
  scenes.push(made);
  return made;
}
afterEach(async () => {
  for (const one of scenes.splice(0)) await one.remove();
});

const urls = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `example.com/${at % 7}/${at}`);

/** Keeps objects, waiting for the disk from time to time. */
async function fill(
  tier: DiskTier,
  { store }: DiskScene,
  names: readonly string[],
  bodyBytes?: number,
): Promise<void> {
  for (const [at, url] of names.entries()) {
    keep(tier, store, url, bodyBytes === undefined ? {} : { bodyBytes });
    if (at % 200 === 199) await tier.flush();
  }
  await tier.flush();
}

/** How many of the URLs are found with their own body. */
async function share(tier: DiskTier, { store }: DiskScene, names: readonly string[]): Promise<number> {
  let right = 0;
  for (const url of names) if ((await read(tier, store, url)) === url) right++;
  return right / names.length;
}

test("an object that leaves memory is read back with all that it bears", async () => {
  const one = scene();
  const tier = one.start();
  put(one.store, "example.com/a", { tags: ["red"], vary: "gzip", body: "hello" });
  const entry = find(one.store, "example.com/a");
  if (entry === undefined) throw new Error("not stored");
  entry.setMeta(3, 77);
  expect(tier.offer(entry)).toBeUndefined();
  one.store.release();
  await tier.flush();
  const found = await seek(tier, one.store, "example.com/a");
  if (typeof found === "string") throw new Error(found);
  expect([found.entry.meta(3), found.isWhole, found.entry.varyBytes]).toEqual([77, true, 4]);
  expect(await read(tier, one.store, "example.com/a")).toBe("hello");
});

test("a record goes back into memory as it was", async () => {
  const one = scene();
  const tier = one.start();
  keep(tier, one.store, "example.com/a", { tags: ["red"] });
  await tier.flush();
  const found = await seek(tier, one.store, "example.com/a");
  if (typeof found === "string") throw new Error(found);
  expect(found.promote(one.store)).toBeUndefined();
  const entry = find(one.store, "example.com/a");
  expect([entry?.meta(0), entry?.status, entry?.tags[0]]).toEqual([42, 200, nameHash("red") | 0]);
  one.store.purge({ kind: "tag", hash: nameHash("red"), hard: true });
  expect(find(one.store, "example.com/a")).toBeUndefined();
});

test("a soft purge that was seen on disk stays with what goes back into memory", async () => {
  const one = scene();
  const tier = one.start();
  keep(tier, one.store, "example.com/a");
  await tier.flush();
  tier.purge({ kind: "url", hash: nameHash("example.com/a"), hard: false });
  const found = await seek(tier, one.store, "example.com/a");
  if (typeof found === "string") throw new Error(found);
  found.promote(one.store);
  expect([found.entry.isSoftPurged, find(one.store, "example.com/a")?.isSoftPurged]).toEqual([true, true]);
});

test("a large object is read in pieces, of which each is proved alone", async () => {
  const one = scene({ bytes: 64 << 20 });
  const tier = one.start();
  const object = { bodyBytes: 1_500_001 };
  keep(tier, one.store, "example.com/large", object);
  await tier.flush();
  const found = await seek(tier, one.store, "example.com/large");
  if (typeof found === "string") throw new Error(found);
  const whole = bodyFor("example.com/large", object);
  expect([found.isWhole, found.promote(one.store)]).toEqual([false, "too-large"]);
  expect(await found.body(70_000, 70_010)).toEqual(whole.slice(70_000, 70_010));
  expect(await found.body(1_500_000, 9e9)).toEqual(whole.slice(1_500_000));
  const first = await found.body(0, 9e9);
  expect(first).toEqual(whole.slice(0, 1 << 20));
  found.close();
  found.close();
  expect(await found.body(0, 10)).toBe("stopped");
});

test.each(["that waits to be written", "on disk"])(
  "a large object %s that is wanted whole is checked and goes back into memory",
  async (where) => {
    const one = scene({ store: memoryStore({ bytes: 32 << 20, objectShare: 0.1 }), bytes: 64 << 20 });
    const tier = one.start();
    const object = { bodyBytes: 1_000_001 };
    keep(tier, one.store, "example.com/large", object);
    if (where === "on disk") await tier.flush();
    const found = await seek(tier, one.store, "example.com/large", { isWhole: true });
    if (typeof found === "string") throw new Error(found);
    expect([found.isWhole, found.promote(one.store)]).toEqual([true, undefined]);
    const entry = find(one.store, "example.com/large");
    if (entry === undefined) throw new Error("not stored");
    const { bytes, bodyOffset, bodyBytes } = entry;
    const body = new Uint8Array(bytes.subarray(bodyOffset, bodyOffset + bodyBytes));
    expect(body).toEqual(new Uint8Array(bodyFor("example.com/large", object)));
    one.store.release();
  },
);

test("of two variants the one that matches is found, and a later one replaces its like", async () => {
  const one = scene();
  const tier = one.start();
  for (const vary of ["a", "b", "a"]) {
    keep(tier, one.store, "example.com/v", { vary, body: `${vary}${tier.stats().written}` });
    await tier.flush();
  }
  const key = new TextEncoder().encode("example.com/v");
  const bodies: string[] = [];
  const hashHi = one.store.hashHigh(key, 0, key.length);
  const hashLo = one.store.hashLow(key, 0, key.length);
  for (const vary of ["a", "b", "c"]) {
    const matches = (entry: { readonly bytes: Uint8Array; readonly varyOffset: number }): boolean =>
      entry.bytes[entry.varyOffset] === vary.charCodeAt(0);
    const found = await tier.find({ hashHi, hashLo, key, matches });
    bodies.push(
      typeof found === "string" ? found : Buffer.from((await found.body(0, 9)) as Uint8Array).toString(),
    );
  }
  expect(bodies).toEqual(["a2", "b1", "other"]);
  expect(tier.countObjects()).toBe(2);
});

test("what was forgotten is not found, whether it is on disk or on its way there", async () => {
  const one = scene();
  const tier = one.start();
  const key = new TextEncoder().encode("example.com/a");
  const forget = (): void =>
    tier.forget(
      one.store.hashHigh(key, 0, key.length),
      one.store.hashLow(key, 0, key.length),
      new Uint8Array(0),
    );
  keep(tier, one.store, "example.com/a");
  forget();
  await tier.flush();
  expect(await read(tier, one.store, "example.com/a")).toBe("absent");
  keep(tier, one.store, "example.com/a");
  await tier.flush();
  expect(await read(tier, one.store, "example.com/a")).toBe("example.com/a");
  forget();
  expect(await read(tier, one.store, "example.com/a")).toBe("absent");
});

test("what was asked for twice, or is offered twice, is written", async () => {
  const one = scene({ admission: admitUsedAgain });
  const tier = one.start();
  expect(keep(tier, one.store, "example.com/a")).toBe("not-used-again");
  expect(keep(tier, one.store, "example.com/a")).toBeUndefined();
  put(one.store, "example.com/b");
  use(one.store, "example.com/b", 2);
  const entry = find(one.store, "example.com/b");
  if (entry === undefined) throw new Error("not stored");
  expect(tier.offer(entry)).toBeUndefined();
  expect(tier.stats().refused).toEqual({ "not-used-again": 1 });
});

test("a scan is written at no more than its rate", () => {
  const one = scene({ bytesPerSecond: 400_000 });
  const tier = one.start();
  const refused = urls(300).map((url) => keep(tier, one.store, url, { bodyBytes: 10_000 }));
  expect(refused.filter((reason) => reason === "rate").length).toBeGreaterThan(200);
});

test("full segments are dropped, the oldest first, and never more is on disk than may be", async () => {
  const one = scene();
  const tier = one.start();
  const names = urls(3000);
  await fill(tier, one, names, 4000);
  expect(await read(tier, one.store, names[0] ?? "")).toBe("absent");
  expect((await read(tier, one.store, names.at(-1) ?? "")).length).toBeGreaterThan(1000);
  const files = readdirSync(one.folder).filter((name) => name.startsWith("segment-"));
  const bytes = files.map((name) => statSync(join(one.folder, name)).size).reduce((a, b) => a + b);
  expect(bytes).toBeLessThanOrEqual(4 << 20);
});

test("an object that is asked for outlives its segment", async () => {
  const one = scene();
  const tier = one.start();
  keep(tier, one.store, "example.com/dear");
  for (let round = 0; round < 40; round++) {
    await fill(
      tier,
      one,
      urls(100).map((url) => `${url}/${round}`),
      4000,
    );
    expect(await read(tier, one.store, "example.com/dear")).toBe("example.com/dear");
  }
  expect(tier.stats().writtenAgain).toBeGreaterThan(0);
});

test.each(["restart", "reboot"] as const)(
  "after a %s all objects are found, and what was purged is not",
  async (how) => {
    const one = scene();
    const tier = one.start();
    await fill(tier, one, urls(2000));
    tier.purge({ kind: "url", hash: nameHash("example.com/0/0"), hard: true });
    tier.purge({ kind: "prefix", prefix: new TextEncoder().encode("example.com/3/"), hard: true });
    expect(await tier.purgesOnDisk()).toBe(true);
    const again = await one[how]();
    await again.rebuilt;
    expect(await read(again, one.store, "example.com/0/0")).toBe("purged");
    expect(await read(again, one.store, "example.com/3/3")).toBe("purged");
    const others = urls(2000).filter((url) => !url.includes("/3/") && !url.endsWith("/0/0"));
    // A purge hits a stranger now and then: tables of hashes are lossy.
    expect(await share(again, one, others)).toBeGreaterThan(0.998);
    again.purge({ kind: "url", hash: nameHash("example.com/1/1"), hard: true });
    expect(await read(again, one.store, "example.com/1/1")).toBe("purged");
  },
);

test("after a crash the later of two versions is found, and new ones count before old ones", async () => {
  const one = scene();
  const tier = one.start();
  for (const body of ["first", "second"]) {
    keep(tier, one.store, "example.com/a", { body });
    await tier.flush();
  }
  const again = await one.reboot();
  await again.rebuilt;
  expect(await read(again, one.store, "example.com/a")).toBe("second");
  keep(again, one.store, "example.com/a", { body: "third" });
  await again.flush();
  const last = await one.reboot();
  await last.rebuilt;
  expect(await read(last, one.store, "example.com/a")).toBe("third");
});

test("what is forgotten while segments are scanned does not come back by the scan", async () => {
  const one = scene();
  await fill(one.start(), one, urls(800));
  const again = await one.reboot();
  const key = new TextEncoder().encode("example.com/0/0");
  again.forget(
    one.store.hashHigh(key, 0, key.length),
    one.store.hashLow(key, 0, key.length),
    new Uint8Array(0),
  );
  await again.rebuilt;
  expect(await read(again, one.store, "example.com/0/0")).toBe("absent");
  expect(again.countObjects()).toBeGreaterThan(790);
  expect(again.stats().usedBytes).toBeGreaterThan(800 * 300);
});

test("an index that is cut short, or is none, is made anew from the segments", async () => {
  const one = scene();
  await fill(one.start(), one, urls(500));
  await one.stop();
  one.cut("index", 0.5);
  let tier = one.start();
  await tier.rebuilt;
  expect(await share(tier, one, urls(500))).toBe(1);
  await one.stop();
  writeFileSync(join(one.folder, "index"), "hello");
  tier = one.start();
  await tier.rebuilt;
  expect(await share(tier, one, urls(500))).toBe(1);
});

test("when the purges and the store are lost nothing is found, for nobody knows what was purged", async () => {
  const one = scene();
  await fill(one.start(), one, urls(100));
  await one.stop();
  rmSync(join(one.folder, "purges"));
  one.store = memoryStore({ bytes: 4 << 20 });
  formatOther(one);
  const tier = one.start();
  await tier.rebuilt;
  expect(await share(tier, one, urls(100))).toBe(0);
});

/** A store with another seed. */
function formatOther(one: DiskScene): void {
  const seed = 38;
  Object.defineProperty(one.store, "hashSeed", { value: seed });
}

test("when only the purges' file is lost the store tells it all", async () => {
  const one = scene();
  await fill(one.start(), one, urls(100));
  await one.stop();
  one.store.purge({ kind: "url", hash: nameHash("example.com/0/0"), hard: true });
  rmSync(join(one.folder, "purges"));
  const tier = one.start();
  expect(await read(tier, one.store, "example.com/0/0")).toBe("purged");
  expect(await share(tier, one, urls(100))).toBe(0.99);
});

test("segments that are deleted or cut short underneath are missed, and nothing else is", async () => {
  const one = scene();
  const tier = one.start();
  await fill(tier, one, urls(200), 4000);
  await one.stop();
  one.cut("segment-0000", 0.5);
  rmSync(join(one.folder, "segment-0001"));
  const again = one.start();
  const misses = new Set<string>();
  let found = 0;
  for (const url of urls(200)) {
    const record = await seek(again, one.store, url);
    if (typeof record === "string") misses.add(record);
    else found++;
  }
  expect([...misses].toSorted()).toEqual(["gone", "torn"]);
  expect(found).toBeGreaterThan(80);
});

test("a link in place of a segment is not followed, and no file is for others to read", async () => {
  const one = scene();
  const tier = one.start();
  await fill(tier, one, urls(10));
  const path = join(one.folder, "segment-0000");
  expect([lstatSync(path).mode & 0o777, lstatSync(one.folder).mode & 0o777]).toEqual([0o600, 0o700]);
  await one.stop();
  rmSync(path);
  symlinkSync("/etc/passwd", path);
  const again = one.start();
  expect(await read(again, one.store, "example.com/0/0")).toBe("gone");
});

test("an unwritable place for the folder is a reason and no error", () => {
  const store = memoryStore();
  const one = scene();
  writeFileSync(join(one.folder, "file"), "");
  const folder = join(one.folder, "file", "tier");
  expect(prepareDiskTier({ folder, bytes: 4 << 20, workers: 1, store })).toBe("unwritable");
  chmodSync(one.folder, 0o700);
});

test("more reads than may be at once are refused, and a slow disk is late", async () => {
  const one = scene();
  await fill(one.start(), one, urls(100));
  const tier = one.join(1);
  const all = await Promise.all(urls(100).map((url) => read(tier, one.store, url)));
  expect(all.filter((body) => body === "busy")).toHaveLength(36);
  const hasty = new DiskScene(
    { scheduler: { after: (ms, run) => (ms > 100 && queueMicrotask(run), nothing) } },
    one.folder,
  );
  hasty.store = one.store;
  expect(await read(hasty.join(2), one.store, "example.com/0/0")).toBe("late");
});

const nothing = (): void => {};
