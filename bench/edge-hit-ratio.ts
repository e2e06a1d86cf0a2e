/**
 * Which share of requests the edge cache answers, beside other eviction policies, on made traffic.
 *
 *   bin/bun bench/edge-hit-ratio.ts [--requests 300000] [--seed 1]
 *
 * Ours is the store itself, with all that its rings and its index cost; the others are the policies of the papers
 * and get as many bytes as the store's data area has. Caches hold 1 % and 10 % of the bytes that are asked for; the
 * first fifth of the requests only warms them. Ours refuses very large objects and prefers small ones: it answers more
 * requests for it, and in a small cache fewer bytes, as the second table shows. Promised for traffic like the web's; loops are shown for interest.
 */
import { formatStore, Store, sizesFor } from "../src/edge/store/index.ts";
import { options } from "./harness/arguments.ts";
import { POLICIES, type Policy } from "./harness/cache-policies.ts";
import { footprintBytes, type Trace, traces } from "./harness/cache-traces.ts";
import { showTable } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const SHARES = [0.01, 0.1];
/** Points that ours may be under the best of all. */
const GAP_MAX = 1.5;
/** Largest object, of the data area: caches of some megabytes, as here, hold larger shares than real ones. */
const OBJECT_SHARE = 0.05;
const OURS = "tenfold";

const { requests, seed } = options({ requests: 300_000, seed: 1 });

/** The store as a policy: objects have no body bytes written, since nobody looks at them. */
class StorePolicy implements Policy {
  readonly #store: Store;
  readonly #key: Uint8Array = new Uint8Array(20);
  readonly #number: DataView = new DataView(this.#key.buffer);

  constructor(bytes: number) {
    const block = new Uint8Array(bytes);
    formatStore(block, sizesFor({ bytes, workers: 1, objectShare: OBJECT_SHARE }), seed);
    this.#store = new Store(block, { worker: 0, pid: process.pid, isAlive: () => true });
  }

  get capacityBytes(): number {
    return this.#store.stats().capacityBytes;
  }

  request(key: number, size: number): boolean {
    this.#number.setUint32(0, key, true);
    const hashHi = this.#store.hashHigh(this.#key, 0, this.#key.length);
    const hashLo = this.#store.hashLow(this.#key, 0, this.#key.length);
    const entry = this.#store.find(hashHi, hashLo, this.#key, 0, this.#key.length);
    entry?.touch();
    this.#store.release();
    if (entry !== undefined) return true;
    const room = this.#store.reserve({
      hashHi,
      hashLo,
      urlHash: hashLo,
      key: this.#key,
      urlStart: 0,
      pathEnd: this.#key.length,
      vary: NOTHING,
      tags: NOTHING,
      headBytes: 0,
      bodyBytes: size,
      startSequence: this.#store.purgeSequence,
      nowS: 1,
      usableUntilS: 0,
    });
    if (typeof room !== "string") room.commit();
    return false;
  }
}

const NOTHING = new Uint8Array(0);

/** Percent of the requests, and of their bytes, that a cache answers once it is warm. */
function replay(policy: Policy, { requests: asked, sizes }: Trace): { objects: number; bytes: number } {
  const warm = Math.floor(asked.length / 5);
  let hits = 0;
  let hitBytes = 0;
  let allBytes = 0;
  for (let index = 0; index < asked.length; index++) {
    const object = asked[index] ?? 0;
    const size = sizes[object] ?? 0;
    const isHit = policy.request(object, size);
    if (index < warm) continue;
    allBytes += size;
    if (!isHit) continue;
    hits++;
    hitBytes += size;
  }
  return { objects: (hits / (asked.length - warm)) * 100, bytes: (hitBytes / allBytes) * 100 };
}

/** One trace with caches of one size: each policy's hit ratios. */
interface Cell {
  readonly trace: string;
  readonly isWeb: boolean;
  readonly share: number;
  readonly hits: Readonly<Record<string, number>>;
  readonly byteHits: Readonly<Record<string, number>>;
}

function measure(trace: Trace, share: number): Cell {
  const ours = new StorePolicy(Math.floor(footprintBytes(trace) * share));
  const hits: Record<string, number> = {};
  const byteHits: Record<string, number> = {};
  const policies = Object.entries(POLICIES).map(([name, make]) => [name, make(ours.capacityBytes)] as const);
  for (const [name, policy] of [[OURS, ours] as const, ...policies]) {
    const { objects, bytes } = replay(policy, trace);
    hits[name] = round(objects);
    byteHits[name] = round(bytes);
  }
  return { trace: trace.name, isWeb: trace.isWeb, share, hits, byteHits };
}

const round = (percent: number): number => Math.round(percent * 100) / 100;

const overLru = ({ hits }: Cell): number => (hits[OURS] ?? 0) - (hits["LRU"] ?? 0);
const underBest = ({ hits }: Cell): number => Math.max(...Object.values(hits)) - (hits[OURS] ?? 0);

/** The cell for which `rank` is greatest. */
function worst(cells: readonly Cell[], rank: (cell: Cell) => number): { cell: string; value: number } {
  const [cell] = cells.toSorted((a, b) => rank(b) - rank(a));
  if (cell === undefined) throw new Error("no cells");
  return { cell: `${cell.trace}, ${cell.share * 100} %`, value: rank(cell) };
}

const cells = [...traces(requests, seed)].flatMap((trace) => SHARES.map((share) => measure(trace, share)));
const names = [OURS, ...Object.keys(POLICIES)];
for (const [title, ratios] of [
  ["requests answered, %", (cell: Cell) => cell.hits],
  ["bytes answered, %", (cell: Cell) => cell.byteHits],
] as const) {
  const rows = cells.map((cell) => [
    `${cell.trace}${cell.isWeb ? "" : " (not web)"}`,
    `${cell.share * 100} %`,
    ...names.map((name) => (ratios(cell)[name] ?? 0).toFixed(1)),
  ]);
  console.log(`\n${showTable([[title, "cache", ...names], ...rows])}`);
}

const web = cells.filter(({ isWeb }) => isWeb);
const least = worst(web, (cell) => -overLru(cell));
const gap = worst(web, underBest);
conclude(
  "edge-hit-ratio",
  [
    {
      claim: "hit ratio at or above LRU on web-like traffic",
      figure: `${(-least.value).toFixed(1)} points above it at least (${least.cell})`,
      met: least.value <= 0,
    },
    {
      claim: `hit ratio within ${GAP_MAX} points of the best policy on web-like traffic`,
      figure: `${gap.value.toFixed(1)} points under it at most (${gap.cell})`,
      met: gap.value <= GAP_MAX,
    },
  ],
  cells,
);
