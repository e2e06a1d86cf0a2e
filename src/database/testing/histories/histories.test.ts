import { describe, expect, test } from "bun:test";
import {
  type Anomaly,
  checkBank,
  checkLinearizableAppends,
  checkListAppend,
  checkMonotonicReads,
  checkReadYourWrites,
  checkRegisters,
  checkSet,
  type HistoryEntry,
  type Operation,
} from "./index.ts";

const append = (key: string, value: number): Operation => ({ kind: "append", key, value });
const read = (key: string, ...values: number[]): Operation => ({ kind: "read", key, values });
const write = (value: number): Operation => ({ kind: "write", key: "x", value });
const get = (value: number | undefined): Operation => ({ kind: "get", key: "x", value });

/** One transaction after the other, each by a process of its own. */
function inTurn(...transactions: readonly (readonly Operation[])[]): HistoryEntry[] {
  return transactions.map((operations, index) => ({
    process: index,
    invokedMs: index * 10,
    completedMs: index * 10 + 5,
    kind: "ok",
    operations,
  }));
}

/** All at once. */
function together(...transactions: readonly (readonly Operation[])[]): HistoryEntry[] {
  return inTurn(...transactions).map((entry) => ({ ...entry, invokedMs: 0, completedMs: 100 }));
}

const names = (found: readonly Anomaly[]): string[] => found.map(({ anomaly }) => anomaly);

/** The transaction of `index` ended otherwise. */
function ended(history: readonly HistoryEntry[], index: number, kind: HistoryEntry["kind"]): HistoryEntry[] {
  return history.map((entry, at) => (at === index ? { ...entry, kind } : entry));
}

describe("list-append", () => {
  test("a serial history is sound", () => {
    const history = inTurn([append("x", 1)], [read("x", 1), append("x", 2)], [read("x", 1, 2), read("y")]);
    expect(checkListAppend(history)).toEqual([]);
  });

  test("an unknown write may be there or not", () => {
    const there = ended(inTurn([append("x", 1)], [read("x", 1)]), 0, "unknown");
    const notThere = ended(inTurn([append("x", 1)], [read("x")]), 0, "unknown");
    expect([...checkListAppend(there), ...checkListAppend(notThere)]).toEqual([]);
  });

  test("G0: two transactions write each before the other", () => {
    const history = together(
      [append("x", 1), append("y", 1)],
      [append("x", 2), append("y", 2)],
      [read("x", 1, 2)],
      [read("y", 2, 1)],
    );
    expect(names(checkListAppend(history))).toEqual(["G0"]);
  });

  test("G1a: a failed write is read", () => {
    expect(names(checkListAppend(ended(together([append("x", 1)], [read("x", 1)]), 0, "failed")))).toEqual([
      "G1a",
    ]);
  });

  test("G1b: a write is read that its own transaction wrote over", () => {
    const history = together([append("x", 1), append("x", 2)], [read("x", 1)], [read("x", 1, 2)]);
    expect(names(checkListAppend(history))).toContain("G1b");
  });

  test("G1c: two transactions read what the other wrote", () => {
    const history = together([append("x", 1), read("y", 1)], [append("y", 1), read("x", 1)]);
    expect(names(checkListAppend(history))).toEqual(["G1c"]);
  });

  test("G-single: one of two keys is read before a transaction that the other shows (read skew)", () => {
    const history = together([append("x", 1), append("y", 1)], [read("x", 1), read("y")], [read("y", 1)]);
    expect(names(checkListAppend(history))).toEqual(["G-single"]);
  });

  test("G2-item: each reads what the other is about to write (write skew)", () => {
    const history = together(
      [read("x"), append("y", 1)],
      [read("y"), append("x", 1)],
      [read("x", 1), read("y", 1)],
    );
    expect(names(checkListAppend(history))).toEqual(["G2-item"]);
  });

  test("a cycle is found in a long history", () => {
    const serial = Array.from({ length: 500 }, (_, index) => [append("z", index)]);
    const all = read("z", ...serial.keys());
    const history = inTurn(...serial, [all], [append("x", 1), read("y", 1)], [append("y", 1), read("x", 1)]);
    expect(names(checkListAppend(history))).toEqual(["G1c"]);
    expect(checkListAppend(history.slice(0, -1)).length).toBe(1); // y 1 is nobody's then
  });

  test("orders that differ, values that nobody wrote or that stand twice, and lost writes are named", () => {
    const two = [[append("x", 1)], [append("x", 2)]] as const;
    expect(names(checkListAppend(together(...two, [read("x", 1, 2)], [read("x", 2)])))).toContain(
      "incompatible-order",
    );
    expect(names(checkListAppend(inTurn([read("x", 9)])))).toContain("unwritten");
    expect(names(checkListAppend(inTurn([append("x", 1)], [read("x", 1, 1)])))).toContain("duplicate");
    expect(names(checkListAppend(inTurn(...two, [read("x", 2)])))).toEqual(["lost-write"]);
  });
});

