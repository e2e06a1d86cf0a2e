import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../base/index.ts";
import { admitEverything } from "../disk/index.ts";
import type { Store } from "../store/index.ts";
import { DiskTier, joinDiskTier, openStore, prepareDiskTier } from "./index.ts";
import { read } from "./testing/disk.ts";
import { churnUrl, DISK_KEYS, type DiskChurn } from "./testing/disk-churn.ts";

const folders: string[] = [];
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

const BYTES = 16 << 20;

/** A tier, the store above it, and an origin, for several processes. */
class Scene {
  readonly #root: string = mkdtempSync(join(tmpdir(), "tenfold-disk-"));
  readonly folder: string = join(this.#root, "tier");
  readonly store: Store;

  constructor() {
    folders.push(this.#root);
    mkdirSync(this.folder);
    this.store = openStore({ path: join(this.#root, "store"), bytes: 2 << 20, workers: 6, worker: 5 });
    writeFileSync(join(this.#root, "origin"), new Uint8Array(DISK_KEYS * 8));
    this.prepare();
  }

  prepare(): void {
    const { folder, store } = this;
    expect(prepareDiskTier({ folder, bytes: BYTES, workers: 6, store })).toBeUndefined();
  }

  start(worker: number, seed: number, ms: number) {
    const script = join(import.meta.dir, "testing/disk-churn.ts");
    const paths = [this.folder, join(this.#root, "store"), join(this.#root, "origin")];
    const args = [...paths, String(worker), String(seed), String(ms)];
    const child = Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "inherit" });
    return Object.assign(child, { churn: async () => JSON.parse(await child.stdout.text()) as DiskChurn });
  }

  join(): DiskTier {
    const { folder, store } = this;
    const tier = joinDiskTier({ folder, store, worker: 5, admission: admitEverything });
    if (!(tier instanceof DiskTier)) throw new Error(tier);
    return tier;
  }
}

function expectTrue(seen: readonly DiskChurn[]): void {
  expect(seen.map(({ torn, stale }) => ({ torn, stale }))).toEqual(seen.map(() => ({ torn: 0, stale: 0 })));
  for (const { found, kept } of seen) expect(Math.min(found, kept)).toBeGreaterThan(10);
}

test("four processes that keep, find and purge at random see no torn and no stale object", async () => {
  const scene = new Scene();
  const workers = [0, 1, 2, 3].map((worker) => scene.start(worker, 100 + worker, 1200));
  const seen = await Promise.all(workers.map((worker) => worker.churn()));
  expectTrue(seen);
  expect(seen.reduce((sum, { purges }) => sum + purges, 0)).toBeGreaterThan(10);
}, 30_000);

test("writers killed at any moment leave what they had entered, and a tier that the others go on with", async () => {
  const scene = new Scene();
  const random = seededRandom(5);
  const other = scene.start(0, 200, 2200);
  for (let kills = 0; kills < 4; kills++) {
    const victim = scene.start(2, 300 + kills, 60_000);
    await Bun.sleep(250 + random() * 100);
    victim.kill("SIGKILL");
    await victim.exited;
  }
  expectTrue([await other.churn()]);
  const before = scene.join();
  const found = await Promise.all(found400(before, scene.store));
  await before.stop();
  scene.prepare();
  const after = scene.join();
  const again = await Promise.all(found400(after, scene.store));
  await after.stop();
  expect(found.filter(Boolean).length).toBeGreaterThan(DISK_KEYS / 4);
  expect(again).toEqual(found);
}, 30_000);

/** For each key whether it is found. A few at once: more are refused. */
function found400(tier: DiskTier, store: Store): Promise<boolean>[] {
  let turn: Promise<unknown> = Promise.resolve();
  return Array.from({ length: DISK_KEYS }, (_, key) => {
    const one = turn
      .then(() => read(tier, store, churnUrl(key)))
      .then((body) => body.length > 0 && !/^[a-z-]+$/.test(body));
    turn = one;
    return one;
  });
}
