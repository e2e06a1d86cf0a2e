/**
 * What one proxied request costs: CPU, throughput and latency of our gateway beside nginx and HAProxy.
 *
 * All proxies run at once, each pinned to core 0 and idle but for its turn; wrk and the origin share core 1. Every
 * round gives each proxy one turn, in rotated order, so that a slow minute of the machine falls on all of them. CPU
 * is what the kernel charged to the proxy's processes over the turn, divided by the requests that wrk completed.
 *
 * A proxy takes little more CPU than wrk and the origin together, so with two cores the load's core may fill up first
 * ("load core"); then the raw rate says nothing about the proxy. The promise on throughput is therefore on what one
 * whole core would carry: the measured rate divided by the share of its core that the proxy used ("core busy").
 *
 *     bin/bun bench/proxy-cpu.ts [--rounds 5] [--seconds 4] [--connections 64,256] [--proxies nginx,haproxy,tenfold]
 */
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, spreadOf, type Verdict } from "./harness/figures.ts";
import { startOrigin } from "./harness/origin.ts";
import { busyMsOf, cpuOf } from "./harness/proc.ts";
import { type Started, withFolder } from "./harness/process.ts";
import { chosenProxies, type ProxyName, startProxy } from "./harness/proxies.ts";
import { conclude } from "./harness/results.ts";
import { countSyscalls } from "./harness/syscalls.ts";
import { pause } from "./harness/wait.ts";
import { wrk } from "./harness/wrk.ts";

/** One turn of one proxy. */
interface Turn {
  readonly cpuUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Share of the proxy's core that other programs used meanwhile. */
  readonly othersShare: number;
  /** Share of the other core that wrk and the origin kept busy: near 1 they, not the proxy, set the throughput. */
  readonly loadShare: number;
}

interface Contestant {
  readonly name: ProxyName;
  readonly port: number;
  readonly process: Started;
}

type Turns = Map<ProxyName, Turn[]>;

const PROXY_CORE = 0;
const LOAD_CORE = 1;

/** Work that a proxy puts off (garbage, timers) is still charged to its turn when done within this. */
const SETTLE_MS = 200;

/** More of the proxy's core than this in other hands spoils latency and throughput; try at most so often again. */
const OTHERS_SHARE_MAX = 0.1;
const TURNS_AGAIN = 2;

/** Long enough for a just-in-time compiler to settle on its fastest code for the request path. */
const WARM_UP_SECONDS = 4;

/** Calls are counted under strace, which slows the proxy a lot; the count per request is what matters. */
const TRACE_SECONDS = 2;

const { rounds, seconds, connections, proxies } = options({
  rounds: 5,
  seconds: 4,
  connections: "64,256",
  proxies: "nginx,haproxy,tenfold",
});

await withFolder(async (folder) => {
  const origin = await startOrigin(folder, 2, LOAD_CORE);
  const contestants: Contestant[] = [];
  for (const name of chosenProxies(proxies)) contestants.push(await start(name, folder, origin.ports));
  for (const { port } of contestants) await wrk(port, 64, WARM_UP_SECONDS, LOAD_CORE);

  const verdicts: Verdict[] = [];
  const figures: Record<string, unknown> = {};
  for (const count of connections.split(",").map(Number)) {
    const turns = await race(contestants, count);
    console.log(`\n${count} connections, ${rounds} rounds of ${seconds} s, median of the rounds`);
    console.log(showTable(tableOf(turns)));
    if (turns.has("tenfold")) verdicts.push(...verdictsOf(turns, count));
    figures[count] = Object.fromEntries(turns);
  }
  figures["syscallsPerRequest"] = await traceAll(contestants);
  console.log("");
  conclude("proxy-cpu", verdicts, figures);
});

async function start(name: ProxyName, folder: string, targets: readonly number[]): Promise<Contestant> {
  const { ports, process } = await startProxy(name, folder, [targets], PROXY_CORE);
  return { name, port: ports[0]!, process };
}

async function race(contestants: readonly Contestant[], count: number): Promise<Turns> {
  const turns: Turns = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < contestants.length; place++) {
      const contestant = contestants[(round + place) % contestants.length]!;
      turns.get(contestant.name)?.push(await takeTurn(contestant, count));
    }
  }
  return turns;
}

/** A turn during which other programs used the proxy's core is taken again, and the quietest one counts. */
async function takeTurn(contestant: Contestant, count: number): Promise<Turn> {
  let quietest = await tryTurn(contestant, count);
  for (let again = 0; again < TURNS_AGAIN && quietest.othersShare > OTHERS_SHARE_MAX; again++) {
    const turn = await tryTurn(contestant, count);
    if (turn.othersShare < quietest.othersShare) quietest = turn;
  }
  return quietest;
}

