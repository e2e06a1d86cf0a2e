/** The autoscalers' sums over all traces, as bench/autoscale-traces.ts has kept them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One autoscaler's sums. */
export interface Rival {
  readonly name: string;
  readonly taskSeconds: number;
  readonly changes: number;
}

interface Kept {
  readonly autoscaler: string;
  readonly taskSeconds: number;
  readonly changes: number;
}

/** Reads them from bench/results. */
export function committedRivals(): readonly Rival[] {
  const path = join(import.meta.dir, "../results/autoscale-traces.json");
  const kept = JSON.parse(readFileSync(path, "utf8")) as {
    readonly figures: { readonly reported: readonly Kept[] };
  };
  const sums = new Map<string, Rival>();
  for (const { autoscaler: name, taskSeconds, changes } of kept.figures.reported) {
    const before = sums.get(name) ?? { name, taskSeconds: 0, changes: 0 };
    sums.set(name, {
      name,
      taskSeconds: before.taskSeconds + taskSeconds,
      changes: before.changes + changes,
    });
  }
  return [...sums.values()];
}
