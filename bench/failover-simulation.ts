/**
 * Clusters that go through faults, on the code that decides failovers in production: killed and frozen processes, cut networks, skewed
 * clocks, lease stores that are away. How many of so many seeds break a rule (two primaries, an acknowledged write lost in quorum mode, a
 * loss that was not reported …)? And does the simulation notice when a rule is taken away?
 *
 *     bin/bun bench/failover-simulation.ts [--seeds 10000] [--first 1] [--cluster any|witness]
 *
 * "witness": two servers with data and a witness, in quorum mode.
 */
import { promotedTwice } from "../src/database/failover/testing/faults.ts";
import { MUTATIONS, type MutationName } from "../src/database/failover/testing/mutations.ts";
import { PAIR_AND_WITNESS, simulate } from "../src/database/failover/testing/simulation.ts";
import { options } from "./harness/arguments.ts";
import { conclude } from "./harness/results.ts";

const { seeds, first, cluster } = options({ seeds: 10_000, first: 1, cluster: "any" });
const wanted = cluster === "witness" ? { cluster: PAIR_AND_WITNESS } : {};

/** What only async mode loses, and what takes two servers that can be promoted while the primary is dead. */
const NOT_HERE: readonly string[] = cluster === "witness" ? ["no-drain", "any-timeline"] : [];

/** Seeds that a missing rule is looked for in, at most. */
const MUTANT_SEEDS_MAX = 2000;

/** Progress is told this often. */
const PROGRESS_SEEDS = 1000;

const broken: string[] = [];
const beganMs = performance.now();
for (let seed = first; seed < first + seeds; seed++) {
  const { violations } = simulate(seed, wanted);
  if (violations.length > 0) broken.push(`seed ${seed}: ${JSON.stringify(violations[0])}`);
  if ((seed - first + 1) % PROGRESS_SEEDS === 0) console.log(`${seed - first + 1} seeds`);
}
const perSecond = Math.round((seeds * 1000) / (performance.now() - beganMs));
for (const line of broken) console.log(line);

/** What chance hardly ever brings about, and a rule is there for. */
const SCRIPTS: Partial<Record<MutationName, typeof promotedTwice>> = { "any-timeline": promotedTwice };

/** Mutation -> the first seed that shows it; undefined: none does. */
const shownBy = Object.fromEntries(
  (Object.keys(MUTATIONS) as MutationName[])
    .filter((name) => !NOT_HERE.includes(name))
    .map((name) => [name, firstBroken(name)] as const),
);
const unseen = Object.entries(shownBy).filter(([, seed]) => seed === undefined);

conclude(
  cluster === "witness" ? "failover-simulation-witness" : "failover-simulation",
  [
    {
      claim: `${seeds} simulated clusters${cluster === "witness" ? " of two servers and a witness" : ""} under faults: no rule is broken`,
      figure: `${broken.length} broken; ${perSecond} clusters a second`,
      met: broken.length === 0,
    },
    {
      claim: "each rule that is taken away is noticed",
      figure: `${Object.keys(shownBy).length - unseen.length} of ${Object.keys(shownBy).length}: ${Object.entries(
        shownBy,
      )
        .map(([name, seed]) => `${name} by seed ${seed ?? "none"}`)
        .join(", ")}`,
      met: unseen.length === 0,
    },
  ],
  { seeds, first, broken, shownBy, perSecond },
);

function firstBroken(name: MutationName): number | undefined {
  const script = SCRIPTS[name];
  const changed = { mutation: MUTATIONS[name], ...(script === undefined ? {} : { script }) };
  for (let seed = 1; seed <= MUTANT_SEEDS_MAX; seed++)
    if (simulate(seed, { ...wanted, ...changed }).violations.length > 0) return seed;
  return undefined;
}
