/** Builders for the tests of this part: policies, results, and active checks in simulated time. */
import { type SimulatedTime, seededRandom, simulatedTime } from "../base/index.ts";
import { ActiveChecks, type CheckReport, type CheckTarget } from "./active.ts";
import { type EjectionPolicy, Ejector } from "./passive.ts";
import type { CheckPolicy, CheckResult, FailureReason } from "./target-state.ts";

/** Checks each second without jitter, rise 2, fall 3, unless told otherwise. */
export function checkPolicy(changes: Partial<CheckPolicy> = {}): CheckPolicy {
  return { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 3, jitter: 0, ...changes };
}

export const PASS: CheckResult = { kind: "pass" };

export function fail(reason: FailureReason = "connect-refused"): CheckResult {
  return { kind: "fail", reason };
}

/** An ejector over targets "a", "b", "c" … with the config's defaults, unless told otherwise. */
export function ejector(size: number, changes: Partial<EjectionPolicy> = {}): Ejector {
  const made = new Ejector({
    consecutive5xx: 5,
    consecutiveFailures: 3,
    baseMs: 30_000,
    maxMs: 300_000,
    shareMax: 0.5,
    ...changes,
  });
  made.setTargets(idsOf(size));
  return made;
}

/** "a", "b", "c" … */
export function idsOf(size: number): string[] {
  return Array.from({ length: size }, (_, index) => String.fromCharCode(97 + index));
}

/** Active checks whose probes the test answers, and a record of what happened. */
export interface Lab {
  readonly checks: ActiveChecks<CheckTarget>;
  readonly time: SimulatedTime;
  /** Start of each probe, in order. */
  readonly starts: { readonly key: string; readonly atMs: number }[];
  readonly reports: CheckReport<CheckTarget>[];
  underWay: number;
  mostUnderWay: number;
}

/** How a probe of a target ends: after how long, and with what; "never" hangs. */
export type Answer = { readonly afterMs: number; readonly result: CheckResult } | "never";

/** A lab in which `answer` decides how each probe ends. */
export function lab(answer: (key: string, probes: number) => Answer): Lab {
  const time = simulatedTime();
  const made: Lab = {
    checks: new ActiveChecks<CheckTarget>({
      clock: time.clock,
      scheduler: time.scheduler,
      random: seededRandom(3),
      probe: ({ key }) => probe(made, key, answer),
      onReport: (report) => made.reports.push(report),
    }),
    time,
    starts: [],
    reports: [],
    underWay: 0,
    mostUnderWay: 0,
  };
  return made;
}

function probe(
  under: Lab,
  key: string,
  answer: (key: string, probes: number) => Answer,
): Promise<CheckResult> {
  const { promise, resolve } = Promise.withResolvers<CheckResult>();
  under.starts.push({ key, atMs: under.time.clock.nowMs() });
  under.underWay++;
  under.mostUnderWay = Math.max(under.mostUnderWay, under.underWay);
  const ends = answer(key, under.starts.filter((start) => start.key === key).length);
  if (ends !== "never") {
    under.time.scheduler.after(ends.afterMs, () => {
      under.underWay--;
      resolve(ends.result);
    });
  }
  return promise;
}

/** Lets simulated time pass, in steps small enough for the promises in between to be kept on time. */
export async function elapse({ time }: Lab, ms: number): Promise<void> {
  const STEP_MS = 10;
  for (let elapsedMs = 0; elapsedMs < ms; elapsedMs += STEP_MS) {
    time.advance(STEP_MS);
    for (let turn = 0; turn < 6; turn++) await Promise.resolve();
  }
}

/** Targets of these keys under one policy. */
export function checkTargets(keys: readonly string[], changes: Partial<CheckPolicy> = {}): CheckTarget[] {
  return keys.map((key) => ({ key, policy: checkPolicy(changes) }));
}
