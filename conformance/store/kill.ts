/**
 * Kills the store at random points of a stream of writes with `fsync: always`, starts it again, and asks for everything that was
 * acknowledged.
 *
 *   bin/bun conformance/store/kill.ts [--kills 50] [--seed 1]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Random, seededRandom } from "../../src/base/index.ts";
import { freePort } from "../../src/base/testing.ts";
import { textOf } from "../../src/resp/index.ts";
import { RespClient } from "../../src/resp/io/index.ts";
import { type StoreProcess, startStore } from "./store-process.ts";

/** Clients that write at once: their writes share syncs. */
const WRITERS = 8;

/** Longest life of a store, ms. */
const LIFE_MS = 120;

/** What came of it. */
export interface KillOutcome {
  readonly kills: number;
  readonly acknowledged: number;
  /** Writes that were acknowledged and are not there. */
  readonly lost: number;
}

/** Runs it; resolves to what was lost. */
export async function killAgainAndAgain(kills: number, seed: number): Promise<KillOutcome> {
  const random = seededRandom(seed);
  const data = mkdtempSync(join(tmpdir(), "tenfold-kill-"));
  const port = freePort();
  const counters = new Map<string, number>();
  let acknowledged = 0;
  let lost = 0;
  try {
    for (let kill = 0; kill < kills; kill++) {
      const settings = { fsync: "always", rewriteBytesMin: 20_000, rewritePercent: 50 };
      const store = await startStore({ port, data, settings });
      lost += await missing(store, counters);
      acknowledged += await writeUntilKilled(store, counters, random, kill);
    }
    const store = await startStore({ port, data });
    lost += await missing(store, counters);
    await store.kill();
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
  return { kills, acknowledged, lost };
}

/** Counters are numbered by client and life: each was sent in order, so what is stored must not be below what was acknowledged. */
async function writeUntilKilled(
  store: StoreProcess,
  counters: Map<string, number>,
  random: Random,
  life: number,
): Promise<number> {
  let acknowledged = 0;
  const state = { isOver: false };
  const clients = Array.from({ length: WRITERS }, () => new RespClient({ url: store.url, deadlineMs: 5000 }));
  const write = async (client: RespClient, writer: number): Promise<void> => {
    for (let i = 0; !state.isOver; i++) {
      const name = `counter:${writer}:${i % 50}`;
      try {
        const value = await client.call(["INCR", name]);
        await client.call(["RPUSH", `list:${writer}`, `${life}:${i}`]);
        counters.set(name, Number(value));
        counters.set(`list:${writer}`, (counters.get(`list:${writer}`) ?? 0) + 1);
        acknowledged += 2;
      } catch {
        return;
      }
    }
  };
  const writing = clients.map(write);
  await Bun.sleep(5 + random() * LIFE_MS);
  await store.kill();
  state.isOver = true;
  for (const client of clients) client.close();
  await Promise.all(writing);
  return acknowledged;
}

async function missing(store: StoreProcess, counters: Map<string, number>): Promise<number> {
  const client = new RespClient({ url: store.url, deadlineMs: 10_000 });
  let lost = 0;
  for (const [name, least] of counters) {
    const isList = name.startsWith("list");
    const reply = await client.call([isList ? "LLEN" : "GET", name]);
    const there = isList ? Number(reply) : Number(textOf(reply) ?? 0);
    lost += Math.max(0, least - there);
    // What was sent and not acknowledged may be there: it counts from now on.
    counters.set(name, Math.max(there, least));
  }
  client.close();
  return lost;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { kills: { type: "string", default: "50" }, seed: { type: "string", default: "1" } },
  });
  const outcome = await killAgainAndAgain(Number(values.kills), Number(values.seed));
  console.log(
    `${outcome.kills} kills, ${outcome.acknowledged} acknowledged writes, ${outcome.lost} of them lost`,
  );
  process.exit(outcome.lost === 0 ? 0 : 1);
}
