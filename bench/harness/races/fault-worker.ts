/** One app process of cache-faults.ts: reads through its cache at a steady rate, and counts by phase. */
import { seededRandom } from "../../../src/base/index.ts";
import { createCache } from "../../../src/cache/io/index.ts";
import { Board } from "./board.ts";
import { DEADLINE_MS, type FaultPart, NAME, nameOf, PHASE, type PhaseTally, valueOf } from "./fault-parts.ts";

const part = JSON.parse(process.argv[2] ?? "{}") as FaultPart;
const { nodes, gutter, keys, loadMs, phases } = part;
const board = new Board(part.board, 1, 1);
const random = seededRandom(part.seed);
// A memory of few entries, so that most reads go to the servers.
const settings = { name: NAME, max: Math.ceil(keys / 20), ttl: "1h", beta: 0, deadline: DEADLINE_MS };
const cache = createCache({ ...settings, store: { nodes, gutter } });
const tallies = Array.from({ length: phases }, (): PhaseTally => {
  return { reads: 0, loads: 0, wrong: 0, failed: 0, slowestMs: 0, late: 0 };
});

async function read(tally: PhaseTally): Promise<void> {
  const key = Math.floor(random() * keys);
  const beganMs = performance.now();
  const value = await cache
    .getOrSet(nameOf(key), async () => {
      tally.loads++;
      await new Promise((resolve) => setTimeout(resolve, loadMs));
      return valueOf(key);
    })
    .catch(() => undefined);
  const tookMs = performance.now() - beganMs;
  tally.reads++;
  if (value === undefined) tally.failed++;
  else if (value !== valueOf(key)) tally.wrong++;
  if (tookMs > DEADLINE_MS + loadMs) tally.late++;
  tally.slowestMs = Math.max(tally.slowestMs, tookMs);
}

const beganMs = performance.now();
const open = new Set<Promise<void>>();
for (let begun = 0; board.truth(PHASE) < phases; ) {
  const tally = tallies[board.truth(PHASE)];
  const due = ((performance.now() - beganMs) / 1000) * part.ratePerSecond;
  if (tally === undefined) break;
  for (; begun < due; begun++) {
    const reading = read(tally).finally(() => open.delete(reading));
    open.add(reading);
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
await Promise.all(open);
console.log(JSON.stringify(tallies));
process.exit();
