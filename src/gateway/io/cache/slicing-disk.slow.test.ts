/** Slices of large bodies that are on disk and not in memory: the target is asked for what is on neither, and nothing else. */
import { afterEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { eventually, get, plainStore, request, settle, stopAll, Target } from "../../testing/index.ts";
import { beforeDisk, type OnDisk, type TiersOptions } from "./testing/disk.ts";
import { bodyOf, Origin, SLICE, sameBody, slice, sorted } from "./testing/ranged-origin.ts";
import { said } from "./testing.ts";

afterEach(stopAll);

interface SlicedOnDisk extends OnDisk {
  readonly origin: Origin;
}

/** A rule with slices before a body of so many, with two tiers. */
async function scene(
  slices: number,
  { sliceKib = 64, ...options }: TiersOptions & { readonly sliceKib?: number } = {},
): Promise<SlicedOnDisk> {
  const origin = new Origin((slices * sliceKib) / 64);
  const target = await Target.start(origin.answer);
  return { ...(await beforeDisk({ slice: `${sliceKib}KiB` }, target, options)), origin };
}

/** All of the body's slices are on disk alone, and what the target was asked for is forgotten. */
async function onDisk(...args: Parameters<typeof scene>): Promise<SlicedOnDisk> {
  const made = await scene(...args);
  sameBody(await made.ask(), made.origin.body);
  await made.gateway.idle();
  await made.toDisk();
  made.origin.ranges.length = 0;
  return made;
}

/** Hurts the slice of this number where it lies. */
function hurtSlice({ hurt, origin }: SlicedOnDisk, number: number): void {
  const text = origin.body.slice(number * SLICE + 1024, number * SLICE + 1056);
  let found = 0;
  hurt((bytes) => {
    const at = bytes.indexOf(text);
    if (at < 0) return;
    found++;
    bytes.writeUInt8(1, at + 3);
  });
  expect(found).toBe(1);
}

const all = (slices: number): string[] => Array.from({ length: slices }, (_, at) => slice(at));

describe("a body that is larger than memory", () => {
  test("is fetched once, and comes from memory and disk from then on", async () => {
    const { origin, ask, tier, store } = await scene(200);
    for (let pass = 0; pass < 3; pass++) {
      sameBody(await ask(), origin.body);
      await tier.flush();
    }
    expect(store.stats().entries).toBeLessThan(128);
    expect(sorted(origin.ranges)).toEqual(sorted(all(200)));
    expect(tier.stats().found).toBeGreaterThan(100);
  }, 20_000);

  test("is written to disk by the rule for all others, when it was asked for again", async () => {
    const { origin, ask, tier } = await scene(200, { admitsAll: false });
    const asked: number[] = [];
    for (let pass = 0; pass < 5; pass++) {
      const before = origin.ranges.length;
      sameBody(await ask(), origin.body);
      await tier.flush();
      asked.push(origin.ranges.length - before);
    }
    expect([asked[0], asked.at(-1)]).toEqual([200, 0]);
  }, 20_000);
});

describe("slices on disk", () => {
  test("are sent as one, as a hit that says so", async () => {
    const { origin, ask, tier } = await onDisk(5.5);
    const answer = await ask();
    sameBody(answer, origin.body);
    expect(said(answer)).toMatch(/^hit; ttl=\d+; detail=disk$/);
    expect(said(await ask())).toMatch(/^hit; ttl=\d+$/);
    expect([origin.ranges, tier.stats().found]).toEqual([[], 6]);
  });

  test("of more than is read at once as a rule are in memory again whole", async () => {
    const { origin, ask, tier, store } = await onDisk(3.5, { sliceKib: 512, memoryMib: 64 });
    sameBody(await ask(), origin.body);
    expect([origin.ranges, tier.stats().found, store.stats().entries]).toEqual([[], 4, 4]);
  });

  test("are found while they wait to be written", async () => {
    const { origin, ask, store, tier } = await scene(3);
    sameBody(await ask(), origin.body);
    store.walk((entry) => void tier.offer(entry));
    const keys: [number, number, Uint8Array][] = [];
    store.walk(({ hashHi, hashLo, bytes, keyOffset, keyBytes }) => {
      keys.push([hashHi, hashLo, bytes.slice(keyOffset, keyOffset + keyBytes)]);
    });
    for (const [hashHi, hashLo, key] of keys) store.remove(hashHi, hashLo, key, 0, key.length);
    sameBody(await ask(), origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted(all(3)));
  });

  test("answer a seek, HEAD, conditions and a range behind the end", async () => {
    const { origin, ask, gateway, toDisk, tier } = await onDisk(5);
    const from = 3 * SLICE - 5;
    const seek = await ask("/", `Range: bytes=${from}-${from + 9}`);
    expect([seek.status, seek.body, seek.field("content-range")]).toEqual([
      206,
      origin.body.slice(from, from + 10),
      `bytes ${from}-${from + 9}/${origin.body.length}`,
    ]);
    expect(tier.stats().found).toBe(2);
    await toDisk();
    const head = await (await gateway.connect()).ask(request("HEAD", "/"));
    expect([head.status, head.field("content-length")]).toEqual([200, String(origin.body.length)]);
    await toDisk();
    expect((await ask("/", 'If-None-Match: "one"')).status).toBe(304);
    expect((await ask("/", "Range: bytes=999999-")).status).toBe(416);
    await toDisk();
    expect((await ask("/", "Cache-Control: only-if-cached")).body === origin.body).toBe(true);
    expect(origin.ranges).toEqual([]);
  });

  test("are asked about when the first is stale, and the others are still right", async () => {
    const { origin, ask, later } = await onDisk(3);
    later(61);
    const answer = await ask();
    sameBody(answer, origin.body);
    expect(said(answer)).toMatch(/^fwd=stale; fwd-status=304/);
    expect(origin.ranges).toEqual([slice(0)]);
  });

  test("are read once for a crowd", async () => {
    const { origin, ask, tier } = await onDisk(6);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask()));
    for (const answer of answers) sameBody(answer, origin.body);
    expect([origin.ranges, tier.stats().found]).toEqual([[], 6]);
  });

  test("outlive what was in memory", async () => {
    const { origin, target, tier, folder, gateway } = await onDisk(5);
    await gateway.worker.drain();
    const again = await beforeDisk({ slice: "64KiB" }, target, { folder });
    await again.tier.rebuilt;
    const answer = await again.ask();
    sameBody(answer, origin.body);
    expect([origin.ranges, again.tier.stats().found, again.tier === tier]).toEqual([[], 5, false]);
  });

  test("that memory does not take are fetched, whoever comes", async () => {
    const { origin, target, folder, gateway } = await onDisk(3);
    await gateway.worker.drain();
    // Takes objects of 40 KiB.
    const again = await beforeDisk({ slice: "64KiB" }, target, { folder, store: plainStore(4 << 20) });
    await again.tier.rebuilt;
    for (let pass = 0; pass < 2; pass++) {
      sameBody(await again.ask(), origin.body);
      // Nothing is kept of what was fetched ahead of its time: it may be asked for twice.
      expect(new Set(origin.ranges)).toEqual(new Set(all(3)));
      origin.ranges.length = 0;
    }
  });
});

