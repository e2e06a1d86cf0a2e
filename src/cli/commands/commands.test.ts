import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeployStatus } from "../../app/index.ts";
import { openStore } from "../../edge/io/index.ts";
import {
  EPOCH,
  eventOf,
  fakeController,
  groupStatus,
  hastyClock,
  scratchFolder,
  serviceStatus,
  statusOf,
  targetStatus,
  taskStatus,
  tenfold,
} from "../testing.ts";

const CONFIG = {
  listeners: {
    web: {
      address: "127.0.0.1:8080",
      rules: [
        { match: { path: "/api/*", method: ["GET", "HEAD"] }, forward: "api" },
        { match: { header: { "x-beta": "1" } }, respond: 204 },
        { match: { host: "old.example" }, redirect: "https://{host}{path}" },
        { match: { path: "/shop" }, forward: "web" },
      ],
    },
  },
  targetGroups: { api: { targets: ["10.0.0.1:9001", "10.0.0.2:9001"] } },
  services: { web: { command: ["node", "server.js"], tasks: 2 } },
};

/** A folder with `CONFIG` in it. */
function configFolder(config: unknown = CONFIG) {
  const folder = scratchFolder();
  writeFileSync(join(folder.path, "tenfold.config.json"), JSON.stringify(config));
  return folder;
}

describe("check", () => {
  test("a good config is told in a few lines", async () => {
    using folder = configFolder();
    const { code, out } = await tenfold(["check"], { cwd: folder.path });
    expect(code).toBe(0);
    expect(out).toContain("listener web  http://127.0.0.1:8080");
    expect(out).toContain("  GET or HEAD, /api/* -> api");
    expect(out).toContain("group api  round-robin, 2 targets, no checks");
    expect(out).toContain("service web  2 tasks, ready when it listens: node server.js");
  });

  test("every problem is a line, and the exit code is 1", async () => {
    using folder = configFolder({ ...CONFIG, listners: {}, gateway: { workers: 0 } });
    const { code, err } = await tenfold(["check", "-c", "tenfold.config.json"], { cwd: folder.path });
    expect([code, err.split("\n").length]).toEqual([1, 3]);
    expect(err).toContain('did you mean "listeners"?');
    expect(err).toEndWith("2 problems");
  });

  test("--json says the same to a script", async () => {
    using folder = configFolder();
    const { out } = await tenfold(["check", "--json"], { cwd: folder.path });
    expect(JSON.parse(out)).toMatchObject({ ok: true, problems: [], listeners: ["web"], services: ["web"] });
  });
});

describe("explain METHOD PATH", () => {
  const rows: [words: string[], line: string][] = [
    [["GET", "/api/users"], "web/0 matches (GET or HEAD, /api/*) -> api"],
    [["get", "/x/../api"], "web/0 matches"],
    [["POST", "/api/users"], "web/0 does not match: GET or HEAD does not hold"],
    [["GET", "/", "--header", "x-beta: 1"], 'web/1 matches (header x-beta is "1") -> respond 204'],
    [["GET", "/", "--host", "old.example"], "web/2 matches (host old.example) -> redirect 302"],
    [["GET", "/shop"], "web: round-robin over the healthy tasks of service web"],
    [["GET", "/nothing"], "no rule matches: 404 no-rule"],
    [["CONNECT", "/"], "refused before any rule: method-connect"],
  ];
  for (const [words, line] of rows) {
    test(`${words.join(" ")}: ${line}`, async () => {
      using folder = configFolder();
      const { code, out } = await tenfold(["explain", ...words], { cwd: folder.path });
      expect([code, out]).toEqual([0, expect.stringContaining(line)]);
    });
  }

  const CACHED = {
    listeners: { web: { address: "127.0.0.1:8080", rules: [{ forward: "api", cache: {} }] } },
    targetGroups: CONFIG.targetGroups,
  };

  test("of a rule with a cache says what it can without a gateway, and what is stored with one", async () => {
    using folder = configFolder(CACHED);
    const words = ["explain", "GET", "/a?b=1", "--host", "Shop.example:80"];
    const before = await tenfold(words, { cwd: folder.path });
    expect(before.out).toContain("cache  key     http://shop.example/a?b=1\n");
    expect(before.out).toContain("stored  unknown: no gateway runs here");
    const state = join(folder.path, ".tenfold");
    mkdirSync(join(state, "gateway"), { recursive: true });
    writeFileSync(join(state, "journal"), "");
    openStore({ path: join(state, "gateway", "cache"), bytes: 1 << 20, workers: 2 });
    const { code, out } = await tenfold(words, { cwd: folder.path });
    expect([code, out]).toEqual([0, expect.stringContaining("stored  nothing\n")]);
    expect(out).toContain("now     miss, absent: the app answers. Nothing is kept for it.");
  });

  test("names the targets of a group", async () => {
    using folder = configFolder();
    const { out } = await tenfold(["explain", "GET", "/api"], { cwd: folder.path });
    expect(out).toContain("api: round-robin over 10.0.0.1:9001, 10.0.0.2:9001");
  });
});

