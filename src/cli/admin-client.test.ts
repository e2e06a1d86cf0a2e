import { expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adminClient } from "./admin-client.ts";
import { ControllerAway, failureLine, Refused } from "./failure.ts";
import { findStateDirectory } from "./state-directory.ts";
import { fakeController, scratchFolder, tenfold } from "./testing.ts";

test("the client sends the token and gives what the API says", async () => {
  using controller = fakeController();
  const { controller: facts } = await adminClient(controller.state).status();
  expect(facts.revision).toBe(7);
});

test("a refusal carries the API's code, message and mend", async () => {
  using controller = fakeController();
  const problem = await adminClient(controller.state)
    .explainScale("wbe")
    .catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Refused);
  expect([(problem as Refused).code, failureLine(problem as Refused)]).toEqual([
    "unknown-service",
    "it is unknown-service: mend it",
  ]);
});

test("names are escaped in paths", async () => {
  using controller = fakeController();
  await adminClient(controller.state).drain("web", "127.0.0.1:9001/x", false);
  expect(controller.requests).toEqual(['POST /v1/targets/web/127.0.0.1%3A9001%2Fx/drain {"undo":false}']);
});

test("a dead controller is named, with the command that starts it", async () => {
  using folder = scratchFolder();
  writeFileSync(join(folder.path, "admin.token"), "secret");
  const file = { pid: 1, admin: "127.0.0.1:1", version: "", configPath: "/srv/shop.yaml" };
  writeFileSync(join(folder.path, "controller.json"), JSON.stringify(file));
  const problem = await adminClient(folder.path)
    .status()
    .catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ControllerAway);
  expect(failureLine(problem as ControllerAway)).toContain("`tenfold up -c /srv/shop.yaml`");
});

test("another program on the admin port is not mistaken for a controller", async () => {
  using other = Bun.serve({ port: 0, fetch: () => new Response("<html>", { status: 200 }) });
  using controller = fakeController();
  const file = { pid: 1, admin: `127.0.0.1:${other.port}`, version: "", configPath: null };
  writeFileSync(join(controller.state, "controller.json"), JSON.stringify(file));
  const { err, code } = await tenfold(["status"], { cwd: controller.folder });
  expect([code, err]).toEqual([1, expect.stringContaining("is no Tenfold controller: another program took")]);
});

test("a token that cannot be read is said to be somebody else's", async () => {
  using controller = fakeController();
  rmSync(join(controller.state, "admin.token"));
  const { err } = await tenfold(["status"], { cwd: controller.folder });
  expect(err).toContain("admin.token cannot be read: run this as the user who started the controller");
});

test("the nearest .tenfold above is the one that is meant", () => {
  using controller = fakeController();
  const deep = join(controller.folder, "src/pages");
  mkdirSync(deep, { recursive: true });
  expect(findStateDirectory(deep, undefined)).toBe(controller.state);
});

test("what `tenfold run` started is found when nothing else is there", () => {
  using folder = scratchFolder();
  const state = join(folder.path, ".tenfold/run-app");
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, "controller.json"), "{}");
  expect(findStateDirectory(folder.path, undefined)).toBe(state);
});

test("a live controller is meant before a dead one", () => {
  using controller = fakeController();
  const live = join(controller.state, "run-app");
  mkdirSync(live);
  writeFileSync(join(live, "controller.json"), JSON.stringify({ pid: process.pid }));
  writeFileSync(join(controller.state, "controller.json"), JSON.stringify({ pid: 2 ** 30 }));
  expect(findStateDirectory(controller.folder, undefined)).toBe(live);
});

test("without a .tenfold every command says what to do", async () => {
  using folder = scratchFolder();
  const { code, err } = await tenfold(["status"], { cwd: folder.path });
  expect([code, err]).toEqual([1, expect.stringContaining("start with `tenfold up` or `tenfold run`")]);
});

test("a state directory that is named must exist", async () => {
  const { code, err } = await tenfold(["status", "--state", "/nowhere"]);
  expect([code, err]).toEqual([1, "tenfold: the state directory /nowhere does not exist: check --state DIR"]);
});
