import { afterEach, describe, expect, test } from "bun:test";
import { HEALTH, TARGET_COUNTER } from "../scoreboard.ts";
import {
  type Client,
  eventually,
  gatewayTo,
  get,
  ok,
  plainScoreboard,
  proxyTo,
  stopAll,
  Target,
  TestGateway,
  track,
} from "../testing/index.ts";

afterEach(stopAll);

const HEALTH_POLICY = { path: "/healthz", interval: "60ms", timeout: "50ms", rise: 1, fall: 2 } as const;

/** A target that is as well as `state` says, and names itself in its answers. */
async function startTarget(name: string, state: { well: boolean }): Promise<Target> {
  const unwell = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  return track(
    await Target.start(({ head }) => (head.includes("/healthz") ? (state.well ? ok("") : unwell) : ok(name))),
  );
}

/** Which targets answer `count` requests. */
async function servedBy(client: Client, count = 10): Promise<Set<string>> {
  const names = new Set<string>();
  for (let i = 0; i < count; i++) names.add((await client.ask(get("/"))).body);
  return names;
}

function slotOf(gateway: TestGateway, index: number): number {
  return gateway.snapshot.targetGroups[0]!.targets[index]!.slot;
}

describe("active checks", () => {
  test("take a target out when it is not well, and back when it is", async () => {
    const state = { well: true };
    const targets = [await startTarget("a", { well: true }), await startTarget("b", state)];
    const gateway = await gatewayTo(targets, { group: { health: HEALTH_POLICY } });
    const client = await gateway.connect();
    const health = () => gateway.scoreboard.health(slotOf(gateway, 1));
    await eventually("b is healthy", () => health() === HEALTH.healthy);
    expect(await servedBy(client)).toEqual(new Set(["a", "b"]));
    state.well = false;
    await eventually("b is unhealthy", () => health() === HEALTH.unhealthy);
    expect(await servedBy(client)).toEqual(new Set(["a"]));
    state.well = true;
    await eventually("b is healthy again", () => health() === HEALTH.healthy);
    expect(await servedBy(client)).toEqual(new Set(["a", "b"]));
  });

  test("in panic all targets are used, whatever the checks say", async () => {
    const targets = [await startTarget("a", { well: false }), await startTarget("b", { well: false })];
    const gateway = await gatewayTo(targets, { group: { health: HEALTH_POLICY, panicThreshold: 0.6 } });
    await eventually("both are unhealthy", () =>
      [0, 1].every((index) => gateway.scoreboard.health(slotOf(gateway, index)) === HEALTH.unhealthy),
    );
    expect(await servedBy(await gateway.connect())).toEqual(new Set(["a", "b"]));
  });

  test("a target that is not there is unhealthy; one that speaks no HTTP too", async () => {
    const targets = [track(await Target.start(() => "SSH-2.0\r\n")), track(await Target.start())];
    const gateway = await gatewayTo(targets, { group: { health: HEALTH_POLICY } });
    targets[1]!.stop();
    await eventually("both are unhealthy", () =>
      [0, 1].every((index) => gateway.scoreboard.health(slotOf(gateway, index)) === HEALTH.unhealthy),
    );
    expect(gateway.log.join()).toContain("malformed");
    expect(gateway.log.join()).toContain("connect-refused");
  });

  test("a check that is never answered ends at its timeout", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { group: { health: HEALTH_POLICY } });
    await eventually(
      "it is unhealthy",
      () => gateway.scoreboard.health(slotOf(gateway, 0)) === HEALTH.unhealthy,
    );
    expect(gateway.log.join()).toContain("timeout");
  });

  test("a target that takes over a row does not take over its health", async () => {
    const targets = [await startTarget("a", { well: true }), await startTarget("b", { well: false })];
    const gateway = await gatewayTo(targets, { group: { health: HEALTH_POLICY } });
    const slot = slotOf(gateway, 1);
    await eventually("b is unhealthy", () => gateway.scoreboard.health(slot) === HEALTH.unhealthy);
    gateway.apply(proxyTo([targets[0]!.address], { group: { health: HEALTH_POLICY } })(gateway.port));
    expect(gateway.scoreboard.health(slot)).toBe(HEALTH.unknown);
  });
});

