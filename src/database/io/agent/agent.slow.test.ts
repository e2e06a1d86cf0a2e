import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Order } from "../../orders.ts";
import {
  emptyServer,
  NO_POSTGRES,
  sourceOf,
  startedPrimary,
  until,
  upstreamOf,
  valueOf,
} from "../../testing/servers.ts";
import type { PostgresServer } from "../server/postgres-server.ts";
import { DatabaseAgent } from "./agent.ts";
import { AgentClient, AgentServer } from "./agent-server.ts";

const agents = new Set<DatabaseAgent>();

afterEach(() => {
  for (const agent of agents) agent.leave();
  agents.clear();
});

async function agentOf(server: PostgresServer): Promise<DatabaseAgent> {
  const agent = new DatabaseAgent({ server, backups: undefined });
  agents.add(agent);
  await agent.start();
  return agent;
}

/** What an order came to, in short. */
async function told(agent: DatabaseAgent, order: Order): Promise<string> {
  const outcome = await agent.order(order);
  return outcome.kind === "done" ? "done" : outcome.reason;
}

async function pair(): Promise<{ first: DatabaseAgent; second: DatabaseAgent }> {
  const first = await agentOf(await startedPrimary());
  const second = await agentOf(await emptyServer());
  expect(second.facts().state).toBe("absent");
  expect(await told(second, { kind: "reclone", term: 0, source: sourceOf(first.server) })).toBe("done");
  return { first, second };
}

describe.skipIf(NO_POSTGRES)("an agent (needs Postgres)", () => {
  test("reports its server, and starts it again in no time when it crashes", async () => {
    const agent = await agentOf(await startedPrimary());
    await agent.look();
    expect(agent.facts()).toMatchObject({
      state: "running",
      term: 0,
      leaseLeftMs: null,
      view: { role: "primary" },
    });
    const startedMs = performance.now();
    process.kill(agent.server.pid ?? 0, "SIGKILL");
    await until("it crashed", async () => agent.facts().state !== "running");
    await until(
      "it answers",
      async () => (await valueOf(agent.server, "select 1").catch(() => null)) === "1",
    );
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });

  test("makes a replica, promotes it, and brings the frozen primary back", async () => {
    const { first, second } = await pair();
    await first.server.query("create table kept (id int)");
    expect(await told(first, { kind: "quorum", count: 1, names: [second.server.name] })).toBe("done");
    await first.server.query("insert into kept values (1)");
    expect(await told(first, { kind: "freeze" })).toBe("done");
    expect(first.facts()).toMatchObject({ state: "fenced", view: null, stopped: { timeline: 1 } });
    expect(await told(second, { kind: "drain", data: first.server.data })).toBe("done");
    expect(await told(second, { kind: "promote", term: 1 })).toBe("done");
    expect(await told(second, { kind: "promote", term: 1 })).toBe("done");
    expect(await told(first, { kind: "rejoin", term: 1, source: sourceOf(second.server) })).toBe("done");
    await second.server.query("insert into kept values (2)");
    await until("it follows", async () => (await valueOf(first.server, "select count(*) from kept")) === "2");
    expect([first.facts().view?.role, second.facts().term]).toEqual(["replica", 1]);
  });

  test("hands over in order: the old primary stops with nothing unsent and follows the new one", async () => {
    const { first, second } = await pair();
    await first.server.query("create table kept as select generate_series(1, 1000) as id");
    await first.server.stop("fast");
    expect(await told(second, { kind: "promote", term: 1 })).toBe("done");
    expect(await told(second, { kind: "slots", servers: [first.server.name] })).toBe("done");
    expect(
      await told(first, { kind: "follow", term: 1, upstream: upstreamOf(second.server, first.server) }),
    ).toBe("done");
    await second.server.query("insert into kept values (0)");
    await until(
      "it follows",
      async () => (await valueOf(first.server, "select count(*) from kept")) === "1001",
    );
  });

  test("does not have a replica follow one that has less: it rejoins instead", async () => {
    const { first, second } = await pair();
    const third = await agentOf(await emptyServer());
    expect(await told(third, { kind: "reclone", term: 0, source: sourceOf(first.server) })).toBe("done");
    const nowhere = { host: "127.0.0.1", port: 1, slot: undefined };
    expect(await told(second, { kind: "follow", term: 0, upstream: nowhere })).toBe("done");
    await until("it is cut off", async () => (await second.server.view()).receiver === null);
    await first.server.query("create table kept as select 1 as id");
    await until(
      "the third has it",
      async () => (await valueOf(third.server, "select count(*) from kept").catch(() => null)) === "1",
    );
    await first.order({ kind: "freeze" });
    expect(await told(second, { kind: "promote", term: 1 })).toBe("done");
    const upstream = upstreamOf(second.server, third.server);
    expect(await told(third, { kind: "follow", term: 1, upstream })).toBe("diverged");
    expect(await told(third, { kind: "rejoin", term: 1, source: sourceOf(second.server) })).toBe("done");
    expect(await valueOf(third.server, "select to_regclass('kept')")).toBeNull();
  });

  test("refuses what makes no sense, and says why", async () => {
    const { first, second } = await pair();
    expect(await told(first, { kind: "promote", term: 1 })).toBe("is-primary");
    expect(
      await told(first, { kind: "follow", term: 1, upstream: upstreamOf(second.server, first.server) }),
    ).toBe("is-primary");
    expect(await told(second, { kind: "slots", servers: ["x"] })).toBe("is-replica");
    expect(await told(second, { kind: "backup", label: "x" })).toBe("no-archive");
    expect(await told(second, { kind: "promote", term: 0 })).toBe("stale-term");
    await second.server.stop();
    expect(await told(second, { kind: "promote", term: 1 })).toBe("not-running");
  });

  test("is asked over a Unix socket and over TCP, with the token only", async () => {
    const agent = await agentOf(await startedPrimary());
    const path = join(agent.server.options.folder, "agent.sock");
    const { log } = agent.server.options;
    const unix = new AgentServer({ agent, address: { kind: "unix", path }, token: "secret", log });
    const tcp = new AgentServer({
      agent,
      address: { kind: "tcp", host: "127.0.0.1", port: 0 },
      token: "secret",
      log,
    });
    for (const address of [
      { kind: "unix", path },
      { kind: "tcp", host: "127.0.0.1", port: tcp.port ?? 0 },
    ] as const) {
      const client = new AgentClient(address, "secret");
      expect((await client.facts(1000)).name).toBe(agent.server.name);
      expect((await client.order({ kind: "start" })).kind).toBe("done");
      expect(await new AgentClient(address, "guess").facts(1000).catch(String)).toContain("401");
      expect(await client.order({ kind: "promote", term: -1 }).catch(String)).toContain("400");
    }
    await Promise.all([unix.stop(), tcp.stop()]);
  });
});

