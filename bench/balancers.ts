/**
 * What a pick costs, and how many keys a change of the set moves.
 *
 *   bin/bun bench/balancers.ts
 *
 * Nanoseconds per pick are the best of several rounds over 10 targets of which each has some work, against one bare
 * call of a function that returns a number ("no choice"), the cost that the measurement itself has. Heap growth is
 * over a million picks. Moved shares are over 100,000 keys; ideal is the share of the target that came or went.
 */
import { ALGORITHMS, type Algorithm } from "../src/balance/index.ts";
import { equalTargets, group, heapGrowth, movedShare, placements, targets } from "../src/balance/testing.ts";

const PICKS = 1_000_000;
const ROUNDS = 7;
const KEYS = 100_000;

type Pick = (hash: number, exclude: number) => number;

/** The best round: what the code costs when nothing else runs on the core. */
function nanosecondsPerPick(pick: Pick): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startedNs = Bun.nanoseconds();
    let hash = 1;
    for (let picks = 0; picks < PICKS; picks++) {
      hash = (Math.imul(hash, 69_069) + pick(hash, -1) + 1) >>> 0;
    }
    return (Bun.nanoseconds() - startedNs) / PICKS;
  });
  return Math.min(...rounds);
}

function busyGroup(algorithm: Algorithm, size: number): Pick {
  const { balancer, inFlight } = group(algorithm, equalTargets(size));
  for (let index = 0; index < size; index++) {
    inFlight[index] = 1 + (index % 3);
    balancer.observe(index, 5 + (index % 4), false);
  }
  return (hash, exclude) => balancer.pick(hash, exclude);
}

function setTargetsMs(algorithm: Algorithm): number {
  const { balancer } = group(algorithm, []);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startedNs = Bun.nanoseconds();
    balancer.setTargets(targets(3, 2, 1, 1, 1, 1, 1, 1, 1, 1));
    return (Bun.nanoseconds() - startedNs) / 1e6;
  });
  return Math.min(...rounds);
}

/** One row of the table, measured in a process of its own, so that no algorithm spoils another's inlining. */
function picksRow(algorithm: Algorithm): string {
  const pick = busyGroup(algorithm, 10);
  const columns = [
    nanosecondsPerPick(pick).toFixed(1).padStart(10),
    nanosecondsPerPick(busyGroup(algorithm, 50)).toFixed(1).padStart(13),
    (heapGrowth(() => pick(1, -1), PICKS) / 1024).toFixed(0).padStart(15),
    setTargetsMs(algorithm).toFixed(2).padStart(16),
  ];
  return algorithm.padEnd(22) + columns.join("");
}

function picksTable(): void {
  console.log(`${"algorithm".padEnd(22)}ns/pick 10   ns/pick 50   heap KiB/1e6   setTargets ms`);
  console.log(
    `${"(no choice)".padEnd(22)}${nanosecondsPerPick((hash) => hash & 7)
      .toFixed(1)
      .padStart(10)}`,
  );
  for (const algorithm of Object.keys(ALGORITHMS)) {
    const { stdout } = Bun.spawnSync([process.execPath, import.meta.path, algorithm]);
    process.stdout.write(stdout);
  }
}

function movedTable(): void {
  console.log(`\n${"moved keys".padEnd(22)}10 -> 11    10 -> 9`);
  console.log(`${"(ideal)".padEnd(22)}${percent(1 / 11)}${percent(1 / 10)}`);
  for (const algorithm of ["hash", "consistent-hash", "maglev"] as const) {
    const { balancer } = group(algorithm, equalTargets(10));
    const before = placements(balancer, KEYS);
    balancer.setTargets(equalTargets(11));
    const joined = movedShare(before, placements(balancer, KEYS));
    balancer.setTargets(equalTargets(10).filter(({ index }) => index !== 4));
    const left = movedShare(before, placements(balancer, KEYS));
    console.log(algorithm.padEnd(22) + percent(joined) + percent(left));
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`.padStart(8).padEnd(12);
}

const only = process.argv[2] as Algorithm | undefined;
if (only === undefined) {
  picksTable();
  movedTable();
} else {
  console.log(picksRow(only));
}
