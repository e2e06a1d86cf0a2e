import { describe, expect, test } from "bun:test";
import type { Config, MatchConfig, RuleConfig, ServiceConfig, TargetGroupConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { parseConfig } from "./parse-config.ts";
import { config, good, grouped, listener, matching, rules, serving } from "./testing.ts";
import type { UserRule } from "./user-config.ts";

const ruleOf = (rule: object): RuleConfig => good(rules(rule)).listeners[0]!.rules[0]!;
const matchOf = (match: object): MatchConfig => good(matching(match)).listeners[0]!.rules[0]!.match;
const groupOf = (group: object): TargetGroupConfig => good(grouped(group)).targetGroups[0]!;
const serviceOf = (service: object): ServiceConfig => good(serving(service)).services[0]!;
const addressOf = (address: unknown): Config["listeners"][number]["address"] =>
  good(config({ listeners: { web: listener({ address }) } })).listeners[0]!.address;

describe("addresses", () => {
  test.each([
    ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
    ["App.Internal:80", { host: "app.internal", port: 80 }],
    ["[::1]:80", { host: "::1", port: 80 }],
    [":8080", { host: "0.0.0.0", port: 8080 }],
    ["8080", { host: "0.0.0.0", port: 8080 }],
    [8080, { host: "0.0.0.0", port: 8080 }],
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
  ])("a listener's %j is %j", (written, address) => {
    expect(addressOf(written)).toEqual(address);
  });

  test("a target's bare port is on loopback", () => {
    expect(groupOf({ targets: [9001, ":9002"] }).targets.map(({ address }) => address.host)).toEqual([
      "127.0.0.1",
      "127.0.0.1",
    ]);
  });
});

describe("matches", () => {
  test.each([
    ["/about", { kind: "exact", path: "/about" }],
    ["/api/*", { kind: "prefix", path: "/api" }],
    ["/api/**", { kind: "prefix", path: "/api" }],
    ["/img/**/*.png", { kind: "glob", source: String.raw`^/img(?:/[^/]*)*/[^/]*\.png$` }],
    ["~ ^/v[0-9]+/", { kind: "regex", source: "^/v[0-9]+/" }],
    ["~^/v1", { kind: "regex", source: "^/v1" }],
  ])("the path %j is %j", (written, path) => {
    expect(matchOf({ path: written }).paths).toEqual([path as never]);
  });

  test('the path "/*" is no condition, whatever stands beside it', () => {
    expect(matchOf({ path: "/*" }).paths).toEqual([]);
    expect(matchOf({ path: ["/a", "/*"] }).paths).toEqual([]);
  });

  test("hosts are lower case, methods upper case, header names lower case", () => {
    const match = matchOf({ host: "*.Shop.Example", method: "get", header: { "X-Beta": true } });
    expect(match.hosts).toEqual(["*.shop.example"]);
    expect(match.methods).toEqual(["GET"]);
    expect(match.headers).toEqual([{ name: "x-beta", value: { kind: "present" } }]);
  });

  test.each([
    [true, { kind: "present" }],
    [false, { kind: "absent" }],
    ["1", { kind: "exact", value: "1" }],
    ["~ ^[0-9]+$", { kind: "regex", source: "^[0-9]+$" }],
    [["a.b", "~ ^c"], { kind: "regex", source: String.raw`^a\.b$|(?:^c)` }],
  ])("the field value %j is %j", (written, value) => {
    expect(matchOf({ query: { Page: written } }).queries).toEqual([{ name: "Page", value: value as never }]);
  });
});

describe("actions", () => {
  test("a group's name forwards to it with weight 1", () => {
    expect(ruleOf({ forward: "web" }).action).toEqual({
      kind: "forward",
      groups: [{ group: "web", weight: 1 }],
    });
  });

  test("a redirect is temporary unless it says more", () => {
    const status = (redirect: unknown): unknown => ruleOf({ redirect }).action;
    expect(status("https://{host}{path}{query}")).toMatchObject({ status: 302 });
    expect(status({ to: "/new", status: 308 })).toMatchObject({ status: 308, location: "/new" });
  });

  test("a status alone responds with an empty body", () => {
    expect(ruleOf({ respond: 404 }).action).toEqual({ kind: "respond", status: 404, headers: [], body: "" });
  });

  test("a header with several values becomes several fields", () => {
    const action = ruleOf({ respond: { headers: { "Set-Cookie": ["a=1", "b=2"] } } }).action;
    expect(action).toMatchObject({
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    });
  });

  test("what a rule does not say is the default", () => {
    expect(ruleOf({ forward: "web" })).toMatchObject({
      retry: DEFAULTS.retry,
      timeouts: {},
      host: { kind: "preserve" },
    });
    expect(ruleOf({ forward: "web", retry: 3, host: "Shop.Example:8080" })).toMatchObject({
      retry: { attempts: 3, nonIdempotent: false },
      host: { kind: "fixed", host: "shop.example:8080" },
    });
  });
});

test("a cache is what a rule says, on with true and off with false", () => {
  const cacheOf = (cache: UserRule["cache"]): unknown =>
    ruleOf({ forward: "web", ...(cache === undefined ? {} : { cache }) }).cache;
  expect(cacheOf(true)).toEqual(cacheOf({}));
  expect([cacheOf(false), cacheOf(undefined)]).toEqual([undefined, undefined]);
});

describe("groups and services", () => {
  test("differing weights choose weighted-round-robin, unless an algorithm is named", () => {
    const targets = [9001, { address: 9002, weight: 2 }];
    expect(groupOf({ targets }).algorithm).toBe("weighted-round-robin");
    expect(groupOf({ targets, algorithm: "maglev" }).algorithm).toBe("maglev");
    expect(groupOf({ targets: [9001, 9002] }).algorithm).toBe("round-robin");
  });

  test("a group has active checks only when it asks, a service always", () => {
    expect(groupOf({}).health).toBeUndefined();
    expect(groupOf({ health: {} }).health).toEqual({ kind: "http", ...DEFAULTS.health });
    expect(serviceOf({}).health.kind).toBe("tcp");
    expect(serviceOf({ health: { path: "/up" } }).health).toMatchObject({ kind: "http", path: "/up" });
  });

  test("a service's group may be set under targetGroups, and has the service's checks", () => {
    const set = config({ targetGroups: { web: { algorithm: "p2c", health: { path: "/up" } } } });
    const { targetGroups, services } = good(set);
    expect(targetGroups).toHaveLength(1);
    expect(targetGroups[0]).toMatchObject({ algorithm: "p2c", service: "web", targets: [] });
    expect(targetGroups[0]?.health).toEqual(services[0]!.health);
    expect(services[0]?.health.path).toBe("/up");
  });

  test("autoscale clamps the wanted number of tasks", () => {
    const autoscale = { min: 2, max: 4, cpu: 0.5 };
    const tasks = [undefined, 1, 3, 9].map((wanted) => serviceOf({ tasks: wanted, autoscale }).tasks);
    expect(tasks).toEqual([2, 2, 3, 4]);
  });

  test("a service runs in the folder of the config, or below it", () => {
    expect([serviceOf({}).cwd, serviceOf({ cwd: "api" }).cwd, serviceOf({ cwd: "/x" }).cwd]).toEqual([
      "/srv/app",
      "/srv/app/api",
      "/x",
    ]);
  });

  test("both spellings of a duration and a size mean the same", () => {
    const written = serviceOf({ drainTimeout: "5s", limits: { memory: "64MiB" } });
    expect(serviceOf({ drainTimeoutMs: 5000, limits: { memoryBytes: 67_108_864 } })).toEqual(written);
    expect(written).toMatchObject({ drainTimeoutMs: 5000, limits: { memoryBytes: 67_108_864 } });
  });
});

test('workers: "auto" is one per core, and never more than a scoreboard can hold twice', () => {
  const workers = [1, 8, 64].map((cores) => {
    const outcome = parseConfig(config(), { folder: "/", cores });
    return outcome.kind === "ok" ? outcome.config.gateway.workers : 0;
  });
  expect(workers).toEqual([1, 8, 32]);
});

describe("the disk tier of the cache", () => {
  test.each([
    ["10GiB", { sizeBytes: 10 * 2 ** 30 }],
    [{ size: "1GiB" }, { sizeBytes: 2 ** 30 }],
    [{ sizeBytes: 2 ** 30 }, { sizeBytes: 2 ** 30 }],
    [
      { size: "1GiB", folder: "/var/cache/tenfold" },
      { sizeBytes: 2 ** 30, folder: "/var/cache/tenfold" },
    ],
    [
      { size: "1GiB", folder: "tier" },
      { sizeBytes: 2 ** 30, folder: expect.stringMatching(/^\/.*tier$/) },
    ],
  ])("%j is %j", (disk, is) => {
    expect(good(config({ gateway: { cache: { disk } } })).gateway.cache.disk).toEqual(is);
  });

  test("there is none unless it is asked for", () => {
    expect(good(config({})).gateway.cache.disk).toBeUndefined();
  });
});

describe("caches", () => {
  const cacheOf = (cache: unknown): RuleConfig["cache"] => ruleOf({ forward: "web", cache }).cache;

  test("{} and true keep what the origin allows, and nothing is kept unless a rule says so", () => {
    expect(cacheOf({})).toEqual(DEFAULTS.cache);
    expect(cacheOf(true)).toEqual(DEFAULTS.cache);
    expect(cacheOf(undefined)).toBeUndefined();
  });

  test("one negative time is for what is not there, a table is by status", () => {
    expect(cacheOf({ negativeTtl: "10s" })?.negativeTtl).toEqual([
      [404, 10_000],
      [410, 10_000],
    ]);
    expect(cacheOf({ negativeTtl: { 503: "1s" } })?.negativeTtl).toEqual([[503, 1000]]);
  });

  test("slices and waiters are as they are written", () => {
    expect(cacheOf({ slice: "1MiB", waitersMax: 10 })).toEqual({
      ...DEFAULTS.cache,
      sliceBytes: 1 << 20,
      waitersMax: 10,
    });
  });

  test("a part of the key leaves the others as they are", () => {
    const key = cacheOf({ key: { query: { only: "page" }, headers: "X-Shop" } })?.key;
    expect(key).toEqual({
      ...DEFAULTS.cache.key,
      query: { kind: "only", names: ["page"] },
      headers: ["x-shop"],
    });
  });
});
