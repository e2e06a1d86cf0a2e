import { describe, expect, test } from "bun:test";
import { diff, formatChange } from "./diff.ts";
import { config, good, grouped, listener, rules, serving } from "./testing.ts";
import type { UserConfig } from "./user-config.ts";

const changes = (before: UserConfig, after: UserConfig): readonly string[] =>
  diff(good(before), good(after)).map(formatChange);

const A = { match: { path: "/a" }, forward: "web" };
const B = { match: { path: "/b" }, forward: "web" };
const C = { match: { path: "/c" }, forward: "web" };

describe("diff", () => {
  test("finds nothing between a config and itself", () => {
    expect(changes(config(), config())).toEqual([]);
  });

  test("says values as people write them", () => {
    const gateway = { timeouts: { idle: "5m" }, limits: { headMax: "64KiB" }, accessLog: "json" };
    expect(changes(config(), config({ gateway }))).toEqual([
      'gateway.accessLog: {"kind":"off"} -> {"kind":"json"}',
      "gateway.limits.headBytesMax: 32KiB -> 64KiB",
      "gateway.timeouts.idleMs: 1m -> 5m",
    ]);
  });

  test("marks what needs a restart or a deploy", () => {
    const after = config({
      admin: { address: 7071 },
      gateway: { workers: 2 },
      listeners: { web: listener({ address: ":9090" }) },
      services: { web: { command: ["node", "v2.js"], tasks: 3 } },
    });
    expect(changes(config(), after)).toEqual([
      "admin.address: 127.0.0.1:7070 -> 127.0.0.1:7071 (restart needed)",
      "gateway.workers: 4 -> 2 (restart needed)",
      "listeners.web.address: 127.0.0.1:8080 -> 0.0.0.0:9090 (restart needed)",
      'services.web.command: ["node","server.js"] -> ["node","v2.js"] (deploy needed)',
      "services.web.tasks: 1 -> 3",
    ]);
  });

  test("matches listeners, groups and services by name", () => {
    const api = listener({ address: ":9090" });
    expect(changes(config(), config({ listeners: { api, web: listener() } }))).toEqual([
      "listeners.api: added",
    ]);
    expect(changes(grouped({}), config())).toEqual(["targetGroups.far: removed"]);
  });

  test("an inserted or removed rule does not change the ones behind it", () => {
    expect(changes(rules(A, C), rules(A, B, C))).toEqual([
      "listeners.web.rules[1]: 0 rules removed, 1 rule added",
    ]);
    expect(changes(rules(A, B, C), rules(C))).toEqual([
      "listeners.web.rules[0]: 2 rules removed, 0 rules added",
    ]);
  });

  test("a rule that changes in its place is told by what changed in it", () => {
    const slow = { ...B, timeouts: { total: "5s" } };
    expect(changes(rules(A, B, C), rules(A, slow, C))).toEqual([
      "listeners.web.rules[1].timeouts.totalMs: added",
    ]);
  });

  test("shows no value of the environment", () => {
    const env = (KEY: string): UserConfig => serving({ env: { KEY } });
    expect(changes(env("a"), env("b"))).toEqual(["services.web.env.KEY: changed (deploy needed)"]);
  });
});
