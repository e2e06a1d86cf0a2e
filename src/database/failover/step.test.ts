import { describe, expect, test } from "bun:test";
import { MemberHarness } from "./testing/member-harness.ts";

describe("a primary", () => {
  test("renews its lease each second, from the moment that the store agrees to it", () => {
    const member = MemberHarness.primary();
    const writes = member.run(5_000).filter(({ kind }) => kind === "write");
    expect(writes.length).toBeGreaterThanOrEqual(4);
    expect(writes.length).toBeLessThanOrEqual(6);
    expect(member.role).toBe("leader");
  });

  test("tells the dead-man's switch how long it may go on, counted from before the renewal was sent", () => {
    const member = MemberHarness.primary({ storeDelayMs: 400 });
    const lease = member.run(3_000).find((order) => order.kind === "lease");
    expect(lease).toEqual({ kind: "lease", term: 1, validMs: 3_100 });
  });

  test("fences itself when the store is silent, before anybody else may take the lease", () => {
    const member = MemberHarness.primary();
    member.run(2_000);
    member.storeIsUp = false;
    expect(member.run(2_400).some(isFreeze)).toBe(false);
    expect(member.run(1_200).some(isFreeze)).toBe(true);
    expect(member.role).toBe("follower");
  });

  test("that was stopped for a minute fences itself before it does anything else", () => {
    const member = MemberHarness.primary();
    member.run(2_000);
    member.pause(60_000);
    const [first, second] = member.tick();
    expect([first, second]).toMatchObject([
      { kind: "report" },
      { kind: "server", order: { kind: "freeze" } },
    ]);
  });

  test("fences itself as soon as it sees another term", () => {
    const member = MemberHarness.primary();
    member.run(2_000);
    member.takeLease("s2");
    expect(member.run(1_300).some(isFreeze)).toBe(true);
  });

  test("refuses a vote while it holds the lease", () => {
    const member = MemberHarness.primary();
    member.run(2_000);
    const orders = member.event({
      kind: "asked",
      from: "s2",
      question: { kind: "vote", id: 5, revision: 1 },
    });
    expect(orders).toContainEqual({
      kind: "answer",
      to: "s2",
      answer: { kind: "refused", id: 5, reason: "lease-held" },
    });
  });

  test("that crashes is started again under the same lease, after the record says so", () => {
    const member = MemberHarness.primary();
    member.run(2_000);
    member.crash();
    const orders = member.run(500);
    const wrote = orders.findIndex((order) => order.kind === "write" && order.record.phase === "recovering");
    const started = orders.findIndex((order) => order.kind === "server" && order.order.kind === "start");
    expect(wrote).toBeGreaterThanOrEqual(0);
    expect(started).toBeGreaterThan(wrote);
    expect(member.record.phase).toBe("running");
    expect(member.record.term).toBe(1);
  });

  test("that does not start gives the lease back, fenced and with the end of its log", () => {
    const member = MemberHarness.primary();
    member.run(2_000);
    member.breaks = true;
    member.crash();
    member.run(12_000);
    expect(member.record).toMatchObject({ phase: "released", end: 1000n });
    expect(member.role).toBe("follower");
  });

  test("that does not start lets others go first for two leases, and tries again when nobody did", () => {
    const member = MemberHarness.primary();
    member.run(2_000);
    member.breaks = true;
    member.crash();
    member.run(12_000);
    member.breaks = false;
    member.run(8_000);
    expect(member.record.phase).toBe("released");
    member.run(8_000);
    expect(member.record).toMatchObject({ phase: "running", term: 2 });
  });

  test("of an earlier agent is fenced when the store does not confirm the lease", () => {
    const member = MemberHarness.primary();
    member.storeIsUp = false;
    expect(member.run(1_300).some(isFreeze)).toBe(false);
    expect(member.run(400).some(isFreeze)).toBe(true);
  });
});

describe("a replica", () => {
  test("gives its position to a candidate only when it takes nothing from the old primary any more", () => {
    const member = MemberHarness.replica();
    member.run(1_000);
    const asked = member.event({
      kind: "asked",
      from: "s3",
      question: { kind: "vote", id: 5, revision: member.revision },
    });
    const detached = asked.findIndex((order) => order.kind === "server" && order.order.kind === "detach");
    expect(detached).toBeGreaterThanOrEqual(0);
    expect(asked.findIndex(({ kind }) => kind === "answer")).toBeGreaterThan(detached);
  });

  test("keeps its promise until it sees a later revision, then follows again", () => {
    const member = MemberHarness.replica();
    member.run(1_000);
    member.event({ kind: "asked", from: "s3", question: { kind: "vote", id: 5, revision: member.revision } });
    member.run(1_000);
    expect(member.facts.upstream).toBeUndefined();
    member.renewLease();
    member.run(1_000);
    expect(member.facts.upstream).toBe("s1");
  });

  test("whose agent was just started follows nobody before it has seen the record move: it may have promised", () => {
    const member = MemberHarness.replica();
    member.facts = { ...member.facts, upstream: undefined, streaming: false };
    const follows = (ms: number): boolean =>
      member.run(ms).some((order) => order.kind === "server" && order.order.kind === "follow");
    expect(follows(1_500)).toBe(false);
    member.renewLease();
    expect(follows(500)).toBe(true);
  });

  test("refuses a vote for a revision that is over", () => {
    const member = MemberHarness.replica();
    member.run(1_000);
    member.renewLease();
    member.run(1_000);
    const orders = member.event({
      kind: "asked",
      from: "s3",
      question: { kind: "vote", id: 5, revision: 1 },
    });
    expect(orders).toContainEqual({
      kind: "answer",
      to: "s3",
      answer: { kind: "refused", id: 5, reason: "stale-revision" },
    });
  });

  test("is a candidate when the lease is over, and takes it by one write", () => {
    const member = MemberHarness.replica();
    member.run(4_900);
    expect(member.role).toBe("follower");
    const orders = member.run(3_000);
    const takes = orders.filter((order) => order.kind === "write" && order.record.phase === "promoting");
    expect(takes).toHaveLength(1);
    expect(member.record).toMatchObject({ term: 2, server: "s2", phase: "running" });
    expect(member.record.terms.at(-1)).toEqual({ term: 2, server: "s2", timeline: 2, fork: 1000n });
  });

  test("that loses the race for the lease follows the winner", () => {
    const member = MemberHarness.replica();
    member.run(5_100);
    member.takeLease("s3", { phase: "running", terms: [...member.record.terms] });
    member.run(1_500);
    expect(member.facts.upstream).toBe("s3");
    expect(member.record.server).toBe("s3");
  });
});

function isFreeze(order: { readonly kind: string; readonly order?: { readonly kind: string } }): boolean {
  return order.kind === "server" && order.order?.kind === "freeze";
}
