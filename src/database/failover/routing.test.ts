import { describe, expect, test } from "bun:test";
import type { ClusterView } from "../view.ts";
import { type ClusterRecord, firstRecord, withTerm } from "./record.ts";
import { passesOn, standsFor, viewByRecord } from "./routing.ts";
import { DEFAULT_FAILOVER } from "./settings.ts";
import type { Watch } from "./watch.ts";

const { ttlMs, marginMs } = DEFAULT_FAILOVER;
const server = (name: string, role: "primary" | "replica") => ({
  name,
  host: name,
  port: 5432,
  role,
  timeline: 1,
  eligible: true,
});
const KNOWN: ClusterView = {
  revision: 1,
  name: "main",
  term: 0,
  state: "steady",
  primary: "a",
  servers: [server("a", "primary"), server("b", "replica")],
  mode: "async",
};
const FIRST = firstRecord("a", 1, 0n, null);
const SECOND: ClusterRecord = {
  ...FIRST,
  term: 2,
  server: "b",
  terms: withTerm(FIRST.terms, { term: 2, server: "b", timeline: 2, fork: 0n }),
};
/** Seen at 1000 ms, and looked at last at `sentMs`. */
const watch = (record: ClusterRecord, sentMs = 1_000): Watch => ({
  record,
  revision: 1,
  notBeforeMs: 1_000,
  seenMs: 1_000,
  sentMs,
});

describe("the view by the record", () => {
  test("has the record's holder as primary, on the timeline of its term", () => {
    const view = viewByRecord(KNOWN, watch(SECOND), DEFAULT_FAILOVER);
    expect(view).toMatchObject({ term: 2, state: "steady", primary: "b" });
    expect(view.servers.map(({ role, timeline }) => [role, timeline])).toEqual([
      ["replica", 1],
      ["primary", 2],
    ]);
  });

  test("has no primary while there is none, or one that nobody knows", () => {
    expect(viewByRecord(KNOWN, undefined, DEFAULT_FAILOVER)).toMatchObject({ state: "no-primary", term: 0 });
    const recovering = viewByRecord(KNOWN, watch({ ...FIRST, phase: "recovering" }), DEFAULT_FAILOVER);
    expect(recovering.primary).toBeUndefined();
    const stranger = viewByRecord(KNOWN, watch({ ...FIRST, server: "z" }), DEFAULT_FAILOVER);
    expect(stranger.primary).toBeUndefined();
  });
});

describe("a connection of a term", () => {
  test("passes answers on while the lease is trusted, in a switchover too", () => {
    const untilMs = 1_000 + ttlMs - marginMs;
    expect(passesOn(watch(FIRST), DEFAULT_FAILOVER, 1, untilMs - 1)).toBe(true);
    expect(passesOn(watch(FIRST), DEFAULT_FAILOVER, 1, untilMs)).toBe(false);
    expect(passesOn(watch({ ...FIRST, phase: "switching-over" }), DEFAULT_FAILOVER, 1, 1_000)).toBe(true);
  });

  test("passes nothing on of another term, or while its primary recovers", () => {
    expect(passesOn(watch(SECOND), DEFAULT_FAILOVER, 1, 1_000)).toBe(false);
    expect(passesOn(watch({ ...FIRST, phase: "recovering" }), DEFAULT_FAILOVER, 1, 1_000)).toBe(false);
    expect(passesOn(undefined, DEFAULT_FAILOVER, 1, 1_000)).toBe(false);
  });

  test("is kept until the lease is over or somebody else's: trust may come back", () => {
    expect(standsFor(watch(FIRST, 1_000 + ttlMs - 1), DEFAULT_FAILOVER, 1)).toBe(true);
    expect(standsFor(watch(FIRST, 1_000 + ttlMs), DEFAULT_FAILOVER, 1)).toBe(false);
    expect(standsFor(watch(SECOND), DEFAULT_FAILOVER, 1)).toBe(false);
  });
});