describe("deploy", () => {
  const begun: DeployStatus = {
    service: "web",
    from: "1-a",
    to: "2-b",
    status: "running",
    message: "",
    started: EPOCH,
    ended: null,
  };

  /** A deploy that ends so at the third look. */
  function deployEnding(status: DeployStatus["status"], message = "") {
    let looks = 0;
    const controller = fakeController({
      deploy: () => begun,
      status: () => {
        looks += 1;
        controller.answers.events.push(
          eventOf(looks, "web/2", `look ${looks}`),
          eventOf(looks, "other", "no"),
        );
        const deploy = looks < 3 ? begun : { ...begun, status, message };
        return statusOf({ services: [serviceStatus({ deploy })] });
      },
    });
    return controller;
  }

  test("shows the steps of its service alone, and exits 0", async () => {
    using controller = deployEnding("succeeded");
    const { code, out } = await tenfold(["deploy", "web"], { cwd: controller.folder });
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.replace(/^\d\d:\d\d:\d\d/, "T"))).toEqual([
      "deploying web: 1-a -> 2-b",
      "T  web/2       look 1",
      "T  web/2       look 2",
      "T  web/2       look 3",
      "deploy of web succeeded",
    ]);
  });

  test("exits 1 with the reason when it was rolled back", async () => {
    using controller = deployEnding("rolled-back", "task web/2 never listened");
    const { code, out } = await tenfold(["deploy", "web"], { cwd: controller.folder });
    expect(code).toBe(1);
    expect(out).toEndWith("was rolled back; the old revision serves: task web/2 never listened");
  });

  test("--json keeps stdout for the outcome", async () => {
    using controller = deployEnding("failed", "why");
    const { code, out } = await tenfold(["deploy", "web", "--json"], { cwd: controller.folder });
    expect([code, JSON.parse(out)]).toEqual([1, { ...begun, status: "failed", message: "why" }]);
  });

  test("--no-wait returns at once", async () => {
    using controller = deployEnding("failed");
    const { code, out } = await tenfold(["deploy", "web", "--no-wait"], { cwd: controller.folder });
    expect([code, out]).toEqual([0, "deploying web: 1-a -> 2-b"]);
  });
});

describe("scale", () => {
  test("returns when as many tasks are healthy", async () => {
    let healthy = 1;
    using controller = fakeController({
      status: () => {
        healthy += 1;
        return statusOf({ services: [serviceStatus({ wanted: 3, running: 3, healthy })] });
      },
    });
    const { code, out } = await tenfold(["scale", "web", "3"], { cwd: controller.folder });
    expect([code, out]).toEqual([0, "web: 3 tasks wanted\nweb runs 3 healthy tasks"]);
  });

  test("says when a bound of autoscaling has its way", async () => {
    const service = serviceStatus({ wanted: 6, running: 6, healthy: 6, autoscale: { min: 2, max: 6 } });
    using controller = fakeController({
      scale: () => service,
      status: () => statusOf({ services: [service] }),
    });
    const { out } = await tenfold(["scale", "web", "9"], { cwd: controller.folder });
    expect(out).toContain("web: 6 tasks wanted (autoscale keeps it between 2 and 6)");
    expect(out).toContain("the autoscaler goes on from there");
  });

  test("exits 1 with the service's message when it does not come up", async () => {
    const failing = serviceStatus({ wanted: 2, state: "failing", message: "web/2 ended with exit code 3" });
    using controller = fakeController({ status: () => statusOf({ services: [failing] }) });
    const clock = hastyClock(3000);
    const { code, err } = await tenfold(["scale", "web", "2"], { cwd: controller.folder, clock });
    expect([code, err]).toEqual([1, "tenfold: web does not come up: web/2 ended with exit code 3"]);
  });
});