describe("of slices on disk", () => {
  test.each([0, 1, 3])("number %i is broken: it alone is fetched", async (number) => {
    const made = await onDisk(5);
    hurtSlice(made, number);
    sameBody(await made.ask(), made.origin.body);
    expect(made.origin.ranges).toEqual([slice(number)]);
    expect(made.tier.stats().missed).toMatchObject({ corrupt: 1 });
    sameBody(await made.ask(), made.origin.body);
    expect(made.origin.ranges.length).toBe(1);
  });

  test("one larger than is read at once is broken near its end: it alone is fetched", async () => {
    const made = await onDisk(3, { sliceKib: 512, memoryMib: 64 });
    hurtSlice(made, 15);
    sameBody(await made.ask(), made.origin.body);
    expect(made.origin.ranges).toEqual([`${8 * SLICE}-${16 * SLICE - 1}`]);
  });

  test("all are gone with their file: all are fetched", async () => {
    const { origin, ask, folder } = await onDisk(4);
    rmSync(join(folder, "segment-0000"));
    sameBody(await ask(), origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted(all(4)));
  });

  test("none is left after a change of their URL", async () => {
    const { origin, ask, gateway, target } = await onDisk(4);
    origin.etag = '"two"';
    origin.body = bodyOf(4 * SLICE, "new");
    await (await gateway.connect()).ask(request("POST", "/", ["Content-Length: 0"]));
    await target.arrived(5);
    origin.ranges.length = 0;
    sameBody(await ask(), origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted(all(4)));
  });

  test("none is taken that is of another version than the first: all are fetched", async () => {
    const made = await onDisk(4);
    const { origin, ask, toDisk } = made;
    hurtSlice(made, 0);
    origin.etag = '"two"';
    origin.body = bodyOf(4 * SLICE, "new");
    sameBody(await ask(), origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted(all(4)));
    await made.gateway.idle();
    await toDisk();
    sameBody(await ask(), origin.body);
    expect(origin.ranges.length).toBe(4);
  });

  test("one is missing, and the target has another version: the client is cut, and all are dropped", async () => {
    const made = await onDisk(4);
    const { origin, ask, gateway } = made;
    hurtSlice(made, 2);
    const old = origin.body;
    origin.etag = '"two"';
    origin.body = bodyOf(4 * SLICE, "new");
    const client = await gateway.connect();
    client.send(get("/"));
    const head = await client.takeHead();
    await eventually("the client is cut", () => client.isClosed);
    expect([head.includes("detail=disk"), old.startsWith(client.received)]).toEqual([true, true]);
    expect(client.received.length).toBeLessThanOrEqual(2 * SLICE);
    // Once ahead of its time, and once more if that was over when the client came to it.
    expect(new Set(origin.ranges)).toEqual(new Set([slice(2)]));
    origin.ranges.length = 0;
    sameBody(await ask(), origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted(all(4)));
  });
});

