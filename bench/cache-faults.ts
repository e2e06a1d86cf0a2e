/**
 * One of three cache servers is killed, hung (SIGSTOP) or answers garbage, under load of four app processes: how long does the slowest
 * read take, is any value wrong, and how much more does the origin have to do?
 *
 *     bin/bun bench/cache-faults.ts [--keys 3000] [--rate 250] [--seconds 3] [--load-ms 5] [--seed 1]
 *
 * Keys are read with equal chances, so the lost server's share of the keys is its share of the reads. The gutter server takes the keys of
 * the lost one: reads of them are loads once in ten seconds, and not each time.
 */
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createCache } from "../src/cache/io/index.ts";
import { ServerRing } from "../src/cache/store/ring.ts";
import { hasRedis, startEmbedded, startRedis, type TestStore } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { showTable } from "./harness/figures.ts";
import { withFolder } from "./harness/process.ts";
import { Board, createBoard } from "./harness/races/board.ts";
import {
  DEADLINE_MS,
  type FaultPart,
  NAME,
  nameOf,
  PHASE,
  type PhaseTally,
  valueOf,
} from "./harness/races/fault-parts.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

const {
  keys,
  rate,
  seconds,
  "load-ms": loadMs,
  seed,
} = options({ keys: 3000, rate: 250, seconds: 3, "load-ms": 5, seed: 1 });

const PROCESSES = 4;
const WORKER = join(import.meta.dirname, "harness/races/fault-worker.ts");

/** A lease that was given to a call that had given up: nobody loads until it ends, and who waits looks again 120 ms later at most. */
const UNCLAIMED_MS = 420;
/** What a busy machine adds to a call. */
const SLACK_MS = 100;
/** Origin load once a lost server is back and its keys are there again: what probes and expiries of the gutter cost. */
const RECOVERED = 0.02;

const start = hasRedis ? startRedis : startEmbedded;
const [a, b, c, gutter] = [await start(), await start(), await start(), await start()];
const nodes = [a.url, b.url, c.url];

/** What is done as each phase begins; the figures of a phase are by its name. */
const PHASES: readonly { readonly name: string; readonly seconds: number; readonly begin: () => unknown }[] =
  [
    { name: "starting", seconds: 1, begin: () => {} },
    { name: "well", seconds, begin: () => {} },
    { name: "killed", seconds, begin: () => b.kill() },
    { name: "restarting, empty", seconds: seconds * 4, begin: () => b.restart() },
    { name: "back after the kill", seconds, begin: () => {} },
    { name: "hung", seconds, begin: () => process.kill(b.pid, "SIGSTOP") },
    { name: "going on", seconds: seconds * 3, begin: () => process.kill(b.pid, "SIGCONT") },
    { name: "back after the hang", seconds, begin: () => {} },
    { name: "garbage", seconds, begin: () => talkGarbage(b) },
    { name: "replaced, empty", seconds: seconds * 4, begin: () => stopGarbage(b) },
    { name: "back after the garbage", seconds, begin: () => {} },
  ];
const FAULTS = ["killed", "hung", "garbage"] as const;

let stopTalking: () => Promise<void> = async () => {};

/** In the server's place: something that answers every request with bytes of no protocol, or of the wrong type. */
async function talkGarbage(server: TestStore): Promise<void> {
  await server.kill();
  const sockets = new Set<Socket>();
  const answers = [
    "!!! not RESP\r\n",
    ":42\r\n",
    "$9\r\nshort\r\n",
    "*3\r\n$3\r\nhit\r\n:1\r\n+?\r\n",
    "%1\r\n+server\r\n+x\r\n",
  ];
  let turn = 0;
  const fake = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", () => socket.write(answers[turn++ % answers.length] ?? ""));
  });
  await new Promise<void>((resolve) => fake.listen(server.port, "127.0.0.1", resolve));
  stopTalking = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => void fake.close(() => resolve()));
  };
}

async function stopGarbage(server: TestStore): Promise<void> {
  await stopTalking();
  await server.restart();
}

