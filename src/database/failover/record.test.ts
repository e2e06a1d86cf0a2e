import { describe, expect, test } from "bun:test";
import {
  type ClusterRecord,
  encodeRecord,
  firstRecord,
  parseRecord,
  standingOf,
  timelineOf,
  withTerm,
} from "./record.ts";

/** s1 ran term 1 to 100; s2 runs term 2, on timeline 2. */
const SECOND: ClusterRecord = {
  ...firstRecord("s1", 1, 100n, { names: ["s2", "s3"], votes: 2 }),
  term: 2,
  server: "s2",
  fork: 100n,
  terms: [
    { term: 1, server: "s1", timeline: 1, fork: 0n },
    { term: 2, server: "s2", timeline: 2, fork: 100n },
  ],
};

/** s3 has taken term 3 at 150, and nobody knows whether it is promoted. */
const PENDING: ClusterRecord = { ...SECOND, term: 3, server: "s3", phase: "promoting", fork: 150n };

describe("a record", () => {
  test("comes back from its text as it was", () => {
    const full = { ...PENDING, successor: "s2", end: 0x1_0000_0001n, loss: { bytes: 7, exact: false } };
    expect(parseRecord(encodeRecord(full))).toEqual(full);
  });

  test("that is none is an error and not a guess", () => {
    expect(() => parseRecord("{}")).toThrow();
    expect(() => parseRecord(encodeRecord(SECOND).replace("0/64", "nowhere"))).toThrow("nowhere");
  });

  test("keeps the last hundred terms", () => {
    let terms = SECOND.terms;
    for (let term = 3; term < 300; term += 1)
      terms = withTerm(terms, { term, server: "s1", timeline: term, fork: 100n });
    expect(terms.length).toBe(100);
    expect(terms.at(-1)?.term).toBe(299);
  });
});

test("no two terms have one timeline, though only those that ran are written down", () => {
  const taken = [3, 4, 5].map((term) => ({ ...PENDING, term }));
  expect(taken.map(timelineOf)).toEqual([3, 4, 5]);
  const terms = withTerm(SECOND.terms, { term: 4, server: "s1", timeline: 4, fork: 150n });
  expect([5, 6].map((term) => timelineOf({ ...PENDING, term, terms }))).toEqual([5, 6]);
  const adopted = { ...PENDING, terms: [{ term: 1, server: "s1", timeline: 9, fork: 0n }] };
  expect(timelineOf(adopted)).toBe(11);
});

describe("the standing of a log", () => {
  test("is current on the timeline of the last term that ran", () => {
    expect(standingOf(SECOND, "s9", { timeline: 2, lsn: 140n })).toEqual({ kind: "current", lsn: 140n });
  });

  test("is behind on an earlier one up to the fork, and diverged beyond it, by as many bytes", () => {
    expect(standingOf(SECOND, "s1", { timeline: 1, lsn: 100n })).toEqual({ kind: "behind" });
    expect(standingOf(SECOND, "s1", { timeline: 1, lsn: 130n })).toEqual({ kind: "diverged", bytes: 30 });
  });

  test("is behind on the newest timeline, too, as long as it lacks what lies before its fork", () => {
    expect(standingOf(SECOND, "s3", { timeline: 2, lsn: 99n })).toEqual({ kind: "behind" });
    expect(standingOf(SECOND, "s3", { timeline: 2, lsn: 100n })).toEqual({ kind: "current", lsn: 100n });
  });

  test("is diverged on a timeline that no term has", () => {
    expect(standingOf(SECOND, "s1", { timeline: 3, lsn: 100n })).toEqual({ kind: "diverged", bytes: null });
  });

  test("of a server whose promotion nobody confirmed counts up to where it forked, for that server alone", () => {
    expect(standingOf(PENDING, "s3", { timeline: 3, lsn: 190n })).toEqual({ kind: "current", lsn: 150n });
    expect(standingOf(PENDING, "s1", { timeline: 3, lsn: 190n }).kind).toBe("diverged");
  });
});
