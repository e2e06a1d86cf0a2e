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
 * The 99th percentile of a turn tells more of the machine than of the proxy: a core that is away for 3 ms, 25 times a
 * second, as those of virtual machines are, holds up more than one request in a hundred. What the machine takes is not
 * all in its books, but it shows in what wrk and the origin pay for a request: the same work, whichever proxy is
 * between them. So turns are many and short, and the p99 is that of the half of the rounds in which the load was
 * cheapest. A turn during which other programs are seen to use either core is taken again.
 *
 *     bin/bun bench/proxy-cpu.ts [--rounds 16] [--seconds 1] [--connections 64,256] [--proxies nginx,haproxy,tenfold]
 */
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, spreadOf, type Verdict } from "./harness/figures.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { busyMsOf, type CpuTime, cpuOf } from "./harness/proc.ts";
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
  /** Share that programs of no part in this used meanwhile of the proxy's core or of the load's, whichever is more. */
  readonly othersShare: number;
  /** CPU that wrk and the origin took for a request. */
  readonly loadUs: number;
  /** Share of the other core that wrk and the origin kept busy: near 1 they, not the proxy, set the throughput. */
  readonly loadShare: number;
}

interface Contestant {
  readonly name: ProxyName;
  readonly port: number;
  readonly process: Started;
  readonly origin: Started;
}

/** What the kernel has charged so far, ms. */
interface Charged {
  readonly proxy: CpuTime;
  readonly originMs: number;
  readonly proxyCoreMs: number;
  readonly loadCoreMs: number;
}

type Turns = Map<ProxyName, Turn[]>;

const PROXY_CORE = 0;
const LOAD_CORE = 1;

/** Work that a proxy puts off (garbage, timers) is still charged to its turn when done within this. */
const SETTLE_MS = 200;

/** More of a core than this in other hands spoils latency and throughput; try at most so often again. */
const OTHERS_SHARE_MAX = 0.1;
const TURNS_AGAIN = 2;

/** Long enough for a just-in-time compiler to settle on its fastest code for the request path. */
const WARM_UP_SECONDS = 4;

/** Calls are counted under strace, which slows the proxy a lot; the count per request is what matters. */
const TRACE_SECONDS = 2;

const { rounds, seconds, connections, proxies } = options({
  rounds: 16,
  seconds: 1,
  connections: "64,256",
  proxies: "nginx,haproxy,tenfold",
});

await withFolder(async (folder) => {
  const origin = await startOrigin(folder, 2, LOAD_CORE);
  const contestants: Contestant[] = [];
  for (const name of chosenProxies(proxies)) contestants.push(await start(name, folder, origin));
  for (const { port } of contestants) await wrk(port, 64, WARM_UP_SECONDS, LOAD_CORE);

  const verdicts: Verdict[] = [];
  const figures: Record<string, unknown> = {};
  for (const count of connections.split(",").map(Number)) {
    const turns = await race(contestants, count);
    console.log(
      `\n${count} connections, ${rounds} rounds of ${seconds} s, median of the rounds; p99 of the quiet half`,
    );
    console.log(showTable(tableOf(turns)));
    if (turns.has("tenfold")) verdicts.push(...verdictsOf(turns, count));
    figures[count] = Object.fromEntries(turns);
  }
  figures["syscallsPerRequest"] = await traceAll(contestants);
  console.log("");
  conclude("proxy-cpu", verdicts, figures);
});