const totals = await withFolder(async (folder) => {
  await fill();
  const path = join(folder, "board");
  createBoard(path, 1);
  const board = new Board(path, 1, 1);
  const children = Array.from({ length: PROCESSES }, (_, process) => {
    const terms = { keys, ratePerSecond: rate, loadMs, phases: PHASES.length, seed: seed + process };
    const part: FaultPart = { nodes, gutter: gutter.url, board: path, ...terms };
    return Bun.spawn([globalThis.process.execPath, WORKER, JSON.stringify(part)], { stdout: "pipe" });
  });
  const seen = children.map((child) => new Response(child.stdout).text());
  for (const { seconds: lasts, begin } of PHASES) {
    await begin();
    await pause(lasts * 1000);
    board.change(PHASE);
  }
  const tallies = (await Promise.all(seen)).map((text) => JSON.parse(text) as PhaseTally[]);
  return PHASES.map(({ name }, phase) => ({ name, ...sum(tallies.flatMap((each) => each[phase] ?? [])) }));
});
await Promise.all([a, b, c, gutter].map((server) => server.stop()));

/** Puts every key where it belongs. */
async function fill(): Promise<void> {
  const cache = createCache({ name: NAME, store: { nodes, gutter: gutter.url }, deadline: "5s", ttl: "1h" });
  await Promise.all(Array.from({ length: keys }, (_, key) => cache.set(nameOf(key), valueOf(key))));
  await cache.close();
}

function sum(tallies: readonly PhaseTally[]): PhaseTally {
  return tallies.reduce((one, other) => ({
    reads: one.reads + other.reads,
    loads: one.loads + other.loads,
    wrong: one.wrong + other.wrong,
    failed: one.failed + other.failed,
    slowestMs: Math.max(one.slowestMs, other.slowestMs),
    late: one.late + other.late,
  }));
}

const ring = new ServerRing(nodes);
const lost = Array.from({ length: keys }, (_, key) => ring.owners(nameOf(key), 1)[0]).filter(
  (id) => id === b.url,
);
const share = lost.length / keys;
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
const loadShare = (name: string): number => {
  const phase = totals.find((each) => each.name === name);
  return phase === undefined ? Number.NaN : phase.loads / phase.reads;
};
console.log(
  showTable([
    ["", "reads", "loads", "of the reads", "slowest", "over the deadline and a load", "wrong", "failed"],
    ...totals.map(({ name, reads, loads, slowestMs, late, wrong, failed }) => [
      name,
      ...[reads, loads].map(String),
      percent(loads / reads),
      `${slowestMs.toFixed(0)} ms`,
      ...[late, wrong, failed].map(String),
    ]),
  ]),
);
const reads = totals.reduce((count, each) => count + each.reads, 0);
const wrong = totals.reduce((count, each) => count + each.wrong + each.failed, 0);
const slowestMs = Math.max(...totals.map((each) => each.slowestMs));
conclude(
  "cache-faults",
  [
    {
      claim:
        "one of three cache servers killed, hung or answering garbage: no wrong value and no failed read",
      figure: `${wrong} of ${reads}`,
      met: wrong === 0 && reads > 1000,
    },
    {
      claim: `and no read takes longer than the deadline of ${DEADLINE_MS} ms, a load of ${loadMs} ms and a lease that nobody claimed (${UNCLAIMED_MS} ms)`,
      figure: `the slowest took ${slowestMs.toFixed(0)} ms`,
      met: slowestMs <= DEADLINE_MS + loadMs + UNCLAIMED_MS + SLACK_MS,
    },
    ...FAULTS.map((fault) => ({
      claim: `${fault}: the origin has to do no more than the lost server's share of the keys`,
      figure: `${percent(loadShare(fault))} of the reads are loads, the share is ${percent(share)}`,
      met: loadShare(fault) <= share,
    })),
    {
      claim: `ten seconds after it is back the origin has at most ${percent(RECOVERED)} of the reads to do`,
      figure: ["back after the kill", "back after the hang", "back after the garbage"]
        .map((name) => percent(loadShare(name)))
        .join(", "),
      met: ["back after the kill", "back after the hang", "back after the garbage"].every(
        (name) => loadShare(name) <= RECOVERED,
      ),
    },
  ],
  { share, phases: totals },
);
process.exit();
