import { describe, expect, test } from "bun:test";
import type { ServerFacts } from "./facts.ts";
import { NO_QUORUM } from "./quorum.ts";
import { firstRecord } from "./record.ts";
import { standingOfId, startedAgain, startedByPromotion, startOf } from "./starts.ts";

const RECORD = firstRecord("a", 1, 0n, null);
const FACTS: ServerFacts = {
  running: true,
  role: "primary",
  timeline: 2,
  lsn: 900n,
  fork: 500n,
  upstream: undefined,
  streaming: false,
  stuck: false,
  heard: 0n,
  quorum: NO_QUORUM,
  replicas: [],
};
const life = (process: string, after: string | undefined, firstId: string | null = "70"): ServerFacts => ({
  ...FACTS,
  life: { process, after, firstId },
});

describe("a start of a primary", () => {
  test("by promotion has the bound that was read where its timeline begins", () => {
    const facts = { ...life("b/1", undefined), replayed: { lsn: 500n, firstId: "42" } };
    expect(startedByPromotion(RECORD, facts).starts).toEqual([{ number: 1, process: "b/1", firstId: "42" }]);
  });

  test("by promotion has none when more was replayed after the bound was read", () => {
    const facts = { ...life("b/1", undefined), replayed: { lsn: 499n, firstId: "42" } };
    expect(startedByPromotion(RECORD, facts).starts?.[0]?.firstId).toBeNull();
  });

  test("after a crash has the one of its control file", () => {
    const first = { ...RECORD, ...startedAgain(RECORD, life("a/2", "a/1")) };
    expect(first.starts).toEqual([{ number: 1, process: "a/2", firstId: "70" }]);
    const second = { ...first, ...startedAgain(first, life("a/3", "a/2", "90")) };
    expect(second.starts?.at(-1)).toEqual({ number: 2, process: "a/3", firstId: "90" });
  });

  test("has none when another process may have run in between, or nobody knows", () => {
    const first = { ...RECORD, ...startedAgain(RECORD, life("a/2", "a/1")) };
    for (const facts of [life("a/4", "a/3"), life("a/4", undefined), FACTS])
      expect(startedAgain(first, facts).starts?.at(-1)).toMatchObject({ number: 2, firstId: null });
  });

  test("is none while the same process runs", () => {
    const first = { ...RECORD, ...startedAgain(RECORD, life("a/2", "a/1")) };
    expect(startedAgain(first, life("a/2", undefined))).toEqual({});
  });

  test("is numbered on when old ones are forgotten", () => {
    let record = RECORD;
    for (let at = 1; at <= 30; at++)
      record = { ...record, ...startedAgain(record, life(`a/${at + 1}`, `a/${at}`)) };
    expect(startOf(record)).toBe(30);
    expect(record.starts).toHaveLength(20);
    expect(standingOfId(record, 5, 1n)).toBe("unknown");
  });
});

describe("an id", () => {
  const starts = [
    { number: 1, process: "a", firstId: "100" },
    { number: 2, process: "b", firstId: "200" },
    { number: 3, process: "c", firstId: null },
  ];
  const at = (count: number) => ({ starts: starts.slice(0, count) });

  test("of the primary that still runs is asked for", () => {
    expect(standingOfId(at(0), 0, 5n)).toBe("ask");
    expect(standingOfId(at(2), 2, 1000n)).toBe("ask");
  });

  test("below the bound of the next start is in its history, one from there on was not committed", () => {
    expect(standingOfId(at(1), 0, 99n)).toBe("ask");
    expect(standingOfId(at(1), 0, 100n)).toBe("unseen");
  });

  test("is measured by the first start after its own, however many followed", () => {
    expect(standingOfId(at(3), 0, 150n)).toBe("unseen");
    expect(standingOfId(at(3), 1, 150n)).toBe("ask");
  });

  test("before a start without a bound may be somebody else's", () => {
    expect(standingOfId(at(3), 2, 250n)).toBe("unknown");
  });

  test("of a start that a stale record does not have yet is not known", () => {
    expect(standingOfId(at(1), 2, 5n)).toBe("unknown");
  });
});
