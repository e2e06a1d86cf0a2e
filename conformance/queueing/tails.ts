/**
 * How near the approximate quantiles are: ours over those of two million simulated requests, by shape of the times.
 *
 * Where the times are exponential ours are exact, so those rows show the noise of the simulation.
 *
 * Usage: bin/bun conformance/queueing/tails.ts
 */
import { type Random, seededRandom } from "../../src/base/index.ts";
import { ggc, responseQuantile } from "../../src/planner/queueing/index.ts";

const REQUESTS = 2_000_000;
const LOADS = [0.5, 0.8, 0.95] as const;
const SERVERS = [1, 4] as const;
const QUANTILES = [0.5, 0.9, 0.99] as const;

const random = seededRandom(11);

const exponential = (of: Random): number => -Math.log1p(-of());

/** Sum of so many exponentials, mean 1. */
const erlang = (stages: number) => (): number =>
  Array.from({ length: stages }, () => exponential(random)).reduce((sum, value) => sum + value / stages, 0);

/** Two exponentials with balanced means, mean 1. */
function mixture(cv: number): () => number {
  const share = (1 + Math.sqrt((cv ** 2 - 1) / (cv ** 2 + 1))) / 2;
  return () => exponential(random) / (2 * (random() < share ? share : 1 - share));
}

/** The long tail that latencies often have, mean 1. */
function logNormal(cv: number): () => number {
  const variance = Math.log1p(cv ** 2);
  const normal = (): number => Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());
  return () => Math.exp(normal() * Math.sqrt(variance) - variance / 2);
}

const SHAPES: readonly (readonly [name: string, cv: number, draw: () => number])[] = [
  ["constant", 0, () => 1],
  ["Erlang of 4", 0.5, erlang(4)],
  ["exponential", 1, () => exponential(random)],
  ["mixture, cv 2", 2, mixture(2)],
  ["log-normal, cv 2", 2, logNormal(2)],
  ["log-normal, cv 4", 4, logNormal(4)],
];

/** Times of the answers, ascending; services have a mean of 1. */
function simulated(servers: number, load: number, draw: () => number): Float64Array {
  const free = new Float64Array(servers);
  let now = 0;
  return Float64Array.from({ length: REQUESTS }, () => {
    now += exponential(random) / (load * servers);
    const next = free.indexOf(Math.min(...free));
    const end = Math.max(now, free[next] ?? 0) + draw();
    free[next] = end;
    return end - now;
  }).toSorted();
}

console.log(`${QUANTILES.map((q) => `p${q * 100}`.padStart(6)).join("")}  ours over simulated`);
for (const servers of SERVERS)
  for (const [name, serviceCv, draw] of SHAPES)
    for (const load of LOADS) {
      const times = simulated(servers, load, draw);
      const queue = ggc({ rateRps: load * servers * 1000, serviceMs: 1, servers, arrivalCv: 1, serviceCv });
      if (queue.kind === "unstable") continue;
      const ratios = QUANTILES.map(
        (q) => responseQuantile(queue, q) / (times[Math.floor(REQUESTS * q)] ?? 0),
      );
      const cells = ratios.map((ratio) => ratio.toFixed(2).padStart(6));
      console.log(`${cells.join("")}  ${servers} x ${name} at ${load * 100} %`);
    }
