import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { reconcile, UNHEALTHY_REPLACE_MS } from "./reconcile.ts";
import { createService } from "./service.ts";
import { serviceConfig, TO_HEALTHY, taskAfter } from "./testing/builders.ts";
import { type Behaviour, WELL, World } from "./testing/world.ts";

const NEVER_READY: Behaviour = { readyMs: Number.POSITIVE_INFINITY, deathPerTick: 0 };
const DIES_AT_ONCE: Behaviour = { readyMs: 3000, deathPerTick: 1 };
const DIES_OFTEN: Behaviour = { readyMs: 1000, deathPerTick: 0.01 };

describe("a service at rest", () => {
  test("comes to the wanted number and then does nothing", () => {
    const world = new World(1, { tasks: 5 }).run(10);
    const ids = world.tasks.map((task) => task.id);
    expect(world.healthy()).toBe(5);
    expect(world.run(60).tasks.map((task) => task.id)).toEqual(ids);
  });

  test("grows and shrinks to a new number, the youngest leaving first", () => {
    const world = new World(2, { tasks: 2 }).run(10);
    world.scale(6);
    expect(world.run(10).healthy()).toBe(6);
    world.scale(3);
    expect(world.run(60).tasks.map((task) => task.id)).toEqual(["web/1", "web/2", "web/3"]);
    expect(world.offences).toEqual([]);
  });

  test("keeps bringing back tasks that keep dying", () => {
    const world = new World(3, { tasks: 4 }, [DIES_OFTEN]).run(600);
    expect(world.staying()).toHaveLength(4);
    expect(world.tasks.reduce((sum, task) => sum + task.restarts, 0)).toBeGreaterThan(4);
  });

  test("loses all its tasks when it is removed, each drained first", () => {
    const world = new World(4, { tasks: 4 }).run(10);
    world.goal = "remove";
    expect(world.run(60).tasks).toEqual([]);
    expect(world.offences).toEqual([]);
  });
});

describe("while the data plane cannot be reached", () => {
  test("no healthy task is stopped, however long that lasts", () => {
    const world = new World(5, { tasks: 4 }).run(10);
    world.reachable = false;
    world.deploy();
    world.run(3600);
    expect(world.tasks.filter((task) => task.state.kind === "stopping")).toEqual([]);
    expect(world.healthy() + world.tasks.filter((task) => task.state.kind === "draining").length).toBe(8);
    world.reachable = true;
    expect(world.run(120).service.deploy?.status).toBe("succeeded");
  });
});

describe("a deploy", () => {
  const percents: [min: number, max: number][] = [
    [100, 200],
    [100, 150],
    [50, 100],
    [50, 150],
    [0, 100],
    [75, 125],
  ];

  test("exchanges every task and keeps both bounds at every moment, whatever the percentages", () => {
    const random = seededRandom(99);
    for (let seed = 1; seed <= 36; seed += 1) {
      const [minHealthyPercent, maxPercent] = percents[seed % percents.length]!;
      const tasks = 4 + Math.floor(random() * 8);
      const world = new World(seed, { tasks, deploy: { minHealthyPercent, maxPercent, rollback: true } }).run(
        60,
      );
      world.deploy();
      world.run(900);
      const to = world.service.deploy?.to ?? "";
      expect([seed, world.offences, world.service.deploy?.status]).toEqual([seed, [], "succeeded"]);
      expect([world.healthy(to), world.tasks.length, world.service.current]).toEqual([tasks, tasks, to]);
    }
  });

  for (const [name, bad] of Object.entries({ "never ready": NEVER_READY, "dying at once": DIES_AT_ONCE })) {
    test(`of tasks ${name} is rolled back, and the old revision served all the time`, () => {
      for (let seed = 1; seed <= 10; seed += 1) {
        const world = new World(seed, { tasks: 4 }, [WELL, bad]).run(60);
        const old = world.service.current;
        world.deploy();
        for (let second = 0; second < 900; second += 1) expect(world.run(1).healthy(old)).toBe(4);
        expect(world.service).toMatchObject({ current: old, deploy: { status: "rolled-back", from: old } });
        expect(world.tasks).toHaveLength(4);
      }
    });
  }

  test("with room only below the wanted number is rolled back to all of the old revision", () => {
    const deploy = { minHealthyPercent: 50, maxPercent: 100, rollback: true };
    const world = new World(7, { tasks: 4, deploy }, [WELL, NEVER_READY]).run(60);
    const old = world.service.current;
    world.deploy();
    world.run(1200);
    expect([world.healthy(old), world.service.deploy?.status, world.offences]).toEqual([
      4,
      "rolled-back",
      [],
    ]);
  });

  test("that fails with rollback off stops where it is and keeps the wanted number serving", () => {
    const deploy = { minHealthyPercent: 50, maxPercent: 100, rollback: false };
    const world = new World(8, { tasks: 4, deploy }, [WELL, NEVER_READY]).run(60);
    world.deploy();
    world.run(1200);
    expect([world.healthy(), world.service.deploy?.status]).toEqual([4, "failed"]);
    expect(world.service.deploy?.message).toContain("was not ready within 30s");
  });

  test("mends a service whose tasks keep dying, without waiting for their backoff", () => {
    const world = new World(9, { tasks: 3 }, [DIES_AT_ONCE, WELL]).run(600);
    world.deploy();
    expect(world.run(20).healthy(world.service.deploy?.to)).toBe(3);
  });

  test("begun during another one replaces it", () => {
    const world = new World(10, { tasks: 4 }, [WELL, NEVER_READY, WELL]).run(60);
    world.deploy();
    world.run(2);
    world.deploy();
    world.run(120);
    expect([world.service.deploy?.status, world.healthy(world.service.current), world.tasks.length]).toEqual([
      "succeeded",
      4,
      4,
    ]);
    expect(world.offences).toEqual([]);
  });

  test("converges although tasks die and the wanted number changes under way", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = new World(seed, { tasks: 6 }, [DIES_OFTEN, { ...WELL, deathPerTick: 0.001 }]).run(30);
      world.deploy();
      world.run(2);
      world.scale(3 + (seed % 6));
      world.behaviours.splice(0, 2, WELL, WELL);
      world.run(600);
      expect([seed, world.healthy(), world.tasks.length]).toEqual([
        seed,
        world.service.wanted,
        world.service.wanted,
      ]);
    }
  });
});

describe("a task that hangs", () => {
  const service = createService(serviceConfig());
  const hung = { ...taskAfter(...TO_HEALTHY), revision: service.current };
  const view = (unhealthyForMs: number, tasks = [hung, { ...hung, id: "web/2" }]) => ({
    service,
    goal: "run" as const,
    tasks,
    nowMs: 100_000,
    signals: () => ({ drainAcked: "waiting" as const, inFlight: 0, unhealthyForMs }),
  });

  test("is replaced after a while, one at a time", () => {
    expect(reconcile(view(UNHEALTHY_REPLACE_MS - 1))).toEqual([]);
    const actions = reconcile(view(UNHEALTHY_REPLACE_MS));
    expect(actions).toHaveLength(1);
    expect(actions[0]).toMatchObject({ kind: "step", event: { kind: "retire", afterwards: "restart" } });
  });
});
