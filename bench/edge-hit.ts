/**
 * What a hit costs: CPU of our cache beside nginx's proxy_cache and Varnish, at 1 KiB and 100 KiB. How it is measured:
 * harness/cache-race.ts. What a miss costs is the subject of edge-miss.ts.
 *
 *     bin/bun bench/edge-hit.ts [--rounds 8] [--seconds 1] [--connections 64,256] [--caches nginx,varnish,tenfold]
 */
import { options } from "./harness/arguments.ts";
import { cpuVerdict, race, showTurns, startCaches, type Turns, warmUp } from "./harness/cache-race.ts";
import type { CacheName } from "./harness/caches.ts";
import type { Verdict } from "./harness/figures.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";

/** Path of the origin -> what it stands for. */
const OBJECTS = { "/1k": "1 KiB", "/100k": "100 KiB" } as const;

const { rounds, seconds, connections, caches } = options({
  rounds: 8,
  seconds: 1,
  connections: "64,256",
  caches: "nginx,varnish,tenfold",
});

await withFolder(async (folder) => {
  const started = await startCaches(folder, caches.split(",") as CacheName[]);
  const verdicts: Verdict[] = [];
  const figures: Record<string, unknown> = {};
  for (const [path, size] of Object.entries(OBJECTS)) {
    await warmUp(started, path);
    for (const count of connections.split(",").map(Number)) {
      const settings = { path, connections: count, rounds, seconds };
      const turns = await race(started, settings);
      showTurns(`hits of ${size}, ${count} connections`, turns, settings);
      verdicts.push(...hitVerdicts(turns, `${size}, ${count} connections`));
      figures[`${size} ${count}`] = Object.fromEntries(turns);
    }
  }
  console.log("");
  conclude("edge-hit", verdicts, figures);
});

function hitVerdicts(turns: Turns, where: string): Verdict[] {
  return [...turns.keys()]
    .filter((name) => name !== "tenfold")
    .map((peer) => cpuVerdict(`a hit, ${where}: CPU at most 1.0x`, turns, peer, 1));
}
