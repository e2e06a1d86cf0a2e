import { describe, expect, test } from "bun:test";
import { config, grouped, lines, listener, rules, serving } from "./testing.ts";

/** The one line that each mistake gets. */
const MISTAKES: readonly (readonly [line: string, input: unknown])[] = [
  [
    'listeners.web.rules[0].forward: no target group or service is called "wbe"; did you mean "web"?',
    rules({ forward: "wbe" }),
  ],
  [
    'listeners.web.rules[0].forward: no target group or service is called "next"; known: web',
    rules({ forward: [{ group: "web" }, { group: "next" }] }),
  ],
  [
    'listeners.web.rules[0].forward: no target group or service is called "web"; there is no target group or service yet',
    { listeners: { web: listener() } },
  ],
  [
    "listeners.api.address: 0.0.0.0:8080 is taken by listeners.web.address; use another port",
    config({ listeners: { web: listener(), api: listener({ address: ":8080" }) } }),
  ],
  [
    "listeners.web.address: 0.0.0.0:7070 is taken by admin.address; use another port",
    config({ listeners: { web: listener({ address: 7070 }) } }),
  ],
  [
    'listeners.web.rules[0].cache.slice: is 2MiB, and no object of that size is kept; write gateway: { cache: { memory: "256MiB" } }, or more',
    rules({ forward: "web", cache: { slice: "2MiB" } }),
  ],
  [
    'listeners.web.rules[0].cache.slice: is 1MiB, and objectMax forbids to keep that; write objectMax: "1MiB", or more',
    rules({ forward: "web", cache: { slice: "1MiB", objectMax: "100KiB" } }),
  ],
  [
    "listeners.web.rules[0].cache.slice: is 1KiB; write a size from 64KiB to 1GiB",
    rules({ forward: "web", cache: { slice: "1KiB" } }),
  ],
  [
    'targetGroups.far: has no targets and no service fills it; write targets: ["host:port"]',
    grouped({ targets: [] }),
  ],
  [
    "targetGroups.far.targets[2]: a:80 is targets[0] already; remove one; a higher weight gives a target more requests",
    grouped({ targets: ["a:80", "b:80", "A:80"] }),
  ],
  [
    "targetGroups.web.targets: cannot be given: the service web fills this group with its tasks; remove them, or give the group another name",
    config({ targetGroups: { web: { targets: ["127.0.0.1:9001"] } } }),
  ],
  [
    "targetGroups.web.slowStart: is given twice, here and in services.web; keep one of the two",
    config({
      targetGroups: { web: { slowStart: "30s" } },
      services: { web: { command: ["a"], slowStart: "10s" } },
    }),
  ],
  [
    'targetGroups.web.on: means nothing to the algorithm round-robin; remove it, or write algorithm: "hash", "consistent-hash" or "maglev"',
    config({ targetGroups: { web: { on: "path" } } }),
  ],
  [
    'services.web.on: means nothing to the algorithm p2c; remove it, or write algorithm: "hash", "consistent-hash" or "maglev"',
    serving({ on: "cookie:sid", algorithm: "p2c" }),
  ],
  [
    "listeners.web.rules[1]: is never reached: rules[0] matches every request; move rules[0] to the end",
    rules(
      { match: { path: "/*" }, forward: "web" },
      { match: { path: "/api/*" }, forward: "web" },
      { respond: 404 },
    ),
  ],
  [
    "listeners.web.rules[1]: is never reached: rules[0] matches the same; change or remove one of them",
    rules({ match: { path: "/a" }, forward: "web" }, { match: { path: "/a" }, respond: 404 }),
  ],
  [
    "services.web.deploy: could never move with 3 tasks: 100 % must stay up and 125 % of 3 leaves no room for one more; raise maxPercent to 134 or lower minHealthyPercent to 66",
    serving({ tasks: 3, deploy: { maxPercent: 125 } }),
  ],
  [
    "services.web.deploy: could never move with 1 task: 100 % must stay up and 150 % of 1 leaves no room for one more; raise maxPercent to 200 or lower minHealthyPercent to 0",
    serving({ deploy: { maxPercent: 150 } }),
  ],
  [
    "services.web.deploy: could never move with 1 task: 90 % must stay up and 110 % of 1 leaves no room for one more; raise maxPercent to 200 or lower minHealthyPercent to 0",
    serving({ autoscale: { min: 1, max: 9, cpu: 0.5 }, deploy: { minHealthyPercent: 90, maxPercent: 110 } }),
  ],
  [
    "config: can reach 10000 targets during a deploy; keep to 4096",
    serving({ tasks: 1000, deploy: { maxPercent: 1000 } }),
  ],
];

describe("mistakes in parts that must fit each other", () => {
  for (const [line, input] of MISTAKES) {
    test(line, () => {
      expect(lines(input)).toEqual([line]);
    });
  }
});
