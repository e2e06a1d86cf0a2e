import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { eventually, isRunning } from "../testing/eventually.ts";
import { temporaryFolder } from "../testing/folders.ts";
import { ask, closeSites, Site, webConfig } from "../testing/site.ts";

afterEach(closeSites);

const open = (service?: Record<string, unknown>, env?: Record<string, string>): Promise<Site> =>
  Site.open(temporaryFolder(), webConfig(service, env));

const pidsOf = (tasks: readonly { readonly pid?: number }[]): number[] => tasks.map((task) => task.pid ?? 0);

describe("a controller", () => {
  test("starts the workers and the wanted tasks, and registers each when it is ready", async () => {
    const site = await open();
    const tasks = await site.healthy(2);
    expect((await ask(tasks[0]!)).task).toBe("web/1");
    await eventually(() => site.dataPlane.targets("active").length === 2);
    expect(site.status().workers).toMatchObject([{ id: "@gateway/1", state: "healthy" }]);
    expect(readFileSync(tasks[0]?.log ?? "", "utf8")).toBe("mode good\n");
  });

  test("replaces a task that is killed, and unregisters it at once", async () => {
    const site = await open();
    const [first] = await site.healthy(2);
    process.kill(first?.pid ?? 0, "SIGKILL");
    await eventually(() => !site.dataPlane.targets("active").includes(first?.target ?? ""));
    const again = await site.healthy(2);
    expect(again[0]).toMatchObject({ id: "web/1", restarts: 1 });
    expect(again[0]?.problem).toContain("ended with signal SIGKILL");
  });

  test("down ends everything it started, workers first, and nothing else", async () => {
    const site = await open();
    const bystander = Bun.spawn(["sleep", "60"]);
    const pids = [...pidsOf(await site.healthy(2)), ...pidsOf(site.status().workers)];
    await site.down();
    expect(await Promise.all(pids.map(isRunning))).toEqual([false, false, false]);
    expect(await isRunning(bystander.pid)).toBe(true);
    bystander.kill("SIGKILL");
    expect(site.status()).toMatchObject({ phase: "down", services: [], workers: [] });
  });
});

describe("a deploy", () => {
  test("replaces every task, and stops none before its drain is acknowledged", async () => {
    const site = await open();
    const old = await site.healthy(2);
    site.dataPlane.ackedUpTo = site.status().snapshot.revision;
    expect(await site.controller.deploy("web")).toMatchObject({ kind: "accepted" });
    await eventually(() => site.dataPlane.targets("draining").length === 2);
    expect(await Promise.all(pidsOf(old).map(isRunning))).toEqual([true, true]);
    site.dataPlane.ackedUpTo = Number.POSITIVE_INFINITY;
    const tasks = await site.healthy(2);
    expect(pidsOf(tasks).some((pid) => pidsOf(old).includes(pid))).toBe(false);
    await eventually(() => site.status().services[0]?.deploy?.status === "succeeded");
  });

  test("waits for requests in flight", async () => {
    const site = await open({ tasks: 1 });
    const [old] = await site.healthy(1);
    site.dataPlane.inFlightTo.set(old?.target ?? "", 3);
    await site.controller.deploy("web");
    const waiting = await eventually(() =>
      site.tasks().find((task) => task.waiting === "3 requests in flight"),
    );
    expect(waiting.pid).toBe(old?.pid ?? 0);
    expect(await isRunning(old?.pid ?? 0)).toBe(true);
    site.dataPlane.inFlightTo.set(old?.target ?? "", 0);
    expect(pidsOf(await site.healthy(1))).not.toEqual(pidsOf([old!]));
  });

  test("of a changed config begins by itself, live settings do not begin one", async () => {
    const site = await open({ tasks: 1 });
    const old = await site.healthy(1);
    await site.controller.reload(webConfig({ tasks: 1, drainTimeout: "1s" }));
    expect(pidsOf(await site.healthy(1))).toEqual(pidsOf(old));
    await site.controller.reload(webConfig({ tasks: 1 }, { VERSION: "2" }));
    const [task] = await eventually(
      () => site.tasks().length === 1 && pidsOf(site.tasks())[0] !== pidsOf(old)[0] && site.healthy(1),
    );
    expect((await ask(task!)).version).toBe("2");
  });

  test("that fails is rolled back while the old tasks go on, and says why with the end of the log", async () => {
    const site = await open({ tasks: 1 });
    const old = await site.healthy(1);
    await site.controller.reload(webConfig({ tasks: 1 }, { MODE: "exits" }));
    const deploy = await eventually(() => {
      const last = site.status().services[0]?.deploy;
      return last?.status === "rolled-back" && last;
    });
    expect(deploy.message).toContain("3 starts of");
    expect(deploy.message).toContain("cannot find my settings");
    expect(pidsOf(await site.healthy(1))).toEqual(pidsOf(old));
  });
});

