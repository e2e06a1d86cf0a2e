/**
 * Which share of requests the app cache answers from memory, by eviction policy, on made traffic.
 *
 *   bin/bun bench/cache-hit-ratio.ts [--requests 300000] [--seed 1]
 *
 * The policies are the product's own, in its own L1, by number of entries: 1 % and 10 % of the objects that are asked for. Beside them
 * stand two from the papers: S3-FIFO as printed, and SIEVE. The first fifth of the requests only warms the caches. Time passes by 1 ms
 * per request, which is what LFU's decay goes by.
 */
import { seededRandom, simulatedTime } from "../src/base/index.ts";
import { type EvictionName, L1 } from "../src/cache/index.ts";
import { options } from "./harness/arguments.ts";
import { POLICIES } from "./harness/cache-policies.ts";
import { type Trace, traces } from "./harness/cache-traces.ts";
import { showTable } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const SHARES = [0.01, 0.1];
const OURS: readonly EvictionName[] = ["s3-fifo", "w-tinylfu", "lfu", "lru", "fifo"];
const DEFAULT = "s3-fifo";
const PAPERS = ["S3-FIFO", "SIEVE"];
/** Points that the default may be under the best. */
const GAP_MAX = 1.5;

const { requests, seed } = options({ requests: 300_000, seed: 1 });

type Request = (object: number) => boolean;

function ours(eviction: EvictionName, capacity: number): Request {
  const time = simulatedTime();
  const l1 = new L1({ capacity, eviction, ...time, random: seededRandom(seed) });
  return (object) => {
    time.advance(1);
    const key = String(object);
    if (l1.get(key) !== undefined) return true;
    l1.set(key, object);
    return false;
  };
}

function papers(name: string, capacity: number): Request {
  const policy = POLICIES[name]?.(capacity);
  return (object) => policy?.request(object, 1) ?? false;
}

/** Percent of the requests that are answered once the cache is warm. */
function replay({ requests: asked }: Trace, request: Request): number {
  const warm = Math.floor(asked.length / 5);
  let hits = 0;
  asked.forEach((object, index) => {
    if (request(object) && index >= warm) hits++;
  });
  return (hits / (asked.length - warm)) * 100;
}

interface Cell {
  readonly trace: string;
  readonly isWeb: boolean;
  readonly share: number;
  readonly hits: Readonly<Record<string, number>>;
}

function measure(trace: Trace, share: number): Cell {
  const capacity = Math.floor(new Set(trace.requests).size * share);
  const all: [string, Request][] = [
    ...OURS.map((name): [string, Request] => [name, ours(name, capacity)]),
    ...PAPERS.map((name): [string, Request] => [`${name} (paper)`, papers(name, capacity)]),
  ];
  const hits = Object.fromEntries(all.map(([name, request]) => [name, replay(trace, request)]));
  return { trace: trace.name, isWeb: trace.isWeb, share, hits };
}

const of = ({ hits }: Cell): number => hits[DEFAULT] ?? 0;
const overLru = (cell: Cell): number => of(cell) - (cell.hits["lru"] ?? 0);
const underBest = (cell: Cell): number => Math.max(...Object.values(cell.hits)) - of(cell);

function worst(cells: readonly Cell[], rank: (cell: Cell) => number): { where: string; value: number } {
  const [cell] = cells.toSorted((a, b) => rank(b) - rank(a));
  if (cell === undefined) throw new Error("no cells");
  return { where: `${cell.trace}, ${cell.share * 100} %`, value: rank(cell) };
}

const cells = [...traces(requests, seed)].flatMap((trace) => SHARES.map((share) => measure(trace, share)));
const names = Object.keys(cells[0]?.hits ?? {});
const rows = cells.map((cell) => [
  `${cell.trace}${cell.isWeb ? "" : " (not web)"}`,
  `${cell.share * 100} %`,
  ...names.map((name) => (cell.hits[name] ?? 0).toFixed(1)),
]);
console.log(showTable([["requests answered, %", "cache", ...names], ...rows]));

const web = cells.filter(({ isWeb }) => isWeb);
const least = worst(web, (cell) => -overLru(cell));
const gap = worst(cells, underBest);
conclude(
  "cache-hit-ratio",
  [
    {
      claim: "app cache, default eviction: hit ratio at or above LRU on web-like traffic",
      figure: `${(-least.value).toFixed(1)} points above it at least (${least.where})`,
      met: least.value <= 0,
    },
    {
      claim: `app cache, default eviction: hit ratio within ${GAP_MAX} points of the best policy on all traffic`,
      figure: `${gap.value.toFixed(1)} points under it at most (${gap.where})`,
      met: gap.value <= GAP_MAX,
    },
  ],
  cells,
);
