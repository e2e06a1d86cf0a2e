/**
 * Processes that write behind and are killed at random points, and what of their writes was lost.
 *
 * A writer appends a line to its file of acknowledged writes only after `set` has resolved. Its source is a file of applied writes,
 * one line per call, which a reader takes as applied once per idempotency key. All writers use one log, one after the other.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../../base/index.ts";
import { createCache } from "../create-cache.ts";
import { writeBehind } from "../write-behind.ts";

/** What is tried. */
export interface KillOptions {
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
}

/** What became of the writes. */
export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Keys whose last acknowledged value the source does not have, nor a later one. */
  readonly lost: number;
  /** Writes that the source took after a later one of the same key. */
  readonly misordered: number;
  /** Writes applied, each once. */
  readonly applied: number;
  /** Calls with an idempotency key that the source had seen. */
  readonly repeated: number;
}

const KEYS = 20;
/** A writer lives at most so long after its first acknowledgement. */
const LIFE_MS_MAX = 60;

/** The writer: values are a number that rises over all writers. */
async function runWriter(folder: string, from: number): Promise<never> {
  const acknowledged = join(folder, "acknowledged");
  const applied = join(folder, "applied");
  const rows = await writeBehind<number, number>(
    createCache(),
    {
      load: () => undefined,
      store: async (key, value, { idempotencyKey }) => {
        await Promise.resolve();
        appendFileSync(applied, `${idempotencyKey} ${key} ${value}\n`);
      },
    },
    { prefix: "k", log: join(folder, "kills.log"), flushAfter: "2ms", flushCount: 7 },
  );
  for (let value = from; ; value += 4) {
    const writes = [0, 1, 2, 3].map(async (step) => {
      const key = (value * 7 + step * 3) % KEYS;
      await rows.set(key, value + step);
      appendFileSync(acknowledged, `${key} ${value + step}\n`);
    });
    await Promise.all(writes);
  }
}

/** Runs and kills writers, sends on what the last one left, and counts. */
export async function killWriters({ folder, kills, seed }: KillOptions): Promise<KillReport> {
  const random = seededRandom(seed);
  const acknowledged = join(folder, "acknowledged");
  for (let kill = 0; kill < kills; kill++) {
    const before = linesOf(acknowledged).length;
    const child = Bun.spawn([process.execPath, import.meta.path, folder, String((kill + 1) * 1_000_000)], {
      stdout: "ignore",
      stderr: "inherit",
    });
    for (let attempt = 0; attempt < 500 && linesOf(acknowledged).length === before; attempt++)
      await Bun.sleep(5);
    await Bun.sleep(random() * LIFE_MS_MAX);
    child.kill("SIGKILL");
    await child.exited;
  }
  await sendOn(folder);
  return { kills, ...count(linesOf(acknowledged), linesOf(join(folder, "applied"))) };
}

async function sendOn(folder: string): Promise<void> {
  const applied = join(folder, "applied");
  const rows = await writeBehind<number, number>(
    createCache(),
    {
      load: () => undefined,
      store: (key, value, { idempotencyKey }) =>
        appendFileSync(applied, `${idempotencyKey} ${key} ${value}\n`),
    },
    { prefix: "k", log: join(folder, "kills.log") },
  );
  await rows.drain();
  await rows.close();
}

function count(acknowledged: readonly string[], applied: readonly string[]): Omit<KillReport, "kills"> {
  const wanted = new Map<number, number>();
  for (const line of acknowledged) {
    const [key = 0, value = 0] = line.split(" ").map(Number);
    wanted.set(key, Math.max(wanted.get(key) ?? 0, value));
  }
  const seen = new Set<string>();
  const has = new Map<number, number>();
  let misordered = 0;
  for (const line of applied) {
    const [idempotencyKey = "", key = "", value = ""] = line.split(" ");
    if (seen.has(idempotencyKey)) continue;
    seen.add(idempotencyKey);
    if (Number(value) < (has.get(Number(key)) ?? 0)) misordered++;
    has.set(Number(key), Number(value));
  }
  const lost = [...wanted].filter(([key, value]) => (has.get(key) ?? 0) < value).length;
  return {
    acknowledged: acknowledged.length,
    lost,
    misordered,
    applied: seen.size,
    repeated: applied.length - seen.size,
  };
}

/** Whole lines; a torn one at the end was never finished. */
function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

if (import.meta.main) {
  const [folder = "", from = ""] = process.argv.slice(2);
  await runWriter(folder, Number(from));
}
