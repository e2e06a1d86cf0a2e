/** How old an answer may be, as users say it and as the router is told (`sql/routing.ts` is the protocol). */
import { explainDuration, parseDurationMs } from "../base/index.ts";
import type { Consistency as RoutingConsistency } from "../sql/index.ts";

/** How old an answer may be. */
export const CONSISTENCIES = ["eventual", "bounded", "session", "global"] as const;

/** One of `CONSISTENCIES`. */
export type Consistency = (typeof CONSISTENCIES)[number];

/** The same for a router, with the bound of "bounded". */
export function routingConsistency(consistency: Consistency, maxLagMs: number): RoutingConsistency {
  return consistency === "bounded" ? { kind: consistency, ms: maxLagMs } : { kind: consistency };
}

/** Milliseconds of a duration as users write it: "200ms", or a number of milliseconds. Throws a TypeError that names it. */
export function durationMs(value: string | number, name: string): number {
  const ms = typeof value === "number" ? value : parseDurationMs(value);
  if (ms === undefined || !(ms >= 0)) throw new TypeError(`${name}: ${explainDuration(String(value))}`);
  return ms;
}

/** What may be said of how statements are answered, of one or of all within a `run`. What is left out is as outside. */
export interface Hints {
  /** How old the answer may be. */
  readonly consistency?: Consistency | undefined;
  /** Of "bounded": "200ms", or milliseconds. */
  readonly maxLag?: string | number | undefined;
  /** Where it goes, whatever it is. */
  readonly target?: "primary" | "replica" | undefined;
}

/** The hints by themselves. @throws TypeError that says what makes no sense. */
export function checkedHints({ consistency, maxLag, target }: Hints): {
  readonly consistency?: Consistency;
  readonly maxLagMs?: number;
  readonly target?: "primary" | "replica";
} {
  if (consistency !== undefined && !CONSISTENCIES.includes(consistency))
    throw new TypeError(`consistency: write one of ${CONSISTENCIES.join(", ")}`);
  if (target !== undefined && target !== "primary" && target !== "replica")
    throw new TypeError("target: write primary or replica");
  return {
    ...(consistency === undefined ? {} : { consistency }),
    ...(maxLag === undefined ? {} : { maxLagMs: durationMs(maxLag, "maxLag") }),
    ...(target === undefined ? {} : { target }),
  };
}
