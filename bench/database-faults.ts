/**
 * Real servers under faults drawn from a seed, and what clients were told, judged by checkers of histories: lists
 * (serializable, nothing lost), registers (linearizable), a bank, a set. Three servers in quorum mode, two routers, the lease store,
 * each on a machine of its own (a network namespace) where that can be had. Two clients go through the routers; two go to whichever server takes
 * writes, and one more sits at each server, so that nothing but the servers and their agents keeps the rules there.
 *
 * A seed replays the faults, their times and their order; who is primary then is for the run to say.
 *
 *     bin/bun bench/database-faults.ts [--runs 100] [--seed 1] [--seconds 6] [--ttl 2000] [--minutes 60] [--add no]
 *
 * `--add yes` keeps the runs of other seeds that were kept before: for many runs in pieces.
 */
import { seededRandom } from "../src/base/index.ts";
import {
  type Anomaly,
  checkBank,
  checkListAppend,
  checkRegisters,
  checkSet,
} from "../src/database/testing/histories/index.ts";
import { options } from "./harness/arguments.ts";
import { DirectWriters } from "./harness/direct-writers.ts";
import { FaultClients, type Route, TOTAL } from "./harness/fault-clients.ts";
import { carryOut, kindsAt, planOf } from "./harness/fault-kinds.ts";
import { FaultSite } from "./harness/fault-site.ts";
import { conclude, readResults } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

const given = options({ runs: 100, seed: 1, seconds: 6, ttl: 2_000, minutes: 60, add: "no" });
const { runs, seed: firstSeed, seconds, ttl, minutes, add } = given;

/** No run is begun after this. */
const endMs = performance.now() + minutes * 60_000;

/** A server may have to be cloned anew, on a machine with other work. */
const WHOLE_MS = 90_000;

/** Clients go on for so long when all is well again. */
const CALM_MS = 300;

interface Run {
  readonly seed: number;
  readonly faults: readonly string[];
  readonly anomalies: readonly Anomaly[];
  readonly acknowledged: number;
  readonly unknown: number;
  /** At servers, around the routers. */
  readonly direct: number;
  readonly failovers: number;
}

/** Two through the routers, two at the servers. */
function routesOf(site: FaultSite): readonly Route[] {
  const { cluster, routers } = site;
  const servers = cluster.names.map((name) => () => cluster.connect(name));
  const doors = routers.map((name) => () => site.connect(name));
  return [doors, doors, servers, servers];
}

async function runOnce(site: FaultSite, seed: number): Promise<Run> {
  const { cluster } = site;
  const primary = await cluster.untilWhole(WHOLE_MS);
  const before = (await cluster.facts(primary))?.failover?.record?.term ?? 0;
  await FaultClients.prepare(cluster, primary, seed);
  const clients = new FaultClients(routesOf(site), seed);
  const direct = new DirectWriters(cluster);
  const times = { random: seededRandom(seed), runMs: seconds * 1_000, longestMs: ttl * 2 };
  const faults = await carryOut(site, planOf(Object.keys(kindsAt(site)), cluster.names, times));
  site.heal();
  const last = await cluster.untilWhole(WHOLE_MS);
  await pause(CALM_MS);
  await Promise.all([clients.stop(), direct.stop()]);
  const final = await clients.finalLists(cluster, last);
  const { lists, registers, bank } = clients;
  const anomalies = [
    ...checkListAppend(lists),
    ...checkSet(lists, final),
    ...checkRegisters(registers),
    ...checkBank(bank, TOTAL),
    ...(await direct.check(last)),
  ];
  const all = [...lists, ...registers, ...bank];
  const acknowledged = all.filter(({ kind }) => kind === "ok").length;
  const unknown = all.filter(({ kind }) => kind === "unknown").length;
  const after = (await cluster.facts(last))?.failover?.record?.term ?? 0;
  const failovers = after - before;
  return { seed, faults, anomalies, acknowledged, unknown, direct: direct.acknowledged.length, failovers };
}

/** Runs of other pieces. */
function others(): readonly Run[] {
  if (add !== "yes") return [];
  const kept = readResults().find(({ bench }) => bench === "database-faults");
  const { results: before = [] } = (kept?.figures ?? {}) as { readonly results?: readonly Run[] };
  return before.filter(({ seed }) => seed < firstSeed || seed >= firstSeed + runs);
}

const problem = FaultSite.problem();
if (problem !== undefined) console.log(`all on loopback, no partitions and no disks: ${problem}`);
const own: Run[] = [];
const site = new FaultSite(ttl);
if (problem === undefined && site.disks?.canBeSlow !== true)
  console.log("no slow disks: there is no gcc here");
let stuck: string | undefined;
try {
  await site.start();
  await DirectWriters.prepare(site.cluster, await site.cluster.untilWhole());
  for (let seed = firstSeed; seed < firstSeed + runs && performance.now() < endMs; seed += 1) {
    const result = await runOnce(site, seed).catch(async (reason: unknown) => {
      stuck = `seed ${seed}: ${String(reason)}`;
      console.log(stuck);
      for (const name of site.cluster.names) {
        const facts = JSON.stringify(await site.cluster.facts(name));
        console.log(`${name}: ${site.disks?.freeMib(name) ?? "?"} MiB free, ${facts}`);
      }
      for (const name of [...site.cluster.names, ...site.routers])
        console.log(`${name}\n${site.cluster.logOf(name).slice(-6_000)}`);
    });
    if (result === undefined) break;
    own.push(result);
    const { anomalies, faults, acknowledged, unknown, direct, failovers } = result;
    console.log(
      `seed ${seed}: ${failovers} terms, ${acknowledged} acknowledged, ${unknown} unknown, ${direct} direct; ${faults.join(", ")}`,
    );
    for (const anomaly of anomalies.slice(0, 5)) console.log(`  ${anomaly.anomaly}: ${anomaly.detail}`);
    if (anomalies.length > 0)
      for (const name of [...site.cluster.names, ...site.routers])
        console.log(`${name}\n${site.cluster.logOf(name).slice(-20_000)}`);
  }
} finally {
  await site.stop();
}
const results = [...others(), ...own].toSorted((a, b) => a.seed - b.seed);
const sum = (of: (run: Run) => number): number => results.reduce((total, run) => total + of(run), 0);
const broken = results.filter(({ anomalies }) => anomalies.length > 0);
const twice = results.filter(({ anomalies }) => anomalies.some(({ anomaly }) => anomaly === "two-primaries"));
const where = problem === undefined ? "in network namespaces" : "on loopback";
conclude(
  "database-faults",
  [
    {
      claim: `${results.length} runs of random faults ${where}, through routers and around them: no acknowledged write is lost, no history is impossible`,
      figure: `${broken.length} runs with anomalies; ${sum((run) => run.acknowledged)} transactions acknowledged, ${sum((run) => run.faults.length)} faults, ${sum((run) => run.failovers)} new terms`,
      met: broken.length === 0 && results.length > 0,
    },
    {
      claim: "never two primaries that take writes",
      figure: `${twice.length} of ${results.length} runs; ${sum((run) => run.direct)} writes acknowledged at servers`,
      met: twice.length === 0 && results.length > 0,
    },
    {
      claim: "the cluster is whole again after each",
      figure: stuck ?? `${results.length} of ${results.length}`,
      met: stuck === undefined,
    },
  ],
  { runs: results.length, firstSeed: results[0]?.seed ?? firstSeed, seconds, ttl, results },
);
process.exit();
