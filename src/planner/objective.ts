/** Objectives as people write them: "p99 < 200ms", "mean < 50ms", "wait < 10%". */
import { parseDurationMs } from "../base/index.ts";
import type { QuantityPlace } from "./quantity.ts";
import { parseShare } from "./quantity.ts";
import type { ServiceObjective } from "./queueing/index.ts";

const OBJECTIVE = /^(p(\d{1,2}(?:\.\d+)?)|mean|wait)\s*(?:<=?|≤)\s*(.+)$/i;

/** The objective, or undefined after a problem was recorded. */
export function readObjective(place: QuantityPlace, text: string): ServiceObjective | undefined {
  const [, kind = "", percent = "", bound = ""] = OBJECTIVE.exec(text.trim()) ?? [];
  const objective = objectiveOf(kind.toLowerCase(), Number(percent) / 100, bound);
  if (objective !== undefined) return objective;
  place.problems.push({
    path: place.path,
    what: `is "${text.trim()}"`,
    mend: 'write an objective, such as "p99 < 200ms", "mean < 50ms" or "wait < 10%"',
  });
  return undefined;
}

function objectiveOf(kind: string, q: number, bound: string): ServiceObjective | undefined {
  const ms = parseDurationMs(bound.trim());
  if (kind === "wait") {
    const share = parseShare(bound);
    return share === undefined ? undefined : { kind: "wait-share", share };
  }
  if (ms === undefined || ms <= 0) return undefined;
  if (kind === "mean") return { kind: "mean", ms };
  return kind.startsWith("p") && q > 0 && q < 1 ? { kind: "quantile", q, ms } : undefined;
}