describe.skipIf(NO_POSTGRES)("a lease (needs Postgres)", () => {
  test("that runs out ends the primary, which comes back read-only until it has one again", async () => {
    const agent = await agentOf(await startedPrimary());
    await agent.server.query("create table kept as select 1 as id");
    expect(await told(agent, { kind: "lease", term: 1, validMs: 300 })).toBe("done");
    const startedMs = performance.now();
    await until(
      "it is fenced",
      async () => agent.server.state === "fenced" && !existsSync(`/proc/${agent.server.pid}`),
    );
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(await told(agent, { kind: "start" })).toBe("done");
    expect(agent.facts().view?.role).toBe("replica");
    expect(await told(agent, { kind: "promote", term: 2 })).toBe("lease-over");
    expect(await told(agent, { kind: "lease", term: 0, validMs: 5000 })).toBe("stale-term");
    expect(await told(agent, { kind: "lease", term: 2, validMs: 20_000 })).toBe("done");
    expect(await told(agent, { kind: "promote", term: 2 })).toBe("done");
    await agent.server.query("insert into kept values (2)");
  });

  test("that is renewed in time lets the primary go on", async () => {
    const agent = await agentOf(await startedPrimary());
    const { pid } = agent.server;
    for (let round = 0; round < 6; round++) {
      await agent.order({ kind: "lease", term: 1, validMs: 300 });
      await Bun.sleep(100);
    }
    expect([agent.server.state, agent.server.pid]).toEqual(["running", pid]);
  });

  test("of a promotion that never came ends nobody", async () => {
    const { second } = await pair();
    await second.order({ kind: "lease", term: 1, validMs: 100 });
    await Bun.sleep(600);
    expect([second.server.state, await valueOf(second.server, "select 1")]).toEqual(["running", "1"]);
  });

  test.skipIf(!existsSync("/proc/uptime"))("ends the primary of an agent that is dead", async () => {
    const agent = await agentOf(await startedPrimary());
    const { pid, data } = agent.server;
    await agent.order({ kind: "lease", term: 1, validMs: 500 });
    agent.leave(); // as a dead one, it does nothing any more
    await until("the guard ends it", async () => !existsSync(`/proc/${pid}`), 3000);
    await until("it is a replica from now on", async () => existsSync(join(data, "standby.signal")));
  });

  test("whose guard cannot be told of it is none, and orders go on once it can be", async () => {
    const agent = await agentOf(await startedPrimary());
    const draft = join(agent.server.options.folder, "lease.tmp");
    expect(await told(agent, { kind: "lease", term: 1, validMs: 20_000 })).toBe("done");
    mkdirSync(draft);
    expect(await told(agent, { kind: "lease", term: 1, validMs: 60_000 })).toBe("failed");
    expect(agent.facts().leaseLeftMs).toBeLessThan(20_000);
    // Started anew, the server would go on without a guard: it is ended.
    expect(await told(agent, { kind: "restart" })).toBe("failed");
    expect(agent.server.state).toBe("fenced");
    rmdirSync(draft);
    expect(await told(agent, { kind: "start" })).toBe("done");
    expect(await told(agent, { kind: "lease", term: 2, validMs: 20_000 })).toBe("done");
    expect(await told(agent, { kind: "promote", term: 2 })).toBe("done");
  });

  test("is kept by the next agent for as long as it had to go", async () => {
    const server = await startedPrimary();
    const agent = await agentOf(server);
    await agent.order({ kind: "lease", term: 3, validMs: 1500 });
    agent.leave();
    const heir = await agentOf(
      await emptyServer({ folder: server.options.folder, port: server.options.settings.port }),
    );
    expect(heir.facts()).toMatchObject({ state: "running", term: 3, view: { role: "primary" } });
    expect(heir.facts().leaseLeftMs ?? 0).toBeGreaterThan(0);
    await until("it is fenced", async () => heir.server.state === "fenced", 3000);
  });
});
