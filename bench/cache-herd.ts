/**
 * 1,000 callers in four real processes miss one key at the same moment: how many loads does that cause, and how long does the slowest
 * caller wait? Also when the process that loads is killed in the middle of it, and when it is stopped (SIGSTOP) and goes on later.
 *
 *     bin/bun bench/cache-herd.ts [--rounds 4] [--callers 1000] [--load-ms 400]
 *
 * The peers do the same without a fault, on redis-server; they know of one load for each process.
 */
import { join } from "node:path";
import { hasRedis, startEmbedded, startRedis } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { showTable } from "./harness/figures.ts";
import { withFolder } from "./harness/process.ts";
import { Board, createBoard, machineMs } from "./harness/races/board.ts";
import { ALL_LOADS, type HerdPart, type HerdTally } from "./harness/races/herd-parts.ts";
import { hasKeyv, type SubjectName } from "./harness/races/subjects.ts";
import { conclude } from "./harness/results.ts";
import { pause, until } from "./harness/wait.ts";

const { rounds, callers, "load-ms": loadMs } = options({ rounds: 4, callers: 1000, "load-ms": 400 });

const PROCESSES = 4;
const WORKER = join(import.meta.dirname, "harness/races/herd-worker.ts");

/** Starting four processes on a busy machine. */
const START_MS = 1500;
/** A lease without its holder (2 s), and the longest wait of who asks again; to it come a load and a busy machine. */
const TAKE_OVER_MS = 2120;
const SLACK_MS = 500;

let turn = 0;

type Fault = "none" | "killed" | "stopped";

/** What came of one herd. */
interface Herd {
  readonly loads: number;
  readonly answered: number;
  readonly failed: number;
  readonly slowestMs: number;
}

const rows: Record<string, readonly Herd[]> = {};
await withFolder(async (folder) => {
  for (const fault of ["none", "killed", "stopped"] as const) {
    const name = fault === "none" ? "tenfold" : `tenfold, loader ${fault}`;
    const embedded = await startEmbedded();
    try {
      rows[name] = await repeat(() => herd(folder, "tenfold", embedded, fault));
    } finally {
      await embedded.stop();
    }
  }
  if (!hasRedis) return;
  const peers: SubjectName[] = ["bentocache", ...(hasKeyv ? (["cacheable", "cache-manager"] as const) : [])];
  for (const subject of peers) {
    const redis = await startRedis();
    try {
      rows[subject] = await repeat(() => herd(folder, subject, redis, "none"));
    } finally {
      await redis.stop();
    }
  }
});

/** One herd after the other, each on an empty server. */
async function repeat(run: () => Promise<Herd>): Promise<Herd[]> {
  const herds: Herd[] = [];
  for (let round = 0; round < rounds; round++) herds.push(await run());
  return herds;
}

async function herd(
  folder: string,
  subject: SubjectName,
  server: { readonly url: string; restart(): Promise<void> },
  fault: Fault,
): Promise<Herd> {
  await server.restart();
  const path = join(folder, "board");
  createBoard(path, PROCESSES + 1);
  const board = new Board(path, PROCESSES, PROCESSES + 1);
  const startAtMs = machineMs() + START_MS;
  const children = Array.from({ length: PROCESSES }, (_, process) => {
    const share = { callers: callers / PROCESSES, loadMs, startAtMs, process, processes: PROCESSES };
    const part: HerdPart = { subject, url: server.url, board: path, ...share };
    return Bun.spawn([globalThis.process.execPath, WORKER, JSON.stringify(part)], { stdout: "pipe" });
  });
  const tallies = children.map(async (child) => new Response(child.stdout).text());
  const victim = fault === "none" ? -1 : await strike(board, children, fault);
  const others = await Promise.all(tallies.filter((_, process) => process !== victim));
  if (fault === "stopped") children[victim]?.kill("SIGCONT");
  const last = fault === "stopped" ? [(await tallies[victim]) ?? ""] : [];
  const seen = others.map((text) => JSON.parse(text) as HerdTally);
  const late = last.map((text) => JSON.parse(text) as HerdTally);
  await Promise.all(children.map((child) => child.exited));
  return {
    loads: board.truth(ALL_LOADS),
    answered: [...seen, ...late].reduce((sum, { answered }) => sum + answered, 0),
    failed: [...seen, ...late].reduce((sum, { failed }) => sum + failed, 0),
    slowestMs: Math.max(...seen.map(({ slowestMs }) => slowestMs)),
  };
}

/** Strikes the process that loads in the middle of its load; which one it was. */
async function strike(board: Board, children: readonly Bun.Subprocess[], fault: Fault): Promise<number> {
  const loading = (): number => children.findIndex((_, process) => board.truth(1 + process) > 0);
  await until("a load", START_MS * 4, () => loading() >= 0);
  const victim = loading();
  // Once before the first renewal of the lease, and once after it.
  await pause(turn++ % 2 === 0 ? loadMs / 8 : loadMs / 2);
  children[victim]?.kill(fault === "killed" ? "SIGKILL" : "SIGSTOP");
  return victim;
}

const most = (herds: readonly Herd[] | undefined, pick: (herd: Herd) => number): number =>
  Math.max(...(herds ?? []).map(pick));
console.log(
  showTable([
    ["", "herds", "loads of each, at most", "answered, at least", "failed", "slowest"],
    ...Object.entries(rows).map(([name, herds]) => [
      name,
      String(herds.length),
      String(most(herds, ({ loads }) => loads)),
      String(-most(herds, ({ answered }) => -answered)),
      String(most(herds, ({ failed }) => failed)),
      `${most(herds, ({ slowestMs }) => slowestMs).toFixed(0)} ms`,
    ]),
  ]),
);
const survivors = callers - callers / PROCESSES;
const faulty = (fault: Fault, answered: number) => {
  const herds = rows[`tenfold, loader ${fault}`] ?? [];
  const slowestMs = most(herds, (each) => each.slowestMs);
  return {
    claim: `the process that loads is ${fault}: two loads at most, everybody else has the value within ${TAKE_OVER_MS} ms and a load`,
    figure: `${most(herds, ({ loads }) => loads)} loads, the slowest of ${answered} after ${slowestMs.toFixed(0)} ms`,
    met:
      herds.every((each) => each.loads <= 2 && each.answered === answered && each.failed === 0) &&
      slowestMs <= TAKE_OVER_MS + loadMs + SLACK_MS,
  };
};
conclude(
  "cache-herd",
  [
    {
      claim: `${callers} concurrent misses of one key over ${PROCESSES} processes: one load`,
      figure: `${most(rows["tenfold"], ({ loads }) => loads)} at most in ${rounds} herds`,
      met: rows["tenfold"]?.every(({ loads, answered }) => loads === 1 && answered === callers) === true,
    },
    faulty("killed", survivors),
    faulty("stopped", callers),
  ],
  rows,
);
process.exit();
