import { describe, expect, test } from "bun:test";
import { gateOf, isConfirmed, stateOf, viewOf } from "./gate.ts";
import { firstRecord } from "./record.ts";
import { DEFAULT_FAILOVER, PATIENT_FAILOVER, settingsProblem } from "./settings.ts";
import { isOver, observe, type Stored, trustedUntilMs, type Watch, written } from "./watch.ts";

const SETTINGS = DEFAULT_FAILOVER;
const RECORD = firstRecord("s1", 1, 0n, null);
const at = (revision: number): Stored => ({ record: RECORD, revision });

/** Sees revision 1 twice, then 2: it was written between 1200 and 1350. */
function seen(): Watch {
  const first = observe(undefined, at(1), 1000, 1010);
  const second = observe(first, at(1), 1200, 1210);
  return observe(second, at(2), 1300, 1350);
}

describe("a watch", () => {
  test("knows bounds of when the record moved", () => {
    expect(seen()).toMatchObject({ revision: 2, notBeforeMs: 1200, seenMs: 1350, sentMs: 1300 });
  });

  test("does not go back when an older answer comes late", () => {
    const watch = seen();
    expect(observe(watch, at(1), 1340, 1400)).toBe(watch);
  });

  test("trusts nobody by its first look alone: it cannot tell how old the record is", () => {
    expect(trustedUntilMs(observe(undefined, at(1), 1000, 1010), SETTINGS)).toBe(-Infinity);
  });

  test("calls the lease over when a look of a whole ttl later shows the same", () => {
    const { ttlMs } = SETTINGS;
    const late = observe(seen(), at(2), 1350 + ttlMs - 1, 1350 + ttlMs + 20);
    expect(isOver(late, SETTINGS)).toBe(false);
    expect(isOver(observe(late, at(2), 1350 + ttlMs, 1350 + ttlMs + 20), SETTINGS)).toBe(true);
  });

  test("of one's own write counts from before it was sent", () => {
    const own = written(at(3), 2000, 2900);
    expect(trustedUntilMs(own, SETTINGS)).toBe(2000 + SETTINGS.ttlMs - SETTINGS.marginMs);
  });

  test("ends trust before anybody may take the lease, however its looks fell", () => {
    for (let notBefore = 0; notBefore < 300; notBefore += 50)
      for (let delay = 0; delay < 300; delay += 50) {
        const own = written(at(2), notBefore, notBefore + delay);
        const other = observe(
          observe(undefined, at(1), 0, 10),
          at(2),
          notBefore + delay,
          notBefore + 2 * delay,
        );
        expect(trustedUntilMs(own, SETTINGS)).toBeLessThan(other.seenMs + SETTINGS.ttlMs);
      }
  });
});

describe("the gate of a router", () => {
  test("is open for the primary until its lease may be over", () => {
    const untilMs = 1200 + SETTINGS.ttlMs - SETTINGS.marginMs;
    expect(gateOf(seen(), SETTINGS, 1400)).toEqual({ kind: "open", server: "s1", term: 1, untilMs });
    expect(gateOf(seen(), SETTINGS, untilMs)).toEqual({ kind: "hold", reason: "view-stale" });
  });

  test("is shut in each phase in which nobody takes writes", () => {
    const inPhase = (phase: typeof RECORD.phase): Watch => ({ ...seen(), record: { ...RECORD, phase } });
    expect(gateOf(inPhase("promoting"), SETTINGS, 1400)).toEqual({ kind: "hold", reason: "failing-over" });
    expect(gateOf(inPhase("recovering"), SETTINGS, 1400)).toEqual({ kind: "hold", reason: "failing-over" });
    expect(gateOf(inPhase("switching-over"), SETTINGS, 1400)).toEqual({
      kind: "hold",
      reason: "switching-over",
    });
    expect(gateOf(inPhase("released"), SETTINGS, 1400)).toEqual({ kind: "hold", reason: "failing-over" });
    expect(gateOf(undefined, SETTINGS, 1400)).toEqual({ kind: "hold", reason: "no-primary" });
  });

  test("says so when the lease is over", () => {
    const over = observe(seen(), at(2), 99_000, 99_001);
    expect(stateOf(over, SETTINGS)).toBe("no-primary");
  });

  test("takes a new connection after a broken one only with a look that came later", () => {
    expect(isConfirmed(seen(), 1299)).toBe(true);
    expect(isConfirmed(seen(), 1301)).toBe(false);
    expect(isConfirmed(undefined, 0)).toBe(false);
  });
});

describe("the view for routers", () => {
  const members = ["s1", "s2", "w1"].map((name) => ({
    name,
    host: "127.0.0.1",
    port: 5432,
    kind: name === "w1" ? ("witness" as const) : ("data" as const),
    priority: 1,
    data: undefined,
  }));
  const timelines = new Map([
    ["s1", 1],
    ["s2", 7],
  ]);
  const cluster = { name: "main", members, timelines, settings: SETTINGS };

  test("names the primary and rules out a replica of another history", () => {
    const view = viewOf(undefined, seen(), cluster);
    expect(view).toMatchObject({ revision: 1, term: 1, state: "steady", primary: "s1", mode: "async" });
    expect(view.servers.map(({ name, role, eligible, reason }) => [name, role, eligible, reason])).toEqual([
      ["s1", "primary", true, undefined],
      ["s2", "replica", false, "stale-timeline"],
    ]);
  });

  test("grows by one with each change and stays the same without", () => {
    const first = viewOf(undefined, seen(), cluster);
    expect(viewOf(first, seen(), cluster)).toBe(first);
    const promoting: Watch = { ...seen(), record: { ...RECORD, phase: "promoting", term: 2 } };
    expect(viewOf(first, promoting, cluster)).toMatchObject({
      revision: 2,
      state: "failing-over",
      primary: undefined,
    });
  });
});

describe("settings of failover", () => {
  test("are sound as they come", () => {
    expect(settingsProblem(DEFAULT_FAILOVER)).toBeUndefined();
    expect(settingsProblem(PATIENT_FAILOVER)).toBeUndefined();
  });

  test("are refused when a slow clock, one lost renewal or a slow look would cost the lease", () => {
    expect(settingsProblem({ ...DEFAULT_FAILOVER, marginMs: 500 })).toContain("margin");
    expect(settingsProblem({ ...DEFAULT_FAILOVER, renewMs: 2_000 })).toContain("two renewals");
    expect(settingsProblem({ ...DEFAULT_FAILOVER, pollMs: 1_500 })).toContain("too seldom");
  });
});
