import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../base/index.ts";
import { openStore } from "./index.ts";
import { type Churn, KEYS } from "./testing/churn.ts";
import { CELL } from "./testing/count.ts";

const folders: string[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "tenfold-store-"));
  folders.push(path);
  return path;
}

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

test("atomic operations on a mapped file are atomic between processes", async () => {
  const path = join(folder(), "counters");
  writeFileSync(path, new Uint8Array(4096));
  const script = join(import.meta.dir, "testing/count.ts");
  const children = [0, 1].map(() => Bun.spawn([process.execPath, script, path, "200000"]));
  expect(await Promise.all(children.map(({ exited }) => exited))).toEqual([0, 0]);
  const words = new Int32Array(new Uint8Array(readFileSync(path)).buffer);
  expect([words[CELL.exchanged], words[CELL.locked]]).toEqual([400_000, 400_000]);
});

/** A store and an origin that several processes work on. */
class Scene {
  readonly #store: string;
  readonly #origin: string;

  constructor() {
    const path = folder();
    this.#store = join(path, "store");
    this.#origin = join(path, "origin");
    writeFileSync(this.#origin, new Uint8Array(KEYS * 8));
  }

  open() {
    return openStore({ path: this.#store, bytes: 2 << 20, workers: 5, objectShare: 0.1, worker: 4 });
  }

  start(worker: number, seed: number, ms: number) {
    const script = join(import.meta.dir, "testing/churn.ts");
    const args = [this.#store, this.#origin, String(worker), String(seed), String(ms)];
    const child = Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "inherit" });
    return Object.assign(child, { churn: async () => JSON.parse(await child.stdout.text()) as Churn });
  }
}

test("four processes that find, store and purge at random see no torn and no stale object", async () => {
  const scene = new Scene();
  const store = scene.open();
  const workers = [0, 1, 2, 3].map((worker) => scene.start(worker, 100 + worker, 800));
  const seen = await Promise.all(workers.map((worker) => worker.churn()));
  expect(seen.map(({ torn, stale }) => ({ torn, stale }))).toEqual(seen.map(() => ({ torn: 0, stale: 0 })));
  for (const { hits, stores, purges } of seen) expect(Math.min(hits, stores, purges)).toBeGreaterThan(10);
  expect(store.epoch).toBe(0);
  expect(store.stats().counters.moves).toBeGreaterThan(0);
  let walked = 0;
  store.walk(() => walked++);
  expect(walked).toBe(store.stats().entries);
}, 20_000);

test("processes killed in the middle of anything leave a store that the others go on with", async () => {
  const scene = new Scene();
  const store = scene.open();
  const random = seededRandom(5);
  const workers = [0, 1].map((worker) => scene.start(worker, 200 + worker, 2000));
  for (let kills = 0; kills < 8; kills++) {
    const victim = scene.start(2, 300 + kills, 60_000);
    await Bun.sleep(120 + random() * 100);
    victim.kill("SIGKILL");
    await victim.exited;
    store.clearWorker(2);
  }
  const seen = await Promise.all(workers.map((worker) => worker.churn()));
  expect(seen.map(({ torn, stale }) => ({ torn, stale }))).toEqual(seen.map(() => ({ torn: 0, stale: 0 })));
  for (const { hits, stores } of seen) expect(Math.min(hits, stores)).toBeGreaterThan(10);
}, 20_000);