describe("scaling", () => {
  test("by hand starts and drains tasks", async () => {
    const site = await open({ tasks: 1 });
    await site.healthy(1);
    await site.controller.scale("web", 3);
    await site.healthy(3);
    await site.controller.scale("web", 1);
    expect((await site.healthy(1))[0]?.id).toBe("web/1");
  });

  test("follows the requests in flight, with a record of why", async () => {
    const site = await open({ tasks: 1, autoscale: { min: 1, max: 4, inFlight: 10 } });
    await site.healthy(1);
    site.dataPlane.inFlightOfGroup.set("web", 40);
    await site.healthy(4);
    const decision = site.controller.decisions("web").find((candidate) => candidate.direction === "up");
    expect(decision).toMatchObject({ reason: "panic", inputs: { inFlight: 40 } });
  });
});

describe("what is asked wrongly is refused with the mend", () => {
  test("unknown names and impossible numbers", async () => {
    const site = await open({ tasks: 1 });
    expect(await site.controller.deploy("wbe")).toMatchObject({ kind: "refused", reason: "unknown-service" });
    expect(await site.controller.scale("web", -1)).toMatchObject({ kind: "refused", reason: "bad-number" });
    expect(await site.controller.drain("web", "x:1")).toMatchObject({
      kind: "refused",
      reason: "unknown-target",
    });
  });
});

describe("an app that does not come up says why", () => {
  const cases: [
    name: string,
    service: Record<string, unknown>,
    env: Record<string, string>,
    message: RegExp,
  ][] = [
    [
      "never listens",
      {},
      { MODE: "deaf" },
      /task web\/1 \(pid \d+\) did not listen on PORT=\d+ within 400ms: make.*log ends: mode deaf/,
    ],
    [
      "answers 404",
      {},
      { MODE: "lost" },
      /answered GET \/healthz with 404 where 200-399 is wanted within 400ms.*health\.path/,
    ],
    [
      "exits at once",
      {},
      { MODE: "exits" },
      /ended with exit code 7 after .*; its log ends: cannot find my settings/,
    ],
    [
      "is not installed",
      { command: ["no-such-app"] },
      {},
      /task web\/1 no program "no-such-app" in PATH.*install it/,
    ],
  ];
  for (const [name, service, env, message] of cases) {
    test(name, async () => {
      const site = await open({ tasks: 1, startTimeout: "400ms", ...service }, env);
      expect(await eventually(() => site.status().services[0]?.tasks[0]?.problem)).toMatch(message);
    });
  }
});

describe("a new controller", () => {
  test("adopts what runs, restarts nothing healthy, and replaces what died meanwhile", async () => {
    const directory = temporaryFolder();
    const first = await Site.open(directory, webConfig());
    const [kept, lost] = await first.healthy(2);
    const workers = pidsOf(first.status().workers);
    await first.leave();
    process.kill(lost?.pid ?? 0, "SIGKILL");
    await eventually(async () => !(await isRunning(lost?.pid ?? 0)));
    const second = await Site.open(directory, webConfig(), first.dataPlane);
    const tasks = await second.healthy(2);
    expect(tasks[0]).toMatchObject({ id: kept?.id, pid: kept?.pid, restarts: 0 });
    expect(tasks[1]).toMatchObject({ id: lost?.id, restarts: 1 });
    expect(pidsOf(second.status().workers)).toEqual(workers);
  });

  test("finds everything after a SIGKILL at any moment of a deploy, and leaves no process behind", async () => {
    const script = fileURLToPath(new URL("../testing/controller-process.ts", import.meta.url));
    const directory = temporaryFolder();
    for (const delayMs of [0, 40, 80, 120]) {
      const controller = Bun.spawn([process.execPath, script, directory], {
        stdout: "pipe",
        stderr: "ignore",
      });
      await controller.stdout.getReader().read();
      await Bun.sleep(delayMs);
      controller.kill("SIGKILL");
      await controller.exited;
    }
    const site = await Site.open(directory, webConfig());
    await eventually(() => site.status().services[0]?.deploy?.status === "succeeded");
    const tasks = await site.healthy(2);
    const known = new Set([...pidsOf(tasks), ...pidsOf(site.status().workers)]);
    expect(new Set(processesOf(directory))).toEqual(known);
  });
});

/** Pids whose output goes to a log below `directory`: whatever was started from it and still runs. */
function processesOf(directory: string): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => outputOf(pid).startsWith(directory));
}

function outputOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/1`);
  } catch {
    return "";
  }
}
