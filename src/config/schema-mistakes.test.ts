import { describe, expect, test } from "bun:test";
import { config, grouped, lines, listener, serving } from "./testing.ts";

/** The one line that each mistake gets. */
const MISTAKES: readonly (readonly [line: string, input: unknown])[] = [
  ["config: is 42; write an object with admin, gateway, listeners", 42],
  ["config: is empty; write an object with admin, gateway, listeners", null],
  ["config: is a list; write an object with admin, gateway, listeners", []],
  ["config: has neither listeners nor services; write listeners: { web: { address, rules } }", {}],
  ['gatewy: is not a known key; did you mean "gateway"?', config({ gatewy: {} })],
  ['upstreams: is not a known key; did you mean "targetGroups"?', config({ upstreams: {} })],
  [
    "zzz: is not a known key; known: admin, gateway, listeners, targetGroups, services, edges, databases, stores, steering",
    config({ zzz: {} }),
  ],
  [
    "load_balancing: is not a known key; known: admin, gateway, listeners, targetGroups, services, edges, databases, stores, steering",
    config({ load_balancing: 1 }),
  ],
  [
    'gateway.accesslog: is not a known key; did you mean "accessLog"?',
    config({ gateway: { accesslog: "off" } }),
  ],
  ["gateway: is empty; write an object with workers, accessLog, limits", config({ gateway: null })],
  [
    'gateway: is the string "auto"; write an object with workers, accessLog, limits',
    config({ gateway: "auto" }),
  ],
  [
    'gateway.accessLog: is the string "jsno"; did you mean "json"?',
    config({ gateway: { accessLog: "jsno" } }),
  ],
  [
    'gateway.accessLog: is true; write "off", "json", "combined" or a format',
    config({ gateway: { accessLog: true } }),
  ],
  [
    'gateway.name: is the string "ten fold"; write a name such as "tenfold"',
    config({ gateway: { name: "ten fold" } }),
  ],
  [
    "gateway.limits.headSize: is not a known key; known: requestLineMax, headMax, fieldsMax, bodyMax, connectionsMax, queueMax",
    config({ gateway: { limits: { headSize: "4KiB" } } }),
  ],
  [
    "listeners: is a list; write an object of names, each an object with address, rules",
    config({ listeners: [] }),
  ],
  [
    'listeners["my web"]: is no name: "my web"; use letters, digits, "-" and "_", at most 63',
    config({ listeners: { "my web": listener() } }),
  ],
  [
    "listeners.web: is a function; write an object with address, rules",
    config({ listeners: { web: () => 1 } }),
  ],
  [
    'listeners.web.protocol: "https" is not available in this version; write "http"',
    config({ listeners: { web: listener({ protocol: "https" }) } }),
  ],
  [
    'listeners.web.protocol: is the string "htp"; did you mean "http"?',
    config({ listeners: { web: listener({ protocol: "htp" }) } }),
  ],
  [
    'listeners.web.protocol: is the string "gopher"; write "http"',
    config({ listeners: { web: listener({ protocol: "gopher" }) } }),
  ],
  [
    "listeners.web.tls: is not available in this version; remove it",
    config({ listeners: { web: listener({ tls: {} }) } }),
  ],
  [
    'targetGroups.far.algorithm: is the string "least-conn"; did you mean "least-requests"?',
    grouped({ algorithm: "least-conn" }),
  ],
  [
    'targetGroups.far.algorithm: is the string "roundrobin"; did you mean "round-robin"?',
    grouped({ algorithm: "roundrobin" }),
  ],
  [
    'targetGroups.far.on: is the string "header"; write "ip", "path", "url", "header:name", "cookie:name" or "query:name"',
    grouped({ on: "header" }),
  ],
  [
    'targetGroups.far.on: means nothing to the algorithm round-robin; remove it, or write algorithm: "hash", "consistent-hash" or "maglev"',
    grouped({ on: "ip" }),
  ],
  ["targetGroups.far.panicThreshold: is 50; write a number from 0 to 1", grouped({ panicThreshold: 50 })],
  [
    "targetGroups.far.boundedLoad: is 1; write a number from 1.01 to 100 (at 1 every target would be full)",
    grouped({ boundedLoad: 1 }),
  ],
  [
    'targetGroups.far.targets: is the string "127.0.0.1:9001"; write a list, each an address or { address, weight, name }',
    grouped({ targets: "127.0.0.1:9001" }),
  ],
  [
    'targetGroups.far.targets[0]: ":0" has no valid port; use a port from 1 to 65535',
    grouped({ targets: [":0"] }),
  ],
  [
    'targetGroups.far.targets[0]: has no address; write address: an address such as "127.0.0.1:8080"',
    grouped({ targets: [{ weight: 2 }] }),
  ],
  [
    "targetGroups.far.targets[0].weight: is 0; write a whole number from 1 to 1000",
    grouped({ targets: [{ address: 9001, weight: 0 }] }),
  ],
  [
    'targetGroups.far.health.path: is the string "healthz"; write a path such as "/healthz"',
    grouped({ health: { path: "healthz" } }),
  ],
  [
    'targetGroups.far.health.path: means nothing to a TCP check; remove it, or write kind: "http"',
    grouped({ health: { kind: "tcp", path: "/" } }),
  ],
  [
    'targetGroups.far.health.statuses: is the string "399-200"; write a status such as "200-399"',
    grouped({ health: { statuses: "399-200" } }),
  ],
  [
    "targetGroups.far.health.interval: is 1ms; write a duration from 50ms to 7d",
    grouped({ health: { interval: "1ms" } }),
  ],
  ['targetGroups.far.healthCheck: is not a known key; did you mean "health"?', grouped({ healthCheck: {} })],
  [
    "targetGroups.far.ejection: begins with a longer ejection than its longest; lower base or raise max",
    grouped({ ejection: { base: "10m" } }),
  ],
  [
    'services.web: has no command; write command: a list such as ["node", "server.js"]',
    config({ services: { web: {} } }),
  ],
  [
    'services.web.command: is one string; no shell reads it; write ["node", "server.js"]',
    serving({ command: "node server.js" }),
  ],
  [
    "services.web.command: is an empty list; write a list, each an argument that is not empty",
    serving({ command: [] }),
  ],
  [
    'services.web.command[1]: is the string ""; write an argument that is not empty',
    serving({ command: ["node", ""] }),
  ],
  [
    "services.web.env.PORT: is set for each task; remove it; the task listens on the PORT it gets",
    serving({ env: { PORT: 1 } }),
  ],
  ["services.web.env.A-B: is no variable name; use letters, digits and _", serving({ env: { "A-B": "1" } })],
  ["services.web.env.A: is empty; write a string", serving({ env: { A: null } })],
  ['services.web.replicas: is not a known key; did you mean "tasks"?', serving({ replicas: 3 })],
  ["services.web.tasks: is -1; write a whole number from 0 to 1000", serving({ tasks: -1 })],
  [
    "services.web.limits.pidsMax: is 32; write a whole number from 64 to 4194304 (Node hangs below 64)",
    serving({ limits: { pidsMax: 32 } }),
  ],
  [
    'services.web.limits.memory: "512M" does not say which unit; write "512MiB" (1024s) or "512MB" (1000s)',
    serving({ limits: { memory: "512M" } }),
  ],
  [
    "services.web.deploy.maxPercent: is 50; write a whole number from 100 to 1000",
    serving({ deploy: { maxPercent: 50 } }),
  ],
  [
    "services.web.autoscale: has no max; write max: a whole number from 1 to 1000",
    serving({ autoscale: { cpu: 0.7 } }),
  ],
  [
    "services.web.autoscale: has none of cpu, inFlight, backlog; write one of them",
    serving({ autoscale: { max: 4 } }),
  ],
  [
    'services.web.autoscale.backlog.url: is the string "queue:9100"; write a URL such as "http://127.0.0.1:9100/depth"',
    serving({ autoscale: { max: 4, backlog: { url: "queue:9100", perTask: 100 } } }),
  ],
  [
    "services.web.autoscale.backlog: has no perTask; write perTask: a number from 0.1 to 1000000000",
    serving({ autoscale: { max: 4, backlog: { url: "http://127.0.0.1:9100/depth" } } }),
  ],
  [
    "services.web.autoscale: has min 4 above max 2; swap them",
    serving({ autoscale: { min: 4, max: 2, cpu: 0.7 } }),
  ],
  [
    'stores.shared.url: is no store\'s URL; write "embedded:", or a URL such as "redis://host:6379" or "pg://user@host/database"',
    config({ stores: { shared: { url: "http://:secret@x" } } }),
  ],
  [
    'stores.shared.url: is no store\'s URL; write "embedded:", or a URL such as "redis://host:6379" or "pg://user@host/database"',
    config({ stores: { shared: { url: "redis-cluster://:secret@a,,b" } } }),
  ],
  [
    'stores.shared.url: is no store\'s URL; write "embedded:", or a URL such as "redis://host:6379" or "pg://user@host/database"',
    config({ stores: { shared: { url: "redis-cluster://:secret@a/3" } } }),
  ],
  [
    'stores.shared.eviction: is the string "allkeys-lri"; did you mean "allkeys-lru"?',
    config({ stores: { shared: { url: "embedded:", eviction: "allkeys-lri" } } }),
  ],
  [
    "stores.shared.tls: needs key; name the files of the certificate and of its key",
    config({ stores: { shared: { url: "embedded:", tls: { cert: "a.pem" } } } }),
  ],
  [
    'stores.shared.tls.cert: is for the embedded store; write url: "embedded:", or nothing but ca here',
    config({ stores: { shared: { url: "rediss://x", tls: { cert: "a.pem", key: "a.key", ca: "ca.pem" } } } }),
  ],
  [
    "stores.shared.address: 127.0.0.1:7070 is taken by admin.address; use another port",
    config({ stores: { shared: { url: "embedded:", address: 7070 } } }),
  ],
  [
    "stores.other.address: 127.0.0.1:6379 is taken by stores.shared.address; use another port",
    config({ stores: { shared: { url: "embedded:" }, other: { url: "embedded:" } } }),
  ],
  [
    "services.web.autoscale.cpu: is 70; write a number from 0.01 to 1 (a share of one core)",
    serving({ autoscale: { max: 4, cpu: 70 } }),
  ],
];

describe("mistakes in keys and what they hold", () => {
  for (const [line, input] of MISTAKES) {
    test(line, () => {
      expect(lines(input)).toEqual([line]);
    });
  }
});
