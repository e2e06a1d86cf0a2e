/**
 * Write-behind under kill -9: processes that write are killed at random points, one after the other, on one log; then it is
 * counted what of their acknowledged writes the source has. Beside it, what an acknowledgement costs.
 *
 *     bin/bun bench/cache-write-behind.ts [--kills 200] [--seed 1] [--writes 20000]
 */
import { join } from "node:path";
import { openWriteLog } from "../src/cache/io/index.ts";
import { killWriters } from "../src/cache/io/testing/kill-writers.ts";
import { options } from "./harness/arguments.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";

const { kills, seed, writes } = options({ kills: 200, seed: 1, writes: 20_000 });

/** Writes per second that become durable, with so many writers at once. */
async function writesPerSecond(folder: string, writers: number): Promise<number> {
  const log = await openWriteLog(join(folder, `speed-${writers}.log`));
  const startMs = performance.now();
  const count = writers === 1 ? Math.ceil(writes / 20) : writes;
  const one = async (first: number): Promise<void> => {
    for (let at = first; at < count; at += writers)
      await log.append({ text: `k${at}`, key: at, value: "x".repeat(100) });
  };
  await Promise.all(Array.from({ length: writers }, (_, first) => one(first)));
  const perSecond = (count / (performance.now() - startMs)) * 1000;
  await log.close();
  return perSecond;
}

await withFolder(async (folder) => {
  const report = await killWriters({ folder, kills, seed });
  const speed = { one: await writesPerSecond(folder, 1), hundred: await writesPerSecond(folder, 100) };
  console.log(report);
  console.log(
    `durable writes a second: ${speed.one.toFixed(0)} by one writer, ${speed.hundred.toFixed(0)} by a hundred at once`,
  );
  const { acknowledged, lost, misordered, applied, repeated } = report;
  conclude(
    "cache-write-behind",
    [
      {
        claim: `write-behind: kill -9 at ${kills} random points loses no acknowledged write`,
        figure: `${lost} lost of ${acknowledged}`,
        met: lost === 0 && acknowledged > kills,
      },
      {
        claim: "write-behind: order per key is kept, each write is applied once",
        figure: `${misordered} out of order; ${applied} applied, ${repeated} repeated under the same idempotency key`,
        met: misordered === 0 && applied > kills,
      },
    ],
    { ...report, speed },
  );
});
process.exit();
