/** One gateway worker and nothing else: the process that serves, without the controller that would publish to it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSnapshot, formatProblem, parseConfig } from "../../src/config/index.ts";
import { openStore } from "../../src/edge/io/index.ts";
import { columnsFor, openScoreboard } from "../../src/gateway/io/index.ts";

const WORKER = join(import.meta.dirname, "../../src/app/gateway-worker.ts");

/** Writes the snapshot of a user's config into the state folder; gives the command line of a worker that serves it. */
export function gatewayWorker(folder: string, config: unknown): string[] {
  return gatewayWorkers(folder, config, 1)[0] ?? [];
}

/** The same for several workers that share the state folder. */
export function gatewayWorkers(folder: string, config: unknown, count: number): string[][] {
  const parsed = parseConfig(config, { folder, cores: 1 });
  if (parsed.kind === "problems") throw new Error(parsed.problems.map(formatProblem).join("\n"));
  const built = buildSnapshot({ config: parsed.config, tasks: [], revision: 1 });
  if (built.kind === "refused") throw new Error(built.message);
  for (const name of ["gateway", "logs"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "gateway", "snapshot.json"), JSON.stringify(built.snapshot));
  openScoreboard(join(folder, "gateway", "scoreboard"), columnsFor(count));
  const { listeners, gateway } = built.snapshot;
  if (listeners.some(({ rules }) => rules.some(({ cache }) => cache !== undefined))) {
    openStore({
      path: join(folder, "gateway", "cache"),
      bytes: gateway.cache.memoryBytes,
      workers: columnsFor(count) + 1,
    });
  }
  return Array.from({ length: count }, (_, index) => [
    process.execPath,
    WORKER,
    "--state",
    folder,
    "--index",
    String(index),
  ]);
}