test("a controller that cannot go on is not waited for: exit 1, with what hinders it", async () => {
  const problem = "state journal cannot be written: free space on its disk";
  const status = () => statusOf({ problem, services: [serviceStatus({ wanted: 2 })] });
  using controller = fakeController({ status });
  const clock = hastyClock(3000);
  const { code, err } = await tenfold(["scale", "web", "2"], { cwd: controller.folder, clock });
  expect([code, err]).toEqual([1, `tenfold: the controller cannot go on: ${problem}`]);
});

describe("drain", () => {
  const targets = [targetStatus({ id: "127.0.0.1:20003", task: "web/3" })];

  test("a task's name leads to its target; it waits for every worker and the last request", async () => {
    const steps = [
      { state: "active", inFlight: 0, revision: 7 },
      { state: "draining", inFlight: 0, revision: 6 },
      { state: "draining", inFlight: 2, revision: 7 },
      { state: "draining", inFlight: 0, revision: 7 },
    ] as const;
    let looks = -1;
    using controller = fakeController({
      status: () => {
        const { state, inFlight, revision } = steps[Math.max(0, looks++)] ?? steps[3];
        const groups = [groupStatus({ targets: [{ ...targets[0]!, state, inFlight }] })];
        return statusOf({
          groups,
          workers: [{ index: 0, pid: 1, state: "serving", revision, connections: 0 }],
        });
      },
    });
    const { code, out } = await tenfold(["drain", "web/3"], { cwd: controller.folder });
    expect([code, looks]).toEqual([0, steps.length]);
    expect(out).toBe("draining 127.0.0.1:20003 of web\nnothing is in flight there any more");
    expect(controller.requests).toContain('POST /v1/targets/web/127.0.0.1%3A20003/drain {"undo":false}');
  });

  test("a target of two groups needs --group", async () => {
    const groups = [groupStatus({ targets }), groupStatus({ name: "api", targets })];
    using controller = fakeController({ status: () => statusOf({ groups }) });
    const { code, err } = await tenfold(["drain", "web/3"], { cwd: controller.folder });
    expect([code, err]).toEqual([
      1,
      "tenfold: web/3 is in several groups: web, api: say which with --group GROUP",
    ]);
    const named = await tenfold(["drain", "web/3", "--group", "api", "--undo"], { cwd: controller.folder });
    expect(named.out).toBe("127.0.0.1:20003 of api gets requests again");
  });

  test("a target that is not there is answered with the nearest", async () => {
    using controller = fakeController({ status: () => statusOf({ groups: [groupStatus({ targets })] }) });
    const { err } = await tenfold(["drain", "127.0.0.1:20030"], { cwd: controller.folder });
    expect(err).toContain("did you mean 127.0.0.1:20003?");
  });
});

describe("reload", () => {
  test("lists what changed", async () => {
    using controller = fakeController({
      reload: { revision: 9, changes: ["listeners.web: added"], problems: [] },
    });
    const { code, out } = await tenfold(["reload"], { cwd: controller.folder });
    expect([code, out]).toEqual([0, "listeners.web: added\n1 change in force (revision 9)"]);
  });

  test("exits 1 with the problems, and says that nothing changed", async () => {
    using controller = fakeController({
      reload: { revision: 9, changes: [], problems: ["a: is wrong; mend it"] },
    });
    const { code, out } = await tenfold(["reload"], { cwd: controller.folder });
    expect([code, out]).toEqual([1, "a: is wrong; mend it\n1 problem: the config before stays in force"]);
  });
});