async function tryTurn({ port, process }: Contestant, count: number): Promise<Turn> {
  const before = { ...cpuOf(process.pid), busyMs: busyMsOf(PROXY_CORE), loadMs: busyMsOf(LOAD_CORE) };
  const report = await wrk(port, count, seconds, LOAD_CORE);
  await pause(SETTLE_MS);
  const after = { ...cpuOf(process.pid), busyMs: busyMsOf(PROXY_CORE), loadMs: busyMsOf(LOAD_CORE) };
  const loadShare = (after.loadMs - before.loadMs) / (seconds * 1000);
  const ownMs = after.userMs - before.userMs + after.systemMs - before.systemMs;
  const othersShare = Math.max(0, after.busyMs - before.busyMs - ownMs) / (seconds * 1000);
  const userUs = ((after.userMs - before.userMs) * 1000) / report.requests;
  const systemUs = ((after.systemMs - before.systemMs) * 1000) / report.requests;
  const requestsPerSecond = (report.requests / report.durationUs) * 1e6;
  const { p50Us, p99Us } = report;
  return {
    cpuUs: userUs + systemUs,
    userUs,
    systemUs,
    requestsPerSecond,
    p50Us,
    p99Us,
    othersShare,
    loadShare,
  };
}

function tableOf(turns: Turns): string[][] {
  const rows = [
    [
      "proxy",
      "CPU us/req",
      "user",
      "system",
      "req/s",
      "p50 ms",
      "p99 ms",
      "core busy",
      "others",
      "load core",
    ],
  ];
  for (const [name, of] of turns) {
    const median = (pick: (turn: Turn) => number): number => spreadOf(of.map(pick)).median;
    rows.push([
      name,
      showSpread(spreadOf(of.map((turn) => turn.cpuUs)), 1),
      median((turn) => turn.userUs).toFixed(1),
      median((turn) => turn.systemUs).toFixed(1),
      median((turn) => turn.requestsPerSecond).toFixed(0),
      (median((turn) => turn.p50Us) / 1000).toFixed(2),
      (median((turn) => turn.p99Us) / 1000).toFixed(2),
      `${median((turn) => busyShare(turn) * 100).toFixed(0)} %`,
      `${median((turn) => turn.othersShare * 100).toFixed(0)} %`,
      `${median((turn) => turn.loadShare * 100).toFixed(0)} %`,
    ]);
  }
  return rows;
}

/** Requests per second that a core kept wholly busy would carry. */
function perCore(turn: Turn): number {
  return turn.requestsPerSecond / busyShare(turn);
}

function busyShare({ cpuUs, requestsPerSecond }: Turn): number {
  return (cpuUs * requestsPerSecond) / 1e6;
}

/** The three promises, against each peer: cost at most 1.0x, throughput at least 1.0x, p99 at most 1.2x. */
function verdictsOf(turns: Turns, count: number): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const peer of turns.keys()) {
    if (peer === "tenfold") continue;
    const ratio = (pick: (turn: Turn) => number) =>
      ratioOf((turns.get("tenfold") ?? []).map(pick), (turns.get(peer) ?? []).map(pick));
    const judge = (what: string, pick: (turn: Turn) => number, keeps: (ratio: number) => boolean): void => {
      const spread = ratio(pick);
      verdicts.push({
        claim: `${count} connections, ${what}`,
        figure: `${showSpread(spread)}x ${peer}`,
        met: keeps(spread.median),
      });
    };
    judge(
      "CPU per request at most 1.0x",
      (turn) => turn.cpuUs,
      (value) => value <= 1,
    );
    judge("requests per second per busy core at least 1.0x", perCore, (value) => value >= 1);
    judge(
      "p99 at most 1.2x",
      (turn) => turn.p99Us,
      (value) => value <= 1.2,
    );
  }
  return verdicts;
}

async function traceAll(contestants: readonly Contestant[]): Promise<Record<string, unknown>> {
  console.log("\nsystem calls per request at 64 connections (counted by strace in a run of its own)");
  const counts: Record<string, unknown> = {};
  for (const { name, port, process } of contestants) {
    const load = () => wrk(port, 64, TRACE_SECONDS, LOAD_CORE);
    const calls = await countSyscalls(process.pid, async () => (await load()).requests);
    counts[name] = calls;
    const parts = Object.entries(calls.byName).map(([call, count]) => `${call} ${count.toFixed(2)}`);
    console.log(`${name.padEnd(8)} ${calls.total.toFixed(2)}  = ${parts.join(" + ")}`);
  }
  return counts;
}
