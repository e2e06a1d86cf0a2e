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
