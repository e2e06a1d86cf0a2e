import { describe, expect, test } from "bun:test";
import type { ServiceConfig } from "../config/index.ts";
import { ImaginaryMachine } from "./testing/imaginary-machine.ts";
import { configOf, webConfig } from "./testing/site.ts";
import { GATEWAY } from "./workers.ts";

/** A machine on which the service has come up. */
async function running(service: Record<string, unknown> = {}): Promise<ImaginaryMachine> {
  const machine = new ImaginaryMachine();
  await machine.start(webConfig(service));
  await machine.pass(2);
  return machine;
}

const deployStatus = (machine: ImaginaryMachine): string | undefined =>
  machine.controller.status().services[0]?.deploy?.status;

test("a task that has just died counts as healthy at no moment, not even while its end is written down", async () => {
  const machine = await running({ tasks: 2 });
  const claims = new Set<number>();
  machine.isDiskFull = () => {
    const [web] = machine.controller.status().services;
    const alive = web?.tasks.filter(({ state }) => state === "healthy").length ?? 0;
    claims.add((web?.healthy ?? 0) - alive);
    return false;
  };
  for (const pid of machine.pids("web/")) machine.crash(pid);
  await machine.pass(1);
  expect(Math.max(...claims)).toBe(0);
});

describe("a controller that is killed at any write", () => {
  /** Brings a service up, deploys it and scales it, and is killed during write `atWrite`; gives the writes made. */
  async function killedAt(atWrite: number, written: boolean): Promise<ImaginaryMachine> {
    const machine = new ImaginaryMachine();
    await machine.start(webConfig(), { atWrite, written });
    await machine.pass(2);
    void machine.controller.deploy("web");
    await machine.pass(3);
    void machine.controller.scale("web", 3);
    await machine.pass(2);
    machine.kill();
    return machine;
  }

  for (const written of [false, true]) {
    test(`leaves a state from which a new one gets everything right (write ${written ? "done" : "lost"})`, async () => {
      const writes = (await killedAt(0, written)).writes;
      expect(writes).toBeGreaterThan(30);
      for (let atWrite = 1; atWrite <= writes; atWrite += 1) {
        const machine = await killedAt(atWrite, written);
        const before = machine.pids();
        await machine.start(webConfig());
        await machine.pass(4);
        const [web] = machine.controller.status().services;
        expect([atWrite, machine.offences, machine.kills, web?.healthy, web?.tasks.length]).toEqual([
          atWrite,
          [],
          0,
          web?.wanted,
          web?.wanted,
        ]);
        expect(machine.pids("web/")).toEqual(
          expect.arrayContaining(web?.tasks.map((task) => task.pid) ?? []),
        );
        expect(machine.pids()).toHaveLength((web?.wanted ?? 0) + 1);
        if (deployStatus(machine) === undefined)
          expect(machine.pids().slice(0, before.length)).toEqual(before);
      }
    });
  }

  test("and started again restarts nothing, and publishes a higher revision", async () => {
    const machine = await running();
    const [pids, revision] = [machine.pids(), machine.controller.status().snapshot.revision];
    machine.kill();
    await machine.pass(60);
    await machine.start(webConfig());
    await machine.pass(60);
    expect([machine.pids(), machine.launches]).toEqual([pids, 3]);
    expect(machine.controller.status().snapshot.revision).toBe(revision + 1);
  });
});

test("a lost snapshot file does not bring back numbers that were used", async () => {
  const machine = await running();
  const { revision } = machine.controller.status().snapshot;
  machine.kill();
  machine.dataPlane.published.length = 0;
  await machine.start(webConfig());
  await machine.pass(1);
  expect(machine.controller.status().snapshot.revision).toBe(revision + 1);
});

describe("while the state cannot be written", () => {
  test("nothing is done that is not on record, status says why, and all goes on afterwards", async () => {
    for (let from = 10; from <= 60; from += 1) {
      const machine = await running();
      machine.isDiskFull = (write) => write >= from && write < from + 8;
      void machine.controller.deploy("web").catch(() => {});
      await machine.pass(8);
      const [web] = machine.controller.status().services;
      expect([from, machine.offences, web?.healthy, machine.pids().length]).toEqual([from, [], 2, 3]);
      expect(machine.controller.status().problem).toBeUndefined();
    }
  });

  test("the problem is told as long as it lasts", async () => {
    const machine = await running();
    machine.isDiskFull = () => true;
    for (const pid of machine.pids("web/")) machine.crash(pid);
    await machine.pass(1);
    expect(machine.controller.status().problem).toContain("free space");
    expect(machine.pids("web/")).toEqual([]);
    machine.isDiskFull = () => false;
    await machine.pass(2);
    expect(machine.controller.status()).toMatchObject({ services: [{ healthy: 2 }] });
  });
});

