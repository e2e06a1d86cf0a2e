/** The commands as a person runs them: real processes, real ports, a state directory that is gone afterwards. */
import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../app/index.ts";
import {
  APP,
  AppFolders,
  freePorts,
  isRunning,
  MAIN,
  service,
  spawn,
  startLoad,
  status,
  tenfold,
  text,
  until,
} from "./testing/app-folder.ts";

const folders = new AppFolders();
afterAll(() => folders.remove(), 30_000);

function pidsOf(now: Status): (number | null)[] {
  return [...now.gateway.workers, ...now.services[0]!.tasks]
    .map(({ pid }) => pid)
    .toSorted((a, b) => (a ?? 0) - (b ?? 0));
}

describe("an app behind `up --detach`", () => {
  const { folder, url } = folders.make("detached");

  test("is healthy when the command returns, which says where and what next", async () => {
    const { code, out } = await tenfold(["up", "--detach"], folder);
    expect([code, out]).toEqual([0, expect.stringContaining(`ready  ${url.slice(0, -1)}  web (2 tasks)`)]);
    expect(out).toContain("`tenfold down`");
    expect(await text(url)).toMatch(/^web\/\d one/);
  }, 20_000);

  test("a second `up` is refused and names the first", async () => {
    const { pid } = (await status(folder)).controller;
    for (const words of [["up"], ["up", "--detach"]]) {
      const { code, err } = await tenfold(words, folder);
      expect([code, err]).toEqual([1, expect.stringContaining(`the controller with pid ${pid}`)]);
    }
  }, 20_000);

  test("a task that is killed is replaced", async () => {
    const victim = (await service(folder)).tasks[0]!.pid!;
    process.kill(victim, "SIGKILL");
    await until(async () => {
      const { healthy, tasks } = await service(folder);
      return healthy === 2 && !tasks.some(({ pid }) => pid === victim);
    });
    expect(isRunning(victim)).toBe(false);
  }, 20_000);

  test("a controller that is killed is missed by nobody; the next one adopts and restarts nothing", async () => {
    const before = await status(folder);
    process.kill(before.controller.pid, "SIGKILL");
    await until(() => !isRunning(before.controller.pid));
    expect(await text(url)).toMatch(/^web\/\d one/);
    const away = await tenfold(["status"], folder);
    expect([away.code, away.err]).toEqual([1, expect.stringContaining("the controller is not running")]);
    expect((await tenfold(["up", "--detach"], folder)).code).toBe(0);
    expect(pidsOf(await status(folder))).toEqual(pidsOf(before));
  }, 20_000);

  test("scale returns when the tasks are there, and logs show them all", async () => {
    expect((await tenfold(["scale", "web", "3"], folder)).out).toEndWith("web runs 3 healthy tasks");
    const { out } = await tenfold(["logs", "web", "--lines", "1"], folder);
    expect(out.match(/^web\/\d+ +\| listening on \d+$/gm)).toHaveLength(3);
  }, 20_000);

  test("a request that comes while there are no tasks waits for the first that is back", async () => {
    expect((await tenfold(["scale", "web", "0"], folder)).out).toEndWith("web runs 0 healthy tasks");
    const held = text(url);
    expect((await tenfold(["scale", "web", "3"], folder)).out).toEndWith("web runs 3 healthy tasks");
    expect(await held).toContain(" one ");
  }, 20_000);

  test("a deploy brings the code on disk, step by step", async () => {
    writeFileSync(join(folder, "app.js"), APP.replace(" one ", " two "));
    const { code, out } = await tenfold(["deploy", "web"], folder);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/is healthy[^]*is draining[^]*deploy of web succeeded$/),
    ]);
    expect(await text(url)).toContain(" two ");
  }, 20_000);

  test("a deploy that cannot come up is rolled back: exit 1, the reason, and the old revision serves every request", async () => {
    writeFileSync(join(folder, "app.js"), "process.exit(3);");
    const load = startLoad(url);
    const { code, out } = await tenfold(["deploy", "web"], folder);
    expect([code, out]).toEqual([1, expect.stringMatching(/was rolled back.*exit code 3/)]);
    const { answers, failures } = await load.stop();
    expect([failures, answers.length > 0, answers.filter((answer) => !answer.includes(" two "))]).toEqual([
      [],
      true,
      [],
    ]);
  }, 20_000);

  test("a changed config is taken over; one with a problem changes nothing", async () => {
    const path = join(folder, "tenfold.config.json");
    const good = readFileSync(path, "utf8");
    appendFileSync(path, "oops");
    const refused = await tenfold(["reload"], folder);
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining("tenfold.config.json:1:")]);
    writeFileSync(path, good.replace('"forward":"web"', '"respond":418'));
    await until(async () => (await fetch(url)).status === 418);
    writeFileSync(path, good);
    await until(async () => (await fetch(url)).status === 200);
  }, 20_000);

  test("down stops every process that was started, and says so", async () => {
    const { controller, ...before } = await status(folder);
    const { code, out } = await tenfold(["down"], folder);
    expect([code, out]).toEqual([0, expect.stringMatching(/^stopping 3 tasks[^]*everything is stopped$/)]);
    const pids = [controller.pid, ...pidsOf({ controller, ...before })];
    expect(pids.filter((pid) => isRunning(pid))).toEqual([]);
    expect(await tenfold(["down"], folder)).toEqual({ code: 0, out: "nothing runs here", err: "" });
  }, 20_000);
});

