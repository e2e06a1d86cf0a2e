import { expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { formatLsn } from "../../pgwire/index.ts";
import { type Decision, decide } from "./decide.ts";
import { ReadSession } from "./read-session.ts";
import type { Replica } from "./replica.ts";
import { LAG_LIMITS } from "./replica.ts";
import { batchOf, clusterAt, replicaAt, serverOf } from "./testing.ts";

const SELECT = "SELECT n FROM t";

/** A session that has written up to `after`. */
function sessionAt(after = 0n): ReadSession {
  const session = new ReadSession({ kind: "session" });
  session.knows(after);
  return session;
}

/** What came of it, in a word or two. */
function outcome(decision: Decision): string {
  if (decision.kind === "replica") return decision.candidates.map(({ name }) => name).join(" ");
  return decision.kind === "primary" ? decision.reason : decision.kind;
}

test("a read goes to every replica that may be read", () => {
  const cluster = clusterAt(10n, replicaAt("b", 10n), replicaAt("c", 9n));
  expect(outcome(decide(batchOf(SELECT), sessionAt(), cluster, 0))).toBe("b c");
});

test.each([
  ["SELECT writes_something()", "volatile-function"],
  ["SELECT nextval('s')", "volatile-function"],
  ["UPDATE t SET n = 1", "command"],
  ["/* tenfold: primary */ SELECT 1", "hint-primary"],
  ["/* tenfold: nowhere */ SELECT 1", "hint-unknown"],
  ["/* tenfold: after=here */ SELECT 1", "hint-unknown"],
  ["/* tenfold: replica */ SELECT writes_something()", "b"],
  ["/* tenfold: replica */ DELETE FROM t", "command"],
])("%s: %s", (text, expected) => {
  expect(outcome(decide(batchOf(text), sessionAt(), clusterAt(1n, replicaAt("b", 1n)), 0))).toBe(expected);
});

test("one statement that needs the primary takes its batch with it", () => {
  const cluster = clusterAt(1n, replicaAt("b", 1n));
  expect(outcome(decide(batchOf(SELECT, "DELETE FROM t", SELECT), sessionAt(), cluster, 0))).toBe("command");
});

test("nothing is read from a replica before the functions are known", () => {
  const batch = { ...batchOf(SELECT), functions: undefined };
  expect(outcome(decide(batch, sessionAt(), clusterAt(1n, replicaAt("b", 1n)), 0))).toBe("functions-unknown");
});

test("what a replica has refused is known by its template", () => {
  const cluster = clusterAt(1n, replicaAt("b", 1n));
  cluster.writers.add("SELECT sneaky(1)");
  expect(outcome(decide(batchOf("select sneaky($1)"), sessionAt(), cluster, 0))).toBe("known-to-write");
});

test("a session that has written asks where the primary is, and waits for a replica that is there", () => {
  const cluster = clusterAt(10n, replicaAt("b", 9n), replicaAt("c", 11n));
  const session = sessionAt();
  session.wrote = true;
  expect(decide(batchOf(SELECT), session, cluster, 0)).toEqual({ kind: "ask" });
  session.knows(11n);
  const asked = { ...batchOf(SELECT), asked: 11n };
  expect(outcome(decide(asked, session, cluster, 0))).toBe("c");
  session.knows(12n);
  expect(decide(asked, session, cluster, 0)).toEqual({ kind: "wait", lsn: 12n });
  const over = decide({ ...asked, isWaitOver: true }, session, cluster, 0);
  expect(over).toEqual({ kind: "primary", reason: "replicas-behind", isFallback: true });
});

test("a primary that does not tell where it is runs the read itself", () => {
  const session = sessionAt();
  session.wrote = true;
  const batch = { ...batchOf(SELECT), asked: "unknown" } as const;
  expect(outcome(decide(batch, session, clusterAt(1n, replicaAt("b", 1n)), 0))).toBe("position-unknown");
});

test("eventual reads take any replica, global ones ask each time, a bound takes what is known", () => {
  const cluster = clusterAt(10n, replicaAt("b", 5n), replicaAt("c", 10n));
  const hinted = (consistency: string, nowMs = 0): string =>
    outcome(
      decide(batchOf(`/* tenfold: consistency=${consistency} */ ${SELECT}`), sessionAt(9n), cluster, nowMs),
    );
  expect(hinted("eventual")).toBe("b c");
  expect(hinted("session")).toBe("c");
  expect(hinted("global")).toBe("ask");
  expect(hinted("bounded(100ms)", 50)).toBe("c");
  expect(hinted("bounded(100ms)", 150)).toBe("ask");
});

test("a token of another session is waited for", () => {
  const cluster = clusterAt(10n, replicaAt("b", 5n), replicaAt("c", 10n));
  const text = `/* tenfold: consistency=eventual, after=${formatLsn(6n)} */ ${SELECT}`;
  expect(outcome(decide(batchOf(text), sessionAt(), cluster, 0))).toBe("c");
  const session = sessionAt();
  session.set("tenfold.after", formatLsn(11n));
  expect(outcome(decide(batchOf(SELECT), session, cluster, 0))).toBe("wait");
});

const SPOILT: Readonly<Record<string, (replica: Replica) => void>> = {
  "replicas-ineligible": (replica) => (replica.server = serverOf(replica.name, false)),
  "replicas-down": (replica) => (replica.isUp = false),
  "replicas-stale-timeline": (replica) => (replica.timeline = 2),
  "replicas-diverged": (replica) => (replica.isDiverged = true),
  "replicas-lagging": (replica) => (replica.isLagging = true),
};

test.each(Object.entries(SPOILT))(
  "%s: it is not read, and the reads that it does not serve are bounded",
  (reason, spoil) => {
    const [b, c] = [replicaAt("b", 10n), replicaAt("c", 10n)];
    spoil(b);
    const cluster = clusterAt(10n, b, c);
    expect(outcome(decide(batchOf(SELECT), sessionAt(), cluster, 0))).toBe("c");
    spoil(c);
    const decision = decide(batchOf(SELECT), sessionAt(), cluster, 0);
    expect(decision).toEqual({ kind: "primary", reason, isFallback: true } as Decision);
  },
);

test("a replica that was tried is not tried again", () => {
  const [b, c] = [replicaAt("b", 1n), replicaAt("c", 1n)];
  const cluster = clusterAt(1n, b, c);
  expect(outcome(decide({ ...batchOf(SELECT), tried: new Set([b]) }, sessionAt(), cluster, 0))).toBe("c");
  expect(outcome(decide({ ...batchOf(SELECT), tried: new Set([b, c]) }, sessionAt(), cluster, 0))).toBe(
    "replica-lost",
  );
  expect(decide(batchOf(SELECT), sessionAt(), clusterAt(1n), 0)).toMatchObject({
    reason: "no-replicas",
    isFallback: false,
  });
});

/** A made-up state of everything, drawn from a seed. */
function drawn(seed: number): { readonly decision: Decision; readonly check: () => void } {
  const random = seededRandom(seed);
  const draw = (count: number): number => Math.floor(random() * count);
  const maybe = (share = 0.3): boolean => random() < share;
  const replicas = ["b", "c", "d"].slice(draw(4)).map((name) => replicaAt(name, BigInt(draw(20))));
  for (const replica of replicas) for (const spoil of Object.values(SPOILT)) if (maybe(0.1)) spoil(replica);
  const cluster = clusterAt(15n, ...replicas);
  const session = sessionAt(BigInt(draw(20)));
  session.wrote = maybe();
  const kind = (["eventual", "session", "global"] as const)[draw(3)] ?? "session";
  session.consistency = { kind };
  const texts = Array.from({ length: 1 + draw(3) }, () => (maybe(0.15) ? "DELETE FROM t" : SELECT));
  const asked = maybe() ? BigInt(15 + draw(5)) : maybe() ? ("unknown" as const) : undefined;
  if (typeof asked === "bigint") session.knows(asked);
  const tried = new Set(replicas.filter(() => maybe(0.1)));
  const decision = decide({ ...batchOf(...texts), asked, tried, isWaitOver: maybe() }, session, cluster, 0);
  const check = (): void => {
    if (decision.kind === "ask") expect([kind !== "eventual", asked]).toEqual([true, undefined]);
    if (texts.some((text) => text !== SELECT))
      expect(decision).toMatchObject({ reason: "command", isFallback: false });
    if (decision.kind !== "replica") return;
    expect(decision.candidates.length).toBeGreaterThan(0);
    for (const replica of decision.candidates) {
      expect(tried.has(replica)).toBe(false);
      expect(replica.unreadable(cluster.timeline, 0)).toBeUndefined();
      if (kind !== "eventual")
        expect([session.wrote, replica.replayed >= session.after]).toEqual([false, true]);
      if (kind === "global") expect(replica.replayed).toBeGreaterThanOrEqual(asked as bigint);
    }
  };
  return { decision, check };
}
const kindsOf = (seeds: number): Set<string> => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= seeds; seed++) {
    const { decision, check } = drawn(seed);
    try {
      check();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    kinds.add(decision.kind);
  }
  return kinds;
};

test("from 5,000 seeds: no write on a replica, no read from one that may not be read or has not replayed enough", () => {
  expect(kindsOf(5000)).toEqual(new Set(["primary", "replica", "ask", "wait"]));
  expect(LAG_LIMITS.ms).toBe(1000);
});