describe("when the data plane does not answer", () => {
  test("a deploy starts its tasks and waits; nothing that serves is stopped, however long", async () => {
    const machine = await running();
    const old = machine.pids("web/");
    machine.dataPlane.ackedUpTo = 0;
    await machine.controller.deploy("web");
    await machine.pass(300);
    expect(machine.pids("web/").slice(0, 2)).toEqual(old);
    machine.dataPlane.ackedUpTo = Number.POSITIVE_INFINITY;
    await machine.pass(2);
    expect([machine.pids("web/").some((pid) => old.includes(pid)), deployStatus(machine)]).toEqual([
      false,
      "succeeded",
    ]);
  });

  test("down ends the tasks all the same, once the workers are gone", async () => {
    const machine = await running();
    machine.dataPlane.ackedUpTo = 0;
    void machine.controller.down();
    await machine.pass(2);
    expect([machine.pids(), machine.controller.status().phase]).toEqual([[], "down"]);
  });
});

describe("what apps need", () => {
  /** An app, and what holds its data: two stages. */
  async function twoStages(): Promise<ImaginaryMachine> {
    const machine = new ImaginaryMachine();
    const { services, ...rest } = webConfig({ tasks: 2 });
    const [web] = services as [ServiceConfig];
    const keeper = { ...web, name: "keeper", tasks: 1, targetGroup: "keeper", stage: 1, outlived: true };
    const groups = rest.targetGroups.map((group) => ({ ...group, name: "keeper", service: "keeper" }));
    const config = {
      ...rest,
      targetGroups: [...rest.targetGroups, ...groups],
      services: [web, { ...keeper, deploy: { minHealthyPercent: 0, maxPercent: 100, rollback: false } }],
    };
    await machine.start(config);
    await machine.pass(2);
    return machine;
  }

  test("goes down when the last task of an app has ended", async () => {
    const machine = await twoStages();
    void machine.controller.down();
    await machine.pass(5);
    expect(machine.asked.slice(-3)).toEqual(["web/1 SIGTERM", "web/2 SIGTERM", "keeper/1 SIGTERM"]);
    expect(machine.controller.status().phase).toBe("down");
  });

  test("hands over what outlives it when another task takes its place", async () => {
    const machine = await twoStages();
    await machine.controller.deploy("keeper");
    await machine.pass(5);
    await machine.controller.deploy("web");
    await machine.pass(5);
    expect(machine.asked.filter((line) => line.startsWith("keeper"))).toEqual(["keeper/1 SIGHUP"]);
    expect(machine.asked.filter((line) => line.startsWith("web"))).toEqual([
      "web/1 SIGTERM",
      "web/2 SIGTERM",
    ]);
  });
});

test("the workers are replaced by a deploy of the gateway, new ones first, and the tasks stay", async () => {
  const machine = await running();
  const numbers = (): unknown[] => machine.controller.status().workers.map(({ worker }) => worker);
  const [workers, tasks] = [machine.pids("@gateway/"), machine.pids("web/")];
  await machine.controller.deploy(GATEWAY);
  await machine.pass(0.25);
  expect(numbers()).toEqual([0, 1]);
  await machine.pass(2);
  expect(numbers()).toEqual([1]);
  expect([machine.pids("@gateway/")[0] === workers[0], machine.pids("web/")]).toEqual([false, tasks]);
});

test("workers that are not heard of are exchanged after a while, new ones first, and nothing else is touched", async () => {
  const machine = await running();
  const [workers, tasks] = [machine.pids("@gateway/"), machine.pids("web/")];
  machine.dataPlane.silent.add(workers[0] ?? 0);
  await machine.pass(1.5);
  expect(machine.pids("@gateway/")).toEqual(workers);
  await machine.pass(0.75);
  expect(machine.pids("@gateway/")).toHaveLength(2);
  await machine.pass(5);
  expect(machine.pids("@gateway/")).toHaveLength(1);
  expect([machine.pids("@gateway/")[0] === workers[0], machine.pids("web/")]).toEqual([false, tasks]);
});

test("a task counts as healthy once the workers know of it", async () => {
  const machine = new ImaginaryMachine();
  machine.dataPlane.ackedUpTo = 0;
  await machine.start(webConfig({ tasks: 1 }));
  await machine.pass(2);
  const service = () => machine.controller.status().services[0];
  expect(service()).toMatchObject({ healthy: 0, state: "changing" });
  expect(service()?.tasks[0]).toMatchObject({ state: "healthy", waiting: "the gateway to take it up" });
  machine.dataPlane.ackedUpTo = machine.controller.status().snapshot.revision;
  expect(service()).toMatchObject({ healthy: 1, state: "steady" });
});

