/**
 * The stale-set race over four real processes and one real server: seeded rounds of loads, changes and invalidations of one key, by
 * processes that know nothing of each other.
 *
 *     bin/bun bench/cache-races.ts [--interleavings 1000000] [--peers 20000] [--keys 4096] [--seed 1] [--server embedded]
 *
 * Each change raises the version of its key in memory that all processes share, and is followed by an invalidation. Once that is
 * acknowledged no version from before may be in the server: looked for at the end of each round. What other processes have in their
 * memory is invalidated by messages, so a read may get it for as long as a message takes; `l1MaxAge` (30 s) bounds that where messages
 * are lost, and is not used here: memory is believed for an hour. At the end all is quiet for a second, and every process reads every key.
 *
 * The peers run the same rounds, fewer of them, on redis-server. cache-stale-set.ts has the same race in simulated time, where every order
 * of steps is as likely as any other.
 */
import { join } from "node:path";
import { hasRedis, startEmbedded, startRedis, type TestStore } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { showTable } from "./harness/figures.ts";
import { withFolder } from "./harness/process.ts";
import { createBoard } from "./harness/races/board.ts";
import { hasKeyv, type SubjectName } from "./harness/races/subjects.ts";
import type { Part, Tally } from "./harness/races/worker.ts";
import { conclude } from "./harness/results.ts";

const { interleavings, peers, keys, seed, server } = options({
  interleavings: 1_000_000,
  peers: 20_000,
  keys: 4096,
  seed: 1,
  server: "embedded",
});

const PROCESSES = 4;
const WORKER = join(import.meta.dirname, "harness/races/worker.ts");

/** Default of `l1MaxAge`: what the guide promises at the worst. */
const BOUND_MS = 30_000;

type Total = Tally & { readonly rounds: number };

/** Rows of the table, and on which server. */
const RUNS: readonly {
  name: string;
  subject: SubjectName;
  rounds: number;
  start: () => Promise<TestStore>;
}[] = [
  {
    name: "tenfold",
    subject: "tenfold",
    rounds: interleavings,
    start: server === "redis" ? startRedis : startEmbedded,
  },
  ...(hasRedis
    ? [
        { name: "tenfold, on redis-server", subject: "tenfold" as const, rounds: peers, start: startRedis },
        { name: "bentocache", subject: "bentocache" as const, rounds: peers, start: startRedis },
        ...(hasKeyv
          ? (["cacheable", "cache-manager"] as const).map((subject) => ({
              name: subject,
              subject,
              rounds: peers,
              start: startRedis,
            }))
          : []),
      ]
    : []),
];

const totals: Record<string, Total> = {};
await withFolder(async (folder) => {
  for (const { name, subject, rounds, start } of RUNS) {
    const store = await start();
    try {
      totals[name] = await race(folder, { subject, url: store.url, rounds });
    } finally {
      await store.stop();
    }
    console.error(`${name}: ${totals[name]?.seconds.toFixed(1)} s`);
  }
});

/** Runs all processes on a fresh board; the sum of what they saw. */
async function race(
  folder: string,
  { subject, url, rounds }: Pick<Part, "subject" | "url" | "rounds">,
): Promise<Total> {
  const board = join(folder, "board");
  createBoard(board, keys);
  const tallies = await Promise.all(
    Array.from({ length: PROCESSES }, async (_, process): Promise<Tally> => {
      const part: Part = { subject, url, board, process, processes: PROCESSES, keys, rounds, seed };
      const child = Bun.spawn([globalThis.process.execPath, WORKER, JSON.stringify(part)], {
        stdout: "pipe",
      });
      const text = await new Response(child.stdout).text();
      return JSON.parse(text.trim().split("\n").at(-1) ?? "") as Tally;
    }),
  );
  return { ...tallies.reduce(sum), rounds };
}

function sum(one: Tally, other: Tally): Tally {
  const longest = new Set(["seconds", "oldestReadMs"]);
  const added = Object.entries(one).map(([name, value]) => {
    const further = other[name as keyof Tally];
    return [name, longest.has(name) ? Math.max(value as number, further) : (value as number) + further];
  });
  return Object.fromEntries(added) as Tally;
}

console.log(
  showTable([
    [
      "",
      "rounds",
      "loads",
      "invalidations",
      "stale in the store",
      "old reads",
      "longest after",
      "stale when quiet",
      "errors",
      "seconds",
    ],
    ...Object.entries(totals).map(([name, total]) => [
      name,
      ...[total.rounds, total.loads, total.invalidations, total.storedStale, total.oldReads].map(String),
      `${total.oldestReadMs.toFixed(0)} ms`,
      ...[total.staleWhenQuiet, total.errors].map(String),
      total.seconds.toFixed(1),
    ]),
  ]),
);
const ours = Object.entries(totals).filter(([name]) => name.startsWith("tenfold"));
const others = Object.entries(totals).filter(([name]) => !name.startsWith("tenfold"));
const all = (pick: (total: Total) => number): number =>
  ours.reduce((max, [, total]) => Math.max(max, pick(total)), 0);
conclude(
  "cache-races",
  [
    {
      claim: `${interleavings} interleavings of load and invalidate over ${PROCESSES} real processes: nothing older than an acknowledged invalidation stays in the store`,
      figure: `${all(({ storedStale }) => storedStale)} of ${totals["tenfold"]?.looks}`,
      met: ours.every(
        ([, { storedStale, errors, unacknowledged, looks, rounds, loads }]) =>
          storedStale + errors + unacknowledged === 0 && looks === rounds && loads > rounds / 10,
      ),
    },
    {
      claim: `no read is older than an invalidation acknowledged ${BOUND_MS / 1000} s before`,
      figure: `${all(({ oldestReadMs }) => oldestReadMs).toFixed(0)} ms at most (${totals["tenfold"]?.oldReads} of ${totals["tenfold"]?.reads} reads overtook the message)`,
      met: all(({ oldestReadMs }) => oldestReadMs) <= BOUND_MS,
    },
    {
      claim: `a second after the last of them every process reads what is true, although memory is believed for an hour`,
      figure: `${all(({ staleWhenQuiet }) => staleWhenQuiet)} of ${keys * PROCESSES} reads stale`,
      met: all(({ staleWhenQuiet }) => staleWhenQuiet) === 0,
    },
    {
      claim: "the same script finds stale values where there are some",
      figure:
        others.map(([name, { storedStale, rounds }]) => `${name} ${storedStale} of ${rounds}`).join(", ") ||
        "no peer installed",
      met: others.length === 0 || others.some(([, { storedStale }]) => storedStale > 0),
    },
  ],
  totals,
);
process.exit();