async function start(name: ProxyName, folder: string, origin: Origin): Promise<Contestant> {
  const { ports, process } = await startProxy(name, folder, [origin.ports], PROXY_CORE);
  return { name, port: ports[0]!, process, origin: origin.process };
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

async function tryTurn(contestant: Contestant, count: number): Promise<Turn> {
  const before = chargedTo(contestant);
  const report = await wrk(contestant.port, count, seconds, LOAD_CORE);
  await pause(SETTLE_MS);
  const after = chargedTo(contestant);
  const userMs = after.proxy.userMs - before.proxy.userMs;
  const systemMs = after.proxy.systemMs - before.proxy.systemMs;
  const proxyCoreMs = after.proxyCoreMs - before.proxyCoreMs;
  const loadCoreMs = after.loadCoreMs - before.loadCoreMs;
  const loadMs = after.originMs - before.originMs + report.cpuMs;
  const othersMs = Math.max(proxyCoreMs - userMs - systemMs, loadCoreMs - loadMs);
  const { requests, durationUs, p50Us, p99Us } = report;
  return {
    cpuUs: ((userMs + systemMs) * 1000) / requests,
    userUs: (userMs * 1000) / requests,
    systemUs: (systemMs * 1000) / requests,
    requestsPerSecond: (requests / durationUs) * 1e6,
    p50Us,
    p99Us,
    othersShare: Math.max(0, othersMs) / (seconds * 1000),
    loadUs: (loadMs * 1000) / requests,
    loadShare: loadCoreMs / (seconds * 1000),
  };
}

function chargedTo({ process, origin }: Contestant): Charged {
  const { userMs, systemMs } = cpuOf(origin.pid);
  return {
    proxy: cpuOf(process.pid),
    originMs: userMs + systemMs,
    proxyCoreMs: busyMsOf(PROXY_CORE),
    loadCoreMs: busyMsOf(LOAD_CORE),
  };
}

/** The half of the rounds in which the machine took least for itself: those in which the load was cheapest. */
function quietHalf(turns: Turns): Turns {
  const loadUs = (round: number): number =>
    [...turns.values()].reduce((sum, of) => sum + (of[round]?.loadUs ?? 0), 0);
  const byLoad = Array.from({ length: rounds }, (_, round) => round).toSorted(
    (a, b) => loadUs(a) - loadUs(b),
  );
  const quiet = new Set(byLoad.slice(0, Math.ceil(rounds / 2)));
  return new Map([...turns].map(([name, of]) => [name, of.filter((_, round) => quiet.has(round))]));
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
      "load us/req",
      "load core",
    ],
  ];
  const quiet = quietHalf(turns);
  for (const [name, of] of turns) {
    const p99Us = spreadOf((quiet.get(name) ?? []).map((turn) => turn.p99Us)).median;
    const median = (pick: (turn: Turn) => number): number => spreadOf(of.map(pick)).median;
    rows.push([
      name,
      showSpread(spreadOf(of.map((turn) => turn.cpuUs)), 1),
      median((turn) => turn.userUs).toFixed(1),
      median((turn) => turn.systemUs).toFixed(1),
      median((turn) => turn.requestsPerSecond).toFixed(0),
      (median((turn) => turn.p50Us) / 1000).toFixed(2),
      (p99Us / 1000).toFixed(2),
      `${median((turn) => busyShare(turn) * 100).toFixed(0)} %`,
      `${median((turn) => turn.othersShare * 100).toFixed(0)} %`,
      median((turn) => turn.loadUs).toFixed(1),
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
  const quiet = quietHalf(turns);
  for (const peer of turns.keys()) {
    if (peer === "tenfold") continue;
    const judge = (
      what: string,
      among: Turns,
      pick: (turn: Turn) => number,
      keeps: (ratio: number) => boolean,
    ): void => {
      const spread = ratioOf((among.get("tenfold") ?? []).map(pick), (among.get(peer) ?? []).map(pick));
      verdicts.push({
        claim: `${count} connections, ${what}`,
        figure: `${showSpread(spread)}x ${peer}`,
        met: keeps(spread.median),
      });
    };
    judge(
      "CPU per request at most 1.0x",
      turns,
      (turn) => turn.cpuUs,
      (value) => value <= 1,
    );
    judge("requests per second per busy core at least 1.0x", turns, perCore, (value) => value >= 1);
    judge(
      "p99 at most 1.2x",
      quiet,
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
