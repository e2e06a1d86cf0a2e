import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../../base/testing.ts";
import type { UserConfig } from "../../config/index.ts";
import { REASONS } from "../errors.ts";
import { TARGET_COUNTER } from "../scoreboard.ts";
import {
  type Answer,
  Client,
  echoTunnel,
  eventually,
  gatewayTo,
  get,
  ok,
  proxyTo,
  stopAll,
  Target,
  TestGateway,
  track,
  upgrade,
} from "../testing/index.ts";

afterEach(stopAll);

/** A service "app" whose tasks are told with each snapshot. */
const SERVICE = (port: number): UserConfig => ({
  gateway: { workers: 1, stopTimeout: "300ms" },
  listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ forward: "app" }] } },
  services: {
    app: { command: ["true"], ejection: { consecutive5xx: 0, consecutiveFailures: 0 }, ...NO_HOLD },
  },
});

const NO_HOLD = { connections: { holdMs: 0 } } as const;

function task(target: Target, state: "active" | "draining" = "active") {
  return { service: "app", address: { host: "127.0.0.1", port: target.port }, state };
}

describe("a new snapshot", () => {
  test("changes the rules under a live connection, and is acknowledged", async () => {
    const gateway = await gatewayTo([track(await Target.start())]);
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).status).toBe(200);
    expect(gateway.column.ackedRevision).toBe(1);
    gateway.apply(proxyTo([])(gateway.port));
    expect(gateway.column.ackedRevision).toBe(2);
    expect((await client.ask(get("/"))).status).toBe(204);
  });

  test("a hundred of them drop no tunnel and no request", async () => {
    const target = track(
      await Target.start((arrival) => (arrival.head.includes("/ws") ? echoTunnel(arrival) : ok("x"))),
    );
    const gateway = await gatewayTo([target]);
    const tunnel = await gateway.connect();
    tunnel.send(upgrade("/ws"));
    await tunnel.takeHead();
    const client = await gateway.connect();
    for (let revision = 0; revision < 100; revision++) {
      gateway.apply(proxyTo([target.address], { gateway: { name: `v${revision}` } })(gateway.port));
      expect((await client.ask(get("/"))).status).toBe(200);
      tunnel.send(`#${revision};`);
      await tunnel.sees(`#${revision};`);
    }
    expect(target.connections.length).toBe(2);
  });

  test("opens a listener that is new, and drains one that is gone", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target]);
    const [idle, busy] = [await gateway.connect(), await gateway.connect()];
    target.script = () => ok("warm");
    await idle.ask(get("/"));
    target.script = () => undefined;
    busy.send(get("/"));
    await target.arrived(2);
    const other = freePort();
    gateway.apply(proxyTo([target.address])(other));
    await idle.closes();
    target.last.send(ok("finished"));
    const answer = await busy.answer();
    expect([answer.body, answer.field("connection")]).toEqual(["finished", "close"]);
    await busy.closes();
    expect(await gateway.connect().catch(() => "refused")).toBe("refused");
    target.script = () => ok("new");
    expect((await (await Client.connect(other)).ask(get("/"))).body).toBe("new");
  });

  test("an address that cannot be opened holds up neither the others nor the acknowledgement", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const config = proxyTo([target.address])(gateway.port);
    const { port } = target;
    const taken = { address: target.address, rules: [{ respond: 204 }] };
    gateway.apply({ ...config, listeners: { ...config.listeners, taken } });
    expect(gateway.column.ackedRevision).toBe(2);
    expect(gateway.log.join()).toContain("listener-unavailable");
    expect((await (await gateway.connect()).ask(get("/"))).status).toBe(200);
    target.stop();
    await eventually("the address is free", () => target.open === 0);
    expect((await askUntilServed(port)).status).toBe(204);
  });

  test("targets that are renumbered in flight are not taken for one another", async () => {
    const [a, b, c] = [await Target.start(() => undefined), await Target.start(), await Target.start()].map(
      track,
    );
    const gateway = track(await TestGateway.start(SERVICE));
    gateway.apply(SERVICE(gateway.port), [task(a!)]);
    const client = await gateway.connect();
    client.send(get("/"));
    await a!.arrived(1);
    const before = gateway.snapshot.targetGroups[0]!.targets[0]!.slot;
    gateway.apply(SERVICE(gateway.port), [task(c!), task(b!), task(a!)]);
    a!.last.send(ok("from a"));
    expect((await client.answer()).body).toBe("from a");
    const counts = gateway.snapshot.targetGroups[0]!.targets.map(({ slot }) =>
      gateway.scoreboard.targetCounter(slot, TARGET_COUNTER.requests),
    );
    expect(counts).toEqual([0, 0, 1]);
    expect(gateway.snapshot.targetGroups[0]!.targets[2]!.slot).toBe(before);
    expect(gateway.inFlight).toBe(0);
  });

  test("a target that left in flight finishes, and its connection is not kept", async () => {
    const [a, b] = [await Target.start(() => undefined), await Target.start()].map(track);
    const gateway = track(await TestGateway.start(SERVICE));
    gateway.apply(SERVICE(gateway.port), [task(a!)]);
    const client = await gateway.connect();
    client.send(get("/"));
    await a!.arrived(1);
    gateway.apply(SERVICE(gateway.port), [task(b!)]);
    a!.last.send(ok("from a"));
    expect((await client.answer()).body).toBe("from a");
    await eventually("the old connection closes", () => a!.open === 0);
    expect((await client.ask(get("/"))).status).toBe(200);
    expect(b!.arrivals.length).toBe(1);
    expect(gateway.inFlight).toBe(0);
  });
});