describe("a client", () => {
  test("that does not read has little read for it, and gets the rest when it does", async () => {
    const { origin, ask, gateway, tier } = await scene(300);
    sameBody(await ask(), origin.body);
    await tier.flush();
    origin.ranges.length = 0;
    const slow = await gateway.connect();
    slow.keeps = false;
    slow.socket.pause();
    slow.send(get("/"));
    for (let seen = -1; seen !== tier.stats().found; ) {
      seen = tier.stats().found;
      await Bun.sleep(300);
    }
    // What the kernel takes for a client that does not read is some megabytes.
    expect(tier.stats().found).toBeLessThan(250);
    slow.socket.resume();
    await eventually("the rest comes", () => slow.bytesReceived > origin.body.length, 15_000);
    expect(origin.ranges).toEqual([]);
  }, 30_000);

  test("that leaves while the disk is read costs the others nothing", async () => {
    const { origin, ask, gateway, toDisk } = await onDisk(8);
    for (let at = 0; at < 40; at++) {
      const client = await gateway.connect();
      client.keeps = false;
      client.send(get("/"));
      if (at % 2 === 0) await eventually("some has come", () => client.bytesReceived > 0);
      client.reset();
      if (at % 4 === 0) await toDisk();
    }
    await settle();
    await toDisk();
    sameBody(await ask(), origin.body);
    expect([origin.ranges, gateway.log]).toEqual([[], []]);
  });

  test("waits for a disk that does not answer no longer than that, and is sent what a target has", async () => {
    const { origin, ask, tier } = await onDisk(2);
    tier.find = () => new Promise(() => {});
    sameBody(await ask(), origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted(all(2)));
  }, 10_000);
});
