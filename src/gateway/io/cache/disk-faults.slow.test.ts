/** A disk that breaks, fills up or vanishes under a running gateway: a miss at worst, never a wrong byte, and serving goes on. */
import { afterEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, get, ok, stopAll, Target, track } from "../../testing/index.ts";
import { beforeDisk, type OnDisk } from "./testing/disk.ts";
import { FRESH, said } from "./testing.ts";

afterEach(stopAll);

const SMALL = "0123456789".repeat(1000);
const LARGE = "0123456789abcdef".repeat(100_000);
/** More than the sockets of both ends take at once. */
const HUGE = "0123456789abcdef".repeat(600_000);

async function onDisk(body: string, options: Parameters<typeof beforeDisk>[2] = {}): Promise<OnDisk> {
  const scene = await beforeDisk({}, await Target.start(() => ok(body, FRESH)), options);
  await scene.ask();
  await scene.toDisk();
  return scene;
}

/** Asks twice: right both times, and the target was asked once more. */
async function isMissed(scene: OnDisk, body: string): Promise<void> {
  const asked = scene.target.arrivals.length;
  const answer = await scene.ask();
  expect([answer.body === body, said(answer)]).toEqual([true, "fwd=uri-miss; stored"]);
  expect((await scene.ask()).body === body).toBe(true);
  expect(scene.target.arrivals.length).toBe(asked + 1);
}

describe("a changed byte", () => {
  test("of a small response makes it a miss, which is counted", async () => {
    const scene = await onDisk(SMALL);
    scene.hurt((bytes) => bytes.writeUInt8(1, bytes.indexOf("0123456789") + 5000));
    await isMissed(scene, SMALL);
    expect(scene.tier.stats().missed).toMatchObject({ corrupt: 1 });
  });

  test("at the beginning of a large one makes it a miss", async () => {
    const scene = await onDisk(LARGE);
    scene.hurt((bytes) => bytes.writeUInt8(1, bytes.indexOf("0123456789") + 5000));
    await isMissed(scene, LARGE);
  });

  test("later in a large one cuts its client off before that byte, and the next one misses", async () => {
    const scene = await onDisk(LARGE);
    scene.hurt((bytes) => bytes.writeUInt8(1, bytes.indexOf("0123456789") + 1_000_000));
    const client = await scene.gateway.connect();
    client.send(get("/"));
    const head = await client.takeHead();
    await client.closes();
    expect([client.received.length < LARGE.length, LARGE.startsWith(client.received)]).toEqual([true, true]);
    expect(head).toInclude("detail=disk");
    expect(scene.gateway.log.join("")).not.toInclude("internal");
    await isMissed(scene, LARGE);
  });

  test("outside of a part that is wanted does no harm", async () => {
    const scene = await onDisk(LARGE);
    scene.hurt((bytes) => bytes.writeUInt8(1, bytes.indexOf("0123456789") + 1_000_000));
    const part = await scene.ask("/", "Range: bytes=0-99");
    expect([part.status, part.body]).toEqual([206, LARGE.slice(0, 100)]);
  });
});

describe("a client of something large", () => {
  test("that is slow gets all of it, and costs one piece of memory", async () => {
    const scene = await onDisk(HUGE);
    const slow = await scene.gateway.connect();
    slow.socket.pause();
    slow.send(get("/"));
    expect((await scene.ask()).body === HUGE).toBe(true);
    slow.socket.resume();
    expect((await slow.answer()).body === HUGE).toBe(true);
    expect(scene.target.arrivals.length).toBe(1);
  });

  test("that leaves in the middle holds nothing", async () => {
    const scene = await onDisk(HUGE);
    for (let at = 0; at < 520; at++) {
      const client = await scene.gateway.connect();
      client.keeps = false;
      client.send(get("/"));
      await eventually("some has come", () => client.bytesReceived > 0);
      client.reset();
    }
    await eventually("all are gone", () => scene.gateway.worker.connections === 0);
    expect(said(await scene.ask())).toMatch(/detail=disk$/);
    expect(scene.target.arrivals.length).toBe(1);
  }, 30_000);
});

test("a folder that is deleted costs what cannot be read any more, and one line in the log", async () => {
  const scene = await onDisk(SMALL);
  rmSync(scene.folder, { recursive: true });
  await scene.ask();
  const client = await scene.gateway.connect();
  // Until a new segment is needed.
  for (let at = 0; scene.offs.length === 0 && at < 20_000; at++)
    expect((await client.ask(get(`/${at}`))).body === SMALL).toBe(true);
  await scene.tier.flush();
  expect(scene.offs).toEqual(["unwritable"]);
  expect(scene.tier.stats().off).toBe("unwritable");
  for (let at = 0; at < 50; at++) expect((await client.ask(get(`/${at}`))).body === SMALL).toBe(true);
  expect(scene.offs.length).toBe(1);
}, 30_000);

test("a segment that is gone is a miss", async () => {
  const scene = await onDisk(SMALL);
  rmSync(join(scene.folder, "segment-0000"));
  await isMissed(scene, SMALL);
  expect(scene.tier.stats().missed).toMatchObject({ gone: 1 });
});

/** A disk of its own; undefined without the right to mount one. */
function smallDisk(mib: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-full-disk-"));
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", folder]);
  track({
    stop: () => {
      if (status === 0) spawnSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  });
  return status === 0 ? folder : undefined;
}

test.skipIf(process.getuid?.() !== 0)(
  "a full disk is not written to, said once, and serving goes on (needs root)",
  async () => {
    const folder = smallDisk(16);
    if (folder === undefined) return;
    const target = await Target.start(() => ok(SMALL, FRESH));
    const scene = await beforeDisk({}, target, { folder });
    const client = await scene.gateway.connect();
    for (let at = 0; at < 3000; at++) expect((await client.ask(get(`/${at}`))).body === SMALL).toBe(true);
    await scene.tier.flush();
    const { off, written, lost, refused } = scene.tier.stats();
    expect([off, scene.offs, written > 500, lost > 0]).toEqual(["disk-full", ["disk-full"], true, true]);
    expect(refused["disk-full"] ?? 0).toBeGreaterThan(0);
    const results = new Set<string>();
    for (let at = 0; at < 100; at++)
      results.add(said(await client.ask(get(`/${at + 900}`))).replace(/ttl=\d+/, "ttl"));
    expect(results).toContain("hit; ttl; detail=disk");
    expect(scene.gateway.log).toEqual([]);
  },
  30_000,
);
