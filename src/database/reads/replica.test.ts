import { expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { Admission } from "./admission.ts";
import { chooseReplica } from "./choose.ts";
import { endOfLog, Positions } from "./positions.ts";
import { ReadSession } from "./read-session.ts";
import { replicaAt } from "./testing.ts";
import { Writers } from "./writers.ts";

const LIMITS = { ms: 1000, bytes: 1000 };

/** Positions of a primary that writes 100 bytes a second from time 0 on. */
function steady(seconds: number): Positions {
  const positions = new Positions();
  for (let at = 0; at <= seconds; at++) positions.add({ lsn: BigInt(at * 100), atMs: at * 1000 });
  return positions;
}

test("lag in time is how long ago the primary was where the replica is", () => {
  const positions = steady(10);
  expect(positions.lagMs(1000n, 10_000)).toBe(0);
  expect(positions.lagMs(950n, 10_000)).toBe(500);
  expect(positions.lagMs(0n, 10_500)).toBe(10_500);
  expect(positions.lagBytes(950n)).toBe(50);
});

test("of what was committed before a time, a position tells", () => {
  const positions = steady(10);
  expect(positions.since(7500)).toBe(800n);
  expect(positions.since(10_001)).toBeUndefined();
  positions.clear();
  expect(positions.since(0)).toBeUndefined();
});

test("a replica that lags is left out, and comes back when it lags half as much", () => {
  const replica = replicaAt("b", 890n, 10_000);
  const step = (replayed: bigint): boolean => {
    replica.answered(replayed, 10_000);
    replica.measure(steady(10), LIMITS, 10_000);
    return replica.isLagging;
  };
  expect([step(910n), step(890n), step(920n), step(940n), step(960n), step(910n)]).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
});

test("a replica beyond the primary's end has gone another way", () => {
  const replica = replicaAt("b", 1001n, 9_000);
  replica.measure(steady(10), LIMITS, 10_000);
  expect(replica.isDiverged).toBe(true);
  // What it has replayed since the primary was asked tells nothing.
  replica.answered(1001n, 10_500);
  replica.isDiverged = false;
  replica.measure(steady(10), LIMITS, 10_500);
  expect(replica.isDiverged).toBe(false);
});

test.each([
  [0x2000n, 0x2000n],
  [0x2018n, 0x2000n],
  [0x2028n, 0x2000n],
  [0x2019n, 0x2019n],
])("the log that ends at %p is replayed when %p is", (inserted, end) => {
  expect(endOfLog(inserted, 8192)).toBe(end);
});

test("of two, the one that is quicker for its load takes the read; one without history is tried", () => {
  const [slow, quick, unknown] = [replicaAt("b", 1n), replicaAt("c", 1n), replicaAt("d", 1n)];
  slow.took(10, 0);
  quick.took(2, 0);
  const random = seededRandom(1);
  expect(chooseReplica([slow, quick], random)).toBe(quick);
  quick.inFlight = 5;
  expect(chooseReplica([slow, quick], random)).toBe(slow);
  expect(chooseReplica([slow, unknown], random)).toBe(unknown);
  expect(chooseReplica([], random)).toBeUndefined();
});

test("templates that write are remembered, the oldest are forgotten", () => {
  const writers = new Writers();
  for (let n = 0; n <= 1000; n++) writers.add(`SELECT f${n}(1)`);
  expect([writers.size, writers.has("SELECT f0(2)"), writers.has("SELECT f1000(2)")]).toEqual([
    1000,
    false,
    true,
  ]);
});

test("so many are admitted, so many wait in order, and the rest is refused", () => {
  const told: string[] = [];
  const admission = new Admission<string>({ max: 1, queueMax: 2, queueMs: 0 }, (guest) => told.push(guest));
  expect(["a", "b", "c", "d"].map((guest) => admission.ask(guest))).toEqual([
    "admitted",
    "waits",
    "waits",
    "refused",
  ]);
  admission.leave("b");
  admission.done();
  expect([told, admission.running, admission.waiting]).toEqual([["c"], 1, 0]);
  admission.done();
  expect(admission.running).toBe(0);
});

test("a session remembers what it said, and RESET takes it to its start-up", () => {
  const session = new ReadSession({ kind: "session" });
  session.startedWith("tenfold.consistency", "bounded(1s)");
  expect(session.set("tenfold.consistency", "eventual")).toBeUndefined();
  session.reset();
  expect(session.consistency).toEqual({ kind: "bounded", ms: 1000 });
  expect(session.set("tenfold.consistency", "best")).toContain("no consistency");
  expect([session.isMistaken, session.set("tenfold.nothing", "1")]).toEqual([
    true,
    'there is no setting "tenfold.nothing"',
  ]);
  session.settingChanged({
    kind: "set",
    name: "default_transaction_isolation",
    sql: "SET default_transaction_isolation = 'serializable'",
  });
  expect(session.isSerializable(0)).toBe(true);
  session.settingChanged({ kind: "reset", name: "default_transaction_isolation" });
  session.refusedAsSerializable(0);
  expect([session.isSerializable(59_999), session.isSerializable(60_000)]).toEqual([true, false]);
  session.sawText("SET LOCAL Synchronous_Commit = off");
  expect(session.commitsUnwaited).toBe(true);
});