describe("a task that its checks find unhealthy", () => {
  test("is drained and started again after half a minute, unless it recovers", async () => {
    const machine = await running();
    const [first, second] = machine.controller.status().services[0]?.tasks ?? [];
    machine.dataPlane.healthOf.set(first?.target ?? "", false);
    await machine.pass(20);
    machine.dataPlane.healthOf.set(first?.target ?? "", true);
    machine.dataPlane.healthOf.set(second?.target ?? "", false);
    await machine.pass(33);
    const tasks = machine.controller.status().services[0]?.tasks ?? [];
    expect(tasks.map((task) => [task.id, task.restarts])).toEqual([
      ["web/1", 0],
      ["web/2", 1],
    ]);
    expect(tasks[1]?.problem).toContain("failed its health checks for 30s while its process was alive");
  });
});

describe("a service that is taken out of the config", () => {
  test("is drained, ended and forgotten; the others go on", async () => {
    const machine = await running();
    const worker = machine.pids("@gateway/");
    await machine.controller.reload(configOf({}));
    expect(machine.controller.status().services[0]?.state).toBe("removing");
    await machine.pass(2);
    expect([machine.pids(), machine.controller.status().services]).toEqual([worker, []]);
    expect(machine.dataPlane.latest()?.targetGroups).toEqual([]);
  });
});

describe("a target that is drained by hand", () => {
  test("gets no new requests and goes on running, under the next controller too, until that is undone", async () => {
    const machine = await running();
    const [first, second] = machine.controller.status().services[0]?.tasks ?? [];
    expect(await machine.controller.drain("web", first?.target ?? "")).toMatchObject({ kind: "accepted" });
    await machine.pass(1);
    expect(machine.dataPlane.targets("active")).toEqual([second?.target ?? ""]);
    machine.kill();
    await machine.start(webConfig());
    await machine.pass(1);
    expect([machine.dataPlane.targets("draining"), machine.launches]).toEqual([[first?.target ?? ""], 3]);
    await machine.controller.drain("web", first?.target ?? "", true);
    await machine.pass(1);
    expect(machine.dataPlane.targets("active")).toHaveLength(2);
  });
});

describe("autoscaling through the controller", () => {
  const autoscale = { min: 2, max: 8, inFlight: 10, downWindow: "30s" };

  test("reaches the needed number within three seconds of a tenfold step, and goes back after the window", async () => {
    const machine = await running({ autoscale });
    const tasks = (): number | undefined => machine.controller.status().services[0]?.healthy;
    machine.dataPlane.inFlightOfGroup.set("web", 8);
    await machine.pass(90);
    machine.dataPlane.inFlightOfGroup.set("web", 80);
    await machine.pass(3);
    expect(tasks()).toBe(8);
    machine.dataPlane.inFlightOfGroup.set("web", 8);
    await machine.pass(180);
    expect(tasks()).toBe(2);
    const moves = machine.controller.events().filter((event) => event.kind.startsWith("scaled-"));
    expect(new Set(moves.map((event) => event.kind))).toEqual(new Set(["scaled-up", "scaled-down"]));
  });

  test("follows a backlog, and keeps its tasks while the source does not answer", async () => {
    const backlog = { url: "http://127.0.0.1:9/depth", perTask: 100 };
    const machine = await running({ autoscale: { min: 1, max: 8, backlog, downWindow: "30s" } });
    const tasks = (): number | undefined => machine.controller.status().services[0]?.healthy;
    machine.backlog = 550;
    await machine.pass(3);
    expect(tasks()).toBe(6);
    machine.backlog = undefined;
    await machine.pass(180);
    expect(tasks()).toBe(6);
    machine.backlog = 0;
    await machine.pass(180);
    expect(tasks()).toBe(1);
  });

  test("a new controller does not shrink before it has seen a whole down window", async () => {
    const machine = await running({ autoscale: { ...autoscale, downWindow: "5m" } });
    machine.dataPlane.inFlightOfGroup.set("web", 80);
    await machine.pass(5);
    machine.kill();
    machine.dataPlane.inFlightOfGroup.set("web", 1);
    await machine.start(webConfig({ autoscale: { ...autoscale, downWindow: "5m" } }));
    await machine.pass(200);
    expect(machine.controller.status().services[0]?.healthy).toBe(8);
  });
});

test("a process that is killed again and again waits longer each time, and a deploy starts afresh at once", async () => {
  const machine = await running({ tasks: 1 });
  for (let times = 0; times < 6; times += 1) {
    for (const pid of machine.pids("web/")) machine.crash(pid);
    await machine.pass(0.1);
  }
  expect(machine.controller.status().services[0]?.tasks[0]?.state).toBe("backoff");
  await machine.controller.deploy("web");
  await machine.pass(1);
  expect(machine.controller.status().services[0]?.healthy).toBe(1);
});