describe("linearizable lists", () => {
  test("what overlaps may go either way, also with a write of unknown end", () => {
    expect(checkLinearizableAppends(together([append("x", 1)], [read("x")], [read("x", 1)]))).toEqual([]);
    const late = ended(inTurn([append("x", 1)], [read("x")], [read("x", 1)]), 0, "unknown");
    expect(checkLinearizableAppends(late)).toEqual([]);
  });

  test("a read that misses what was acknowledged or read before is stale", () => {
    expect(names(checkLinearizableAppends(inTurn([append("x", 1)], [read("x")])))).toEqual(["stale-read"]);
    const unknown = ended(inTurn([append("x", 1)], [read("x", 1)], [read("x")]), 0, "unknown");
    expect(names(checkLinearizableAppends(unknown))).toEqual(["stale-read"]);
  });

  test("appends whose order is not that of time are found", () => {
    const history = inTurn([append("x", 1)], [append("x", 2)], [read("x", 2, 1)]);
    expect(checkLinearizableAppends(history).length).toBeGreaterThan(0);
  });
});

describe("registers", () => {
  test("reads see the last write, or one that is under way", () => {
    expect(checkRegisters(inTurn([get(undefined)], [write(1)], [get(1)], [write(2)], [get(2)]))).toEqual([]);
    expect(checkRegisters(together([write(1)], [write(2)], [get(2)], [get(1)]))).toEqual([]);
  });

  test("a stale read, a read from the future and a value that comes back are found", () => {
    expect(names(checkRegisters(inTurn([write(1)], [write(2)], [get(1)])))).toEqual(["not-linearizable"]);
    expect(names(checkRegisters(inTurn([get(1)], [write(1)])))).toEqual(["not-linearizable"]);
    const flicker = [...together([write(1)], [write(2)]), ...inTurn([get(1)], [get(2)], [get(1)]).map(later)];
    expect(names(checkRegisters(flicker))).toEqual(["not-linearizable"]);
  });

  test("a write of unknown end may take effect late, and once", () => {
    const late = ended(inTurn([write(1)], [write(2)], [get(2)], [get(1)]), 0, "unknown");
    expect(checkRegisters(late)).toEqual([]);
    const twice = [...late, ...inTurn([write(3)], [get(1)]).map(later)];
    expect(names(checkRegisters(twice))).toEqual(["not-linearizable"]);
  });

  function later(entry: HistoryEntry): HistoryEntry {
    return { ...entry, invokedMs: entry.invokedMs + 1_000, completedMs: entry.completedMs + 1_000 };
  }
});

describe("workloads", () => {
  const balances = (a: number, b: number): Operation => ({ kind: "balances", balances: { a, b } });

  test("bank: the sum stays", () => {
    expect(checkBank(inTurn([balances(10, 0)], [balances(3, 7)], [balances(-2, 12)]), 10)).toEqual([]);
    expect(names(checkBank(inTurn([balances(10, 0)], [balances(3, 8)]), 10))).toEqual(["wrong-total"]);
  });

  test("set: what was acknowledged is there once, what failed is not", () => {
    const history = ended(inTurn([append("s", 1)], [append("s", 2)], [append("s", 3)]), 1, "failed");
    expect(checkSet(history, new Map([["s", [1, 3]]]))).toEqual([]);
    expect(names(checkSet(history, new Map([["s", [1, 1, 2]]])))).toEqual(["G1a", "lost-write", "duplicate"]);
  });

  test("sessions: reads do not go back, and see one's own writes", () => {
    const session = inTurn([append("x", 1)], [read("x", 1)], [read("x")]).map((entry) => ({
      ...entry,
      process: 0,
    }));
    expect(names(checkMonotonicReads(session))).toEqual(["non-monotonic-read"]);
    expect(names(checkReadYourWrites(session))).toEqual(["own-write-missing"]);
    const sound = session.slice(0, 2);
    expect([...checkMonotonicReads(sound), ...checkReadYourWrites(sound)]).toEqual([]);
    const others = inTurn([append("x", 1)], [read("x", 1)], [read("x")]);
    expect([...checkMonotonicReads(others), ...checkReadYourWrites(others)]).toEqual([]);
  });
});
