/**
 * Real servers under faults drawn from a seed, and what clients were told, judged by checkers of histories: lists
 * (serializable, nothing lost), registers (linearizable), a bank, a set. Three servers in quorum mode; clients go to whichever
 * server takes writes, without a router, so that nothing but the servers and their agents keeps the rules.
 *
 * A machine that is cut off is stopped instead (SIGSTOP): for the others that is the same until it wakes.
 *
 *     bin/bun bench/database-faults.ts [--runs 100] [--seed 1] [--seconds 6] [--ttl 2000] [--minutes 60]
 */
import { AcknowledgedWrites } from "../src/app/testing/acknowledged-writes.ts";
import { DatabaseCluster } from "../src/app/testing/database-cluster.ts";
import { type Random, seededRandom } from "../src/base/index.ts";
import {
  type Anomaly,
  checkBank,
  checkListAppend,
  checkRegisters,
  checkSet,
} from "../src/database/testing/histories/index.ts";
import { options } from "./harness/arguments.ts";
import { FaultClients, TOTAL } from "./harness/fault-clients.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

const given = options({ runs: 100, seed: 1, seconds: 6, ttl: 2_000, minutes: 60 });
const { runs, seed: firstSeed, seconds, ttl, minutes } = given;

/** No run is begun after this. */
const endMs = performance.now() + minutes * 60_000;

type Fault = (cluster: DatabaseCluster, name: string, ms: number) => Promise<void>;

/** Stops processes for a while. */
async function stopFor(signal: (signal: NodeJS.Signals) => void, ms: number): Promise<void> {
  signal("SIGSTOP");
  await pause(ms);
  signal("SIGCONT");
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "kill machine": async (cluster, name, ms) => {
    cluster.killMachine(name);
    await pause(ms);
    cluster.startAgent(name);
  },
  "kill server": async (cluster, name) => cluster.signalServer(name, "SIGKILL"),
  "kill agent": async (cluster, name, ms) => {
    cluster.signalAgent(name, "SIGKILL");
    await pause(ms);
    cluster.startAgent(name);
  },
  "stop agent": (cluster, name, ms) => stopFor((signal) => cluster.signalAgent(name, signal), ms),
  "stop server": (cluster, name, ms) => stopFor((signal) => cluster.signalServer(name, signal), ms),
  "cut machine off": (cluster, name, ms) =>
    stopFor((signal) => {
      cluster.signalAgent(name, signal);
      cluster.signalServer(name, signal);
    }, ms),
  switchover: async (cluster, name) => {
    const primary = await cluster.primary();
    if (primary !== undefined && primary !== name)
      await cluster
        .client(primary)
        .switchover(name)
        .catch(() => {});
  },
};

interface Run {
  readonly seed: number;
  readonly faults: readonly string[];
  readonly anomalies: readonly Anomaly[];
  readonly acknowledged: number;
  readonly unknown: number;
  readonly failovers: number;
}

/** Breaks things until the time is over; faults of one server follow each other, those of several overlap. */
async function breakThings(cluster: DatabaseCluster, random: Random, untilMs: number): Promise<string[]> {
  const told: string[] = [];
  const kinds = Object.entries(FAULTS);
  const busy = new Map<string, Promise<void>>();
  while (performance.now() < untilMs) {
    await pause(200 + random() * 1_500);
    const primary = await cluster.primary();
    const any = cluster.names[Math.floor(random() * cluster.names.length)] ?? "";
    const name = primary !== undefined && random() < 0.6 ? primary : any;
    const [kind, fault] = kinds[Math.floor(random() * kinds.length)] as [string, Fault];
    const ms = 200 + random() * ttl * 2;
    if (busy.has(name)) continue;
    told.push(`${kind} ${name}`);
    const running = fault(cluster, name, ms).finally(() => busy.delete(name));
    busy.set(name, running);
  }
  await Promise.all(busy.values());
  return told;
}

async function heal(cluster: DatabaseCluster): Promise<string> {
  for (const name of cluster.names) {
    cluster.signalAgent(name, "SIGCONT");
    cluster.signalServer(name, "SIGCONT");
    if (!cluster.isAgentAlive(name)) cluster.startAgent(name);
  }
  return cluster.untilWhole();
}

async function runOnce(cluster: DatabaseCluster, seed: number): Promise<Run> {
  const primary = await cluster.untilWhole();
  const before = (await cluster.facts(primary))?.failover?.record?.term ?? 0;
  await FaultClients.prepare(cluster, primary, seed);
  const clients = new FaultClients(cluster, seed);
  const faults = await breakThings(cluster, seededRandom(seed), performance.now() + seconds * 1_000);
  const last = await heal(cluster);
  await pause(300);
  await clients.stop();
  const final = await clients.finalLists(last);
  const { lists, registers, bank } = clients;
  const anomalies = [
    ...checkListAppend(lists),
    ...checkSet(lists, final),
    ...checkRegisters(registers),
    ...checkBank(bank, TOTAL),
  ];
  const all = [...lists, ...registers, ...bank];
  const acknowledged = all.filter(({ kind }) => kind === "ok").length;
  const unknown = all.filter(({ kind }) => kind === "unknown").length;
  const after = (await cluster.facts(last))?.failover?.record?.term ?? 0;
  return { seed, faults, anomalies, acknowledged, unknown, failovers: after - before };
}

const results: Run[] = [];
const cluster = new DatabaseCluster({ mode: "quorum", ttlMs: ttl });
let stuck: string | undefined;
try {
  await cluster.start();
  await AcknowledgedWrites.prepare(cluster, await cluster.untilPrimary());
  for (let seed = firstSeed; seed < firstSeed + runs && performance.now() < endMs; seed += 1) {
    const result = await runOnce(cluster, seed).catch((problem: unknown) => {
      stuck = `seed ${seed}: ${String(problem)}`;
      for (const name of cluster.names) console.log(`${name}\n${cluster.logOf(name).slice(-3_000)}`);
    });
    if (result === undefined) break;
    results.push(result);
    const { anomalies, faults, acknowledged, unknown, failovers } = result;
    console.log(
      `seed ${seed}: ${failovers} terms, ${acknowledged} acknowledged, ${unknown} unknown; ${faults.join(", ")}`,
    );
    for (const anomaly of anomalies.slice(0, 5)) console.log(`  ${anomaly.anomaly}: ${anomaly.detail}`);
  }
} finally {
  await cluster.stop();
}
const sum = (of: (run: Run) => number): number => results.reduce((total, run) => total + of(run), 0);
const broken = results.filter(({ anomalies }) => anomalies.length > 0);
conclude(
  "database-faults",
  [
    {
      claim: `${results.length} runs of random faults: no acknowledged write is lost, no history is impossible`,
      figure: `${broken.length} runs with anomalies; ${sum((run) => run.acknowledged)} transactions acknowledged, ${sum((run) => run.faults.length)} faults, ${sum((run) => run.failovers)} new terms`,
      met: broken.length === 0 && results.length > 0,
    },
    {
      claim: "the cluster is whole again after each",
      figure: stuck ?? `${results.length} of ${results.length}`,
      met: stuck === undefined,
    },
  ],
  { runs: results.length, firstSeed, seconds, ttl, results },
);
process.exit();