describe("explain scale", () => {
  test("shows the policy, and decisions in words; those in a row that say the same once", async () => {
    const record = { from: 6, to: 6, inputs: {}, votes: [], clamps: [] };
    const holds = { ...record, reason: "max", message: "stays at 6: max, autoscale.max holds" };
    const grows = { ...record, from: 2, reason: "max", message: "goes from 2 to 6: max\n  saw: 2 ready" };
    const decisions = [holds, holds, grows].map((one) => ({ ...one, at: EPOCH }));
    decisions[0] = { ...holds, at: "2026-01-01T00:00:09.000Z" };
    const policy = { max: 6, cpu: 0.7, downWindowMs: 300_000 };
    using controller = fakeController({ explanation: { service: "web", wanted: 6, policy, decisions } });
    const { out } = await tenfold(["explain", "scale", "web"], { cwd: controller.folder });
    const lines = out.split("\n").map((line) => line.replaceAll(/\d\d:\d\d:\d\d/g, "T"));
    expect(lines).toEqual([
      "web  6 tasks wanted",
      "policy    max 6, cpu 0.7, downWindow 5m",
      "T  stays at 6: max, autoscale.max holds, since T",
      "T  goes from 2 to 6: max",
      "            saw: 2 ready",
    ]);
  });

  test("an unknown service is the API's to refuse", async () => {
    using controller = fakeController();
    const { code, err } = await tenfold(["explain", "scale", "wbe"], { cwd: controller.folder });
    expect([code, err]).toEqual([1, "tenfold: it is unknown-service: mend it"]);
  });
});

describe("logs", () => {
  function withLogs(state: string): void {
    mkdirSync(join(state, "logs/web"), { recursive: true });
    writeFileSync(join(state, "logs/web/2.log"), "two a\ntwo b\n");
    writeFileSync(join(state, "logs/web/10.log"), "ten a\nten b\n");
  }

  test("shows the last lines of each task, in the order of their numbers", async () => {
    const tasks = [taskStatus({ id: "web/2" }), taskStatus({ id: "web/10" })];
    using controller = fakeController({ status: () => statusOf({ services: [serviceStatus({ tasks })] }) });
    withLogs(controller.state);
    const { out } = await tenfold(["logs", "web", "--lines", "1"], { cwd: controller.folder });
    expect(out).toBe("web/2    | two b\nweb/10   | ten b");
  });

  test("leaves out tasks that are gone, but shows one that is named", async () => {
    const services = [serviceStatus({ tasks: [taskStatus({ id: "web/10" })] })];
    using controller = fakeController({ status: () => statusOf({ services }) });
    withLogs(controller.state);
    expect((await tenfold(["logs", "web"], { cwd: controller.folder })).out).not.toContain("two");
    expect((await tenfold(["logs", "web/2"], { cwd: controller.folder })).out).toContain("web/2    | two a");
  });

  test("needs no controller", async () => {
    using folder = scratchFolder();
    withLogs(folder.path);
    const { code, out } = await tenfold(["logs", "web", "--state", folder.path, "--json"]);
    expect([code, out]).toEqual([0, expect.stringContaining('{"task":"web/2","text":"two a"}')]);
  });

  test("a service without logs is answered with the nearest that has some", async () => {
    using folder = scratchFolder();
    withLogs(folder.path);
    const { code, err } = await tenfold(["logs", "wbe", "--state", folder.path]);
    expect([code, err]).toEqual([1, `tenfold: wbe has no logs in ${folder.path}: did you mean web?`]);
  });
});

describe("down", () => {
  test("where nothing was started it says so, and that is no failure", async () => {
    using folder = scratchFolder();
    expect(await tenfold(["down"], { cwd: folder.path })).toEqual({
      code: 0,
      out: "nothing runs here",
      err: "",
    });
  });
});

describe("status and top", () => {
  test("--json is the API's answer", async () => {
    using controller = fakeController();
    const { out } = await tenfold(["status", "--json"], { cwd: controller.folder });
    expect(JSON.parse(out)).toEqual(statusOf() as never);
  });

  test("top --once prints one picture into a pipe", async () => {
    using controller = fakeController({ events: [eventOf(1, "web", "it began")] });
    const { code, out } = await tenfold(["top", "--once"], { cwd: controller.folder });
    expect([code, out]).toEqual([0, expect.stringContaining("it began")]);
  });
});