test("down finds and stops what a killed controller left", async () => {
  const { folder } = folders.make("orphans");
  expect((await tenfold(["up", "--detach"], folder)).code).toBe(0);
  const before = await status(folder);
  process.kill(before.controller.pid, "SIGKILL");
  await until(() => !isRunning(before.controller.pid));
  const { code, out } = await tenfold(["down"], folder);
  expect([code, out]).toEqual([0, expect.stringContaining("stopping the 3 processes it left")]);
  expect(pidsOf(before).filter((pid) => isRunning(pid))).toEqual([]);
}, 20_000);

test("down --controller-only leaves gateway and tasks alone", async () => {
  const { folder, url } = folders.make("let-go");
  expect((await tenfold(["up", "--detach"], folder)).code).toBe(0);
  const { controller } = await status(folder);
  expect((await tenfold(["down", "--controller-only"], folder)).code).toBe(0);
  expect([isRunning(controller.pid), await text(url)]).toEqual([false, expect.stringContaining("web/")]);
}, 20_000);

test("run needs no config: a URL, the app's own lines, and Ctrl-C stops everything", async () => {
  const { folder, port, url } = folders.make("run");
  rmSync(join(folder, "tenfold.config.json"));
  const child = spawn(["run", "--tasks", "2", "--port", `${port}`, "--", process.execPath, "app.js"], folder);
  await until(async () => (await fetch(url).catch(() => undefined))?.status === 200);
  await until(async () => (await status(folder)).services[0]?.healthy === 2);
  const pids = pidsOf(await status(folder));
  child.kill("SIGINT");
  const [out, code] = [await child.stdout.text(), await child.exited];
  expect([code, pids.filter((pid) => isRunning(pid))]).toEqual([0, []]);
  expect(out).toMatch(/app\/1 +\| listening on \d+/);
}, 20_000);

test("a port in use is named, with the mend", async () => {
  const { folder, port } = folders.make("in-use");
  using _ = Bun.serve({ port, hostname: "127.0.0.1", fetch: () => new Response("mine") });
  const up = await tenfold(["up", "--detach"], folder);
  expect([up.code, up.err]).toEqual([
    1,
    expect.stringContaining(`listener web: 127.0.0.1:${port} is in use`),
  ]);
  const run = await tenfold(["run", "--port", `${port}`, "--", "node", "app.js"], folder);
  expect([run.code, run.err]).toEqual([
    1,
    `tenfold: port ${port} is in use: stop what listens there, or choose another with --port P`,
  ]);
}, 20_000);

test("gateway serves static groups and refuses services", async () => {
  const { folder, port, url } = folders.make("gateway");
  expect((await tenfold(["gateway"], folder)).err).toContain(
    "has service web, and the gateway runs none: use `tenfold up`",
  );
  using target = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("from afar") });
  const config = {
    admin: { address: freePorts(1)[0] },
    gateway: { accessLog: "{method} {path} {status}" },
    listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ forward: "far" }] } },
    targetGroups: { far: { targets: [`127.0.0.1:${target.port}`] } },
  };
  writeFileSync(join(folder, "gateway.json"), JSON.stringify(config));
  const child = spawn(["gateway", "-c", "gateway.json", "--workers", "1"], folder);
  await until(async () => (await fetch(url).catch(() => undefined))?.status === 200);
  expect(await text(url)).toBe("from afar");
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  const lines = readFileSync(join(folder, ".tenfold/logs/access.log"), "utf8");
  expect(lines).toMatch(/^(?:GET \/ 200\n){2}$/);
}, 20_000);

test("a second Ctrl-C does not wait for an app that will not end", async () => {
  const { folder, port, url } = folders.make("stubborn");
  writeFileSync(
    join(folder, "app.js"),
    `${APP}process.removeAllListeners("SIGTERM").on("SIGTERM", () => {});`,
  );
  const child = spawn(["run", "--port", `${port}`, "--", process.execPath, "app.js"], folder);
  await until(async () => (await fetch(url).catch(() => undefined))?.status === 200);
  const pids = pidsOf(await status(folder));
  await until(() => {
    child.kill("SIGINT");
    return child.exitCode !== null;
  });
  expect(await child.stderr.text()).toContain("killing ");
  expect(pids.filter((pid) => isRunning(pid))).toEqual([]);
}, 20_000);

test("what keeps an app running goes on when nobody reads it any more, and still stops everything", async () => {
  const { folder, port, url } = folders.make("unread");
  const command = `exec ${process.execPath} ${MAIN} run --port ${port} -- ${process.execPath} app.js > >(head -1)`;
  const child = Bun.spawn(["bash", "-c", command], { cwd: folder, stdout: "pipe", stderr: "pipe" });
  await until(async () => (await fetch(url).catch(() => undefined))?.status === 200);
  await until(async () => (await status(folder)).services[0]?.healthy === 1);
  const pids = pidsOf(await status(folder));
  child.kill("SIGTERM");
  expect([await child.exited, pids.filter((pid) => isRunning(pid))]).toEqual([0, []]);
}, 20_000);

test("a reader that goes away is no error", async () => {
  const logs = join(folders.root, "many/logs/web");
  mkdirSync(logs, { recursive: true });
  writeFileSync(join(logs, "1.log"), "a line that fills the pipe many times over\n".repeat(10_000));
  const script = `${process.execPath} ${MAIN} logs web --lines 10000 --state ${join(folders.root, "many")} | head -1`;
  const child = Bun.spawn(["bash", "-o", "pipefail", "-c", script], { stdout: "pipe", stderr: "pipe" });
  expect([await child.stderr.text(), await child.exited]).toEqual(["", 0]);
});