describe("a draining target", () => {
  test("gets no new request while those in flight go on, and reaches zero", async () => {
    const [old, next] = [await Target.start(() => undefined), await Target.start()].map(track);
    const gateway = track(await TestGateway.start(SERVICE));
    gateway.apply(SERVICE(gateway.port), [task(old!)]);
    const slow = await gateway.connect();
    slow.send(get("/slow"));
    await old!.arrived(1);
    gateway.apply(SERVICE(gateway.port), [task(old!, "draining"), task(next!)]);
    const client = await gateway.connect();
    for (let i = 0; i < 10; i++) expect((await client.ask(get("/"))).status).toBe(200);
    expect([old!.arrivals.length, next!.arrivals.length]).toEqual([1, 10]);
    const { slot } = gateway.snapshot.targetGroups[0]!.targets[0]!;
    expect(gateway.scoreboard.inFlight(slot)).toBe(1);
    old!.last.send(ok("done"));
    expect((await slow.answer()).body).toBe("done");
    expect(gateway.scoreboard.inFlight(slot)).toBe(0);
    await eventually("its connection closes", () => old!.open === 0);
  });

  test("a group with none but draining targets answers 503 no-target", async () => {
    const target = track(await Target.start());
    const gateway = track(await TestGateway.start(SERVICE));
    gateway.apply(SERVICE(gateway.port), [task(target, "draining")]);
    const answer = await (await gateway.connect()).ask(get("/"));
    expect([answer.status, answer.field("x-error-code")]).toEqual([503, "no-target"]);
  });
});

describe("a worker that stops", () => {
  test("closes idle connections, finishes busy ones, and is done", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const [idle, busy] = [await gateway.connect(), await gateway.connect()];
    await idle.ask(get("/"));
    target.script = () => undefined;
    busy.send(get("/"));
    await target.arrived(2);
    const drained = gateway.worker.drain();
    expect(gateway.column.stopping).toBe(true);
    await idle.closes();
    expect(idle.wasReset).toBe(false);
    expect(await gateway.connect().catch(() => "refused")).toBe("refused");
    target.last.send(ok("last"));
    const answer = await busy.answer();
    expect([answer.body, answer.field("connection")]).toEqual(["last", "close"]);
    await busy.closes();
    await drained;
    expect([gateway.column.pid, gateway.inFlight]).toEqual([0, 0]);
  });

  test("still answers the first request of a connection that has just come", async () => {
    const gateway = await gatewayTo([track(await Target.start())], { gateway: { stopTimeout: "2s" } });
    const client = await gateway.connect();
    await eventually("it is accepted", () => gateway.worker.connections === 1);
    const drained = gateway.worker.drain();
    const answer = await client.ask(get("/"));
    expect([answer.status, answer.field("connection")]).toEqual([200, "close"]);
    await client.closes();
    await drained;
  });

  test("cuts what is left at its deadline, tunnels too", async () => {
    const target = track(
      await Target.start((arrival) => (arrival.head.includes("/ws") ? echoTunnel(arrival) : undefined)),
    );
    const gateway = await gatewayTo([target], { gateway: { stopTimeout: "150ms" } });
    const [tunnel, busy] = [await gateway.connect(), await gateway.connect()];
    tunnel.send(upgrade("/ws"));
    await tunnel.takeHead();
    busy.send(get("/"));
    await target.arrived(2);
    await gateway.worker.drain();
    await Promise.all([tunnel.closes(), busy.closes()]);
    expect(gateway.scoreboard.groupReason(0, REASONS.indexOf("stopping"))).toBe(2);
    expect(gateway.inFlight).toBe(0);
  });
});

describe("a fault of our own", () => {
  test("in counting and logging costs the client nothing", async () => {
    const gateway = await gatewayTo([track(await Target.start())]);
    const { column } = gateway;
    const client = await gateway.connect();
    const observe = column.observeLatency.bind(column);
    column.observeLatency = () => {
      throw new Error("a planted fault");
    };
    expect((await client.ask(get("/1"))).status).toBe(200);
    column.observeLatency = observe;
    expect((await client.ask(get("/2"))).status).toBe(200);
    expect(gateway.log.join()).toContain("a planted fault");
    expect(gateway.inFlight).toBe(0);
  });

  test("while requests are read closes the connection: none of them is read twice, or skipped", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const { column } = gateway;
    const count = column.countTarget.bind(column);
    column.countTarget = () => {
      column.countTarget = count;
      throw new Error("a planted fault");
    };
    const client = await gateway.connect();
    client.send(get("/1") + get("/2"));
    expect((await client.answer()).status).toBe(500);
    await client.closes();
    expect(client.received).toBe("");
    expect([target.arrivals.length, gateway.inFlight]).toEqual([0, 0]);
  });

  test("ends the exchange that met it with 500 internal, and nothing else", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const other = await gateway.connect();
    await other.ask(get("/"));
    const { column } = gateway;
    const count = column.countTarget.bind(column);
    column.countTarget = () => {
      column.countTarget = count;
      throw new Error("a planted fault");
    };
    const answer = await (await gateway.connect()).ask(get("/"));
    expect([answer.status, answer.field("x-error-code")]).toEqual([500, "internal"]);
    expect(gateway.log.join()).toContain("a planted fault");
    expect((await other.ask(get("/"))).status).toBe(200);
    await gateway.idle();
  });
});

/** Asks at a port until somebody listens there; the test's timeout is the bound. */
async function askUntilServed(port: number): Promise<Answer> {
  for (;;) {
    const client = await Client.connect(port).catch(() => undefined);
    if (client !== undefined) return client.ask(get("/"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