describe("the leader", () => {
  test("is one of two workers, and the other takes over when it is gone", async () => {
    const target = await startTarget("a", { well: true });
    const scoreboard = plainScoreboard();
    const configAt = proxyTo([target.address], { group: { health: HEALTH_POLICY } });
    const first = track(await TestGateway.start(configAt, { scoreboard, index: 0 }));
    const second = track(await TestGateway.start(configAt, { scoreboard, index: 1, port: first.port }));
    await target.arrived(3);
    const share = target.arrivals.length;
    await target.arrived(share + 5);
    first.worker.stop();
    const before = target.arrivals.length;
    await target.arrived(before + 3);
    expect(second.column.pid).toBe(2);
    expect(first.column.pid).toBe(0);
  });

  test("asks each target once per interval, however many workers there are", async () => {
    const target = await startTarget("a", { well: true });
    const scoreboard = plainScoreboard();
    const configAt = proxyTo([target.address], {
      group: { health: { ...HEALTH_POLICY, interval: "100ms" } },
    });
    const first = track(await TestGateway.start(configAt, { scoreboard, index: 0 }));
    track(await TestGateway.start(configAt, { scoreboard, index: 1, port: first.port }));
    const fromMs = performance.now();
    await target.arrived(6);
    // Six checks of one worker take at least four intervals and a part; those of two would take half of that.
    expect(performance.now() - fromMs).toBeGreaterThan(330);
  });
});

describe("two workers on one scoreboard", () => {
  test("least-requests counts what both have in flight", async () => {
    const targets = [track(await Target.start(() => undefined)), track(await Target.start(() => undefined))];
    const scoreboard = plainScoreboard();
    const configAt = proxyTo(
      targets.map(({ address }) => address),
      { group: { algorithm: "least-requests" } },
    );
    const first = track(await TestGateway.start(configAt, { scoreboard, index: 0 }));
    const second = track(await TestGateway.start(configAt, { scoreboard, index: 1 }));
    for (let i = 0; i < 10; i++) {
      (await first.connect()).send(get("/"));
      await eventually("it arrived", () => sum(targets) === 2 * i + 1);
      (await second.connect()).send(get("/"));
      await eventually("it arrived", () => sum(targets) === 2 * i + 2);
    }
    expect(targets.map(({ arrivals }) => arrivals.length)).toEqual([10, 10]);
    expect(scoreboard.inFlight(slotOf(first, 0))).toBe(10);
  });
});

describe("ejection", () => {
  const EJECTION = { ejection: { consecutive5xx: 3, consecutiveFailures: 2, base: "300ms" } } as const;
  const BROKEN = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\nbroken";

  test("takes out a target whose answers fail, shows it, and lets it back in", async () => {
    const [good, bad] = [
      track(await Target.start(() => ok("good"))),
      track(await Target.start(() => BROKEN)),
    ];
    const gateway = await gatewayTo([good, bad], { group: EJECTION });
    const client = await gateway.connect();
    await servedBy(client);
    const slot = slotOf(gateway, 1);
    expect(bad.arrivals.length).toBe(3);
    expect(gateway.scoreboard.ejectedBy(slot)).toBe(1);
    expect(gateway.scoreboard.targetCounter(slot, TARGET_COUNTER.ejections)).toBe(1);
    bad.script = () => ok("well");
    await eventually("it is let back in", () => gateway.scoreboard.ejectedBy(slot) === 0);
    expect(await servedBy(client)).toEqual(new Set(["good", "well"]));
  });

  test("takes out a target that cannot be reached, while requests go to the other", async () => {
    const [good, gone] = [track(await Target.start(() => ok("good"))), track(await Target.start())];
    const gateway = await gatewayTo([good, gone], { group: EJECTION });
    gone.stop();
    const client = await gateway.connect();
    expect(await servedBy(client)).toEqual(new Set(["good"]));
    expect(gateway.scoreboard.ejectedBy(slotOf(gateway, 1))).toBe(1);
  });

  test("garbage is a failure like no answer at all", async () => {
    const [good, bad] = [
      track(await Target.start(() => ok("good"))),
      track(await Target.start(() => "garbage\r\n\r\n")),
    ];
    const gateway = await gatewayTo([good, bad], { group: EJECTION });
    const client = await gateway.connect();
    for (let i = 0; i < 10; i++) await client.ask(get("/"));
    expect(bad.arrivals.length).toBe(2);
    expect(gateway.scoreboard.targetCounter(slotOf(gateway, 1), TARGET_COUNTER.failures)).toBe(2);
  });
});

function sum(targets: readonly Target[]): number {
  return targets.reduce((total, { arrivals }) => total + arrivals.length, 0);
}
