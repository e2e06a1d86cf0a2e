import { describe, expect, test } from "bun:test";
import { type Candidacy, type Decision, decide } from "./election.ts";
import type { Member } from "./member.ts";
import type { PositionAnswer } from "./questions.ts";
import { type ClusterRecord, firstRecord } from "./record.ts";
import { DEFAULT_FAILOVER, LAG_BYTES_MAX } from "./settings.ts";

const member = (name: string, change: Partial<Member> = {}): Member => ({
  name,
  host: name,
  port: 5432,
  kind: "data",
  priority: 1,
  data: undefined,
  ...change,
});

/** s1 was the primary; its log was at 900 when it last said so. */
const RECORD: ClusterRecord = firstRecord("s1", 1, 900n, null);
const QUORUM: ClusterRecord = { ...RECORD, quorum: { names: ["s2", "s3"], votes: 2 } };

const answer = (lsn: bigint, change: Partial<PositionAnswer> = {}): PositionAnswer => ({
  kind: "position",
  id: 1,
  timeline: 1,
  lsn,
  heard: lsn,
  running: true,
  canLead: true,
  ...change,
});

/** s2, at 1000, has waited for all answers and for better ones. */
function candidacy(change: Partial<Candidacy> = {}): Candidacy {
  return {
    self: member("s2"),
    members: [member("s1"), member("s2"), member("s3")],
    record: RECORD,
    own: { timeline: 1, lsn: 1000n },
    heard: 1000n,
    answers: {},
    elapsedMs: 60_000,
    drained: [],
    diskEnd: undefined,
    ...change,
  };
}

const decided = (change: Partial<Candidacy>): Decision => decide(candidacy(change), DEFAULT_FAILOVER);

describe("a candidate", () => {
  test("waits for answers, and no longer than they may take", () => {
    expect(decided({ elapsedMs: 10 })).toEqual({ kind: "wait", reason: "votes" });
    expect(decided({ elapsedMs: DEFAULT_FAILOVER.voteMs }).kind).toBe("take");
  });

  test("stands aside for more log, then for priority, then for the name", () => {
    const elapsedMs = DEFAULT_FAILOVER.voteMs;
    expect(decided({ elapsedMs, answers: { s3: answer(1001n) } })).toEqual({ kind: "aside", better: "s3" });
    const members = [member("s1"), member("s2"), member("s3", { priority: 2 })];
    expect(decided({ elapsedMs, members, answers: { s3: answer(1000n) } })).toEqual({
      kind: "aside",
      better: "s3",
    });
    expect(decided({ elapsedMs, answers: { s1: answer(1000n) } })).toEqual({ kind: "aside", better: "s1" });
    expect(decided({ elapsedMs, answers: { s3: answer(1000n) } }).kind).toBe("take");
  });

  test("does not wait for one that cannot lead", () => {
    const elapsedMs = DEFAULT_FAILOVER.voteMs;
    expect(decided({ elapsedMs, answers: { s3: answer(1001n, { canLead: false }) } }).kind).toBe(
      "drain-stream",
    );
  });

  test("that is no server, or of another history, is never promoted", () => {
    const refused = (change: Partial<Candidacy>): unknown => decided(change);
    expect(refused({ self: member("s2", { kind: "witness" }) })).toEqual({
      kind: "refuse",
      reason: "witness",
    });
    expect(refused({ self: member("s2", { priority: 0 }) })).toEqual({
      kind: "refuse",
      reason: "priority-zero",
    });
    expect(refused({ own: { timeline: 9, lsn: 99n } })).toEqual({ kind: "refuse", reason: "diverged" });
    const terms = [...RECORD.terms, { term: 2, server: "s3", timeline: 2, fork: 1000n }];
    expect(refused({ record: { ...RECORD, term: 2, server: "s3", terms } })).toEqual({
      kind: "refuse",
      reason: "stale-timeline",
    });
  });
});

describe("the log of the old primary", () => {
  test("is taken from its disk when it is silent and the disk can be read", () => {
    const members = [member("s1", { data: "/data/s1" }), member("s2"), member("s3")];
    expect(decided({ members })).toEqual({ kind: "drain-disk", server: "s1" });
    expect(decided({ members, drained: ["s1"], diskEnd: 1000n })).toMatchObject({
      kind: "take",
      loss: { bytes: 0, exact: true },
    });
  });

  test("is streamed from it, or from a witness, when that runs", () => {
    expect(decided({ answers: { s1: answer(1500n) } })).toEqual({
      kind: "drain-stream",
      server: "s1",
      until: 1500n,
    });
    const members = [member("s1"), member("s2"), member("w", { kind: "witness" })];
    const answers = { w: answer(1200n, { canLead: false }) };
    expect(decided({ members, answers })).toEqual({ kind: "drain-stream", server: "w", until: 1200n });
  });

  test("that is lost is told to the byte when its end is known, else as at least", () => {
    const answers = { s1: answer(1500n, { running: false, canLead: false }) };
    expect(decided({ answers })).toEqual({ kind: "take", fork: 1000n, loss: { bytes: 500, exact: true } });
    expect(decided({ drained: ["s1"], diskEnd: 1200n })).toMatchObject({ loss: { bytes: 200, exact: true } });
    expect(decided({ heard: 1100n })).toMatchObject({ loss: { bytes: 100, exact: false } });
    expect(decided({ answers: { s3: answer(900n, { heard: 1300n }) } })).toMatchObject({
      loss: { bytes: 300, exact: false },
    });
  });

  test("of which too much is lost keeps everybody from being promoted", () => {
    const heard = 1000n + BigInt(LAG_BYTES_MAX);
    expect(decided({ heard }).kind).toBe("take");
    expect(decided({ heard: heard + 1n })).toEqual({ kind: "refuse", reason: "lag-above-maximum" });
  });
});

describe("with a quorum", () => {
  const record = QUORUM;

  test("a candidate needs the votes that meet every acknowledgement", () => {
    expect(decided({ record })).toEqual({ kind: "refuse", reason: "no-quorum" });
    expect(decided({ record, answers: { s3: answer(1000n) } })).toEqual({
      kind: "take",
      fork: 1000n,
      loss: { bytes: 0, exact: true },
    });
  });

  test("a voter that has more is no vote", () => {
    const answers = { s3: answer(1001n, { running: false, canLead: false }) };
    expect(decided({ record, answers })).toEqual({ kind: "refuse", reason: "no-quorum" });
  });

  test("all of the old primary's log is as good as votes", () => {
    expect(decided({ record, answers: { s1: answer(1000n, { canLead: false }) } }).kind).toBe("take");
    expect(decided({ record, drained: ["s1"], diskEnd: 1000n }).kind).toBe("take");
    expect(decided({ record, drained: ["s1"], diskEnd: 1001n })).toEqual({
      kind: "refuse",
      reason: "no-quorum",
    });
  });

  test("the old primary itself needs nobody", () => {
    const self = member("s1");
    expect(decided({ record, self }).kind).toBe("take");
  });
});
