import { describe, expect, test } from "bun:test";
import { PROBLEMS_MAX } from "./problem.ts";
import { config, good, lines, listener, rules } from "./testing.ts";
import { defineConfig, type UserConfig } from "./user-config.ts";

/** The example of the design, word for word but for its `api` group. */
const EXAMPLE: UserConfig = defineConfig({
  admin: { address: "127.0.0.1:7070" },
  gateway: { workers: "auto", accessLog: "off" },
  listeners: {
    web: {
      address: "127.0.0.1:8080",
      protocol: "http",
      rules: [
        { match: { path: "/api/*" }, forward: "api" },
        { match: { path: "/images/*" }, forward: "images", cache: {} },
        { forward: "web" },
      ],
    },
  },
  targetGroups: {
    api: { targets: [9000] },
    images: {
      algorithm: "least-requests",
      targets: [{ address: "127.0.0.1:9001", weight: 2 }],
      health: { path: "/healthz", interval: "1s" },
    },
  },
  services: {
    web: {
      command: ["node", "server.js"],
      tasks: 2,
      health: { path: "/healthz" },
      autoscale: { min: 2, max: 8, cpu: 0.7, inFlight: 50 },
    },
  },
  databases: { main: { engine: "postgres", replicas: 2 } },
  stores: { shared: { url: "embedded:" } },
});

describe("the example of the design", () => {
  test("typechecks and loads", () => {
    const { listeners, targetGroups, services, gateway, databases } = good(EXAMPLE);
    expect(databases).toMatchObject([{ name: "main", replicas: 2, mode: "async" }]);
    expect(listeners[0]?.rules.map((rule) => rule.name)).toEqual(["web/0", "web/1", "web/2"]);
    expect(targetGroups.map(({ name, algorithm, service }) => [name, algorithm, service])).toEqual([
      ["api", "round-robin", undefined],
      ["images", "least-requests", undefined],
      ["web", "round-robin", "web"],
    ]);
    expect(services[0]).toMatchObject({ name: "web", cwd: "/srv/app", tasks: 2, targetGroup: "web" });
    expect(gateway.workers).toBe(4);
  });

  test("gives a config that survives the trip from the process that evaluated it", () => {
    const example = good(EXAMPLE);
    expect(JSON.parse(JSON.stringify(example))).toEqual(example);
  });
});

describe("parseConfig", () => {
  test("reports all problems at once, those between parts too", () => {
    const broken = { gateway: { workers: 0 }, listeners: { web: listener({ rules: [{ forward: "wbe" }] }) } };
    expect(lines(config(broken))).toEqual([
      "gateway.workers: is 0; write a whole number from 1 to 32",
      'listeners.web.rules[0].forward: no target group or service is called "wbe"; did you mean "web"?',
    ]);
  });

  test("draws no conclusion from what it could not read", () => {
    const match = { path: "api" };
    expect(lines(rules({ match, forward: "web" }, { forward: "web" }))).toHaveLength(1);
    expect(lines(config({ services: { web: { command: "node x" } } }))).toHaveLength(1);
  });

  test("shows a bounded number of problems and counts the rest", () => {
    const keys = Array.from({ length: PROBLEMS_MAX + 7 }, (_, index) => [`zzzzzz${index}`, 1]);
    const found = lines(config(Object.fromEntries(keys)));
    expect(found).toHaveLength(PROBLEMS_MAX + 1);
    expect(found.at(-1)).toBe("config: has 7 more problems; mend the ones above first");
  });

  test("takes keys of JSON that collide with an object's own for what they are", () => {
    expect(lines(JSON.parse('{"__proto__": {}, "constructor": 1}'))).toHaveLength(3);
    const env = JSON.parse('{"__proto__": "x", "A": 1, "B": true}');
    const { services } = good(config({ services: { web: { command: ["a"], env } } }));
    expect(Object.entries(services[0]?.env ?? {})).toEqual([
      ["__proto__", "x"],
      ["A", "1"],
      ["B", "true"],
    ]);
  });

  test("gives a config that nothing can change", () => {
    const { listeners } = good(config());
    expect(Object.isFrozen(listeners[0]?.rules[0]?.match.paths)).toBe(true);
  });

  test("counts a key that is undefined as not written", () => {
    expect(good(config({ gateway: undefined }))).toEqual(good(config()));
  });
});

test.each([
  "redis-cluster://a:7000,b:7001,c",
  "rediss-cluster://app:p,w@[::1]:7000,b:7001/",
  "valkeys-cluster://a",
  "redis://:secret@a:6379/3",
])("a store may be at %p", (url) => {
  expect(good({ stores: { shared: { url } }, services: { web: { command: ["x"] } } }).stores[0]?.url).toBe(
    url,
  );
});
