import { describe, expect, test } from "bun:test";
import { config, good, lines } from "./testing.ts";

const databases = (all: object) => config({ databases: all });
const main = (entry: object) => databases({ main: entry });

const PRIMARY = "postgres://app:secret@db.internal/shop";

describe("a database", () => {
  test("needs nothing but a name", () => {
    expect(good(databases({ main: {} })).databases).toMatchObject([
      {
        name: "main",
        replicas: 0,
        mode: "async",
        consistency: "session",
        address: { host: "127.0.0.1", port: 6432 },
        serverPort: 7433,
        appFolder: "/srv/app",
      },
    ]);
  });

  test("is enough for a config", () => {
    expect(lines({ databases: { main: {} } })).toEqual([]);
  });

  test("elsewhere is a URL and those of its replicas", () => {
    const { databases: made } = good(main({ url: PRIMARY, replicas: [PRIMARY.replace("db.", "db2.")] }));
    expect(made[0]).toMatchObject({ url: PRIMARY, replicaUrls: ["postgres://app:secret@db2.internal/shop"] });
  });

  test("has a pool with bounds and times; 0 is none, or for a lifetime: used once", () => {
    const pool = { databaseMax: 30, userClientsMax: 0, serverLifetime: "0ms", queryTimeout: "30s" };
    expect(good(main({ pool })).databases[0]?.pool).toMatchObject({
      databaseMax: 30,
      userMax: 0,
      userClientsMax: 0,
      serverLifetimeMs: 0,
      queryTimeoutMs: 30_000,
      messageTimeoutMs: 60_000,
    });
    expect(lines(main({ pool: { userMax: -1 } }))).toEqual([
      "databases.main.pool.userMax: is -1; write a whole number from 0 to 10000",
    ]);
  });

  test("has paths from the folder of the config, and settings as text", () => {
    const made = good(
      main({ folder: "data", postgres: "/opt/pg", settings: { work_mem: "8MB", jit: false } }),
    );
    expect(made.databases[0]).toMatchObject({
      folder: "/srv/app/data",
      postgres: "/opt/pg",
      settings: { work_mem: "8MB", jit: "false" },
    });
  });
});

describe("a mistake in a database", () => {
  const one: [string, object, string][] = [
    [
      "an unknown key",
      { replcas: 1 },
      'databases.main.replcas: is not a known key; did you mean "replicas"?',
    ],
    [
      "too few replicas",
      { replicas: -1 },
      "databases.main.replicas: is -1; write a whole number from 0 to 8",
    ],
    [
      "a quorum of nobody",
      { mode: "quorum" },
      'databases.main.mode: is quorum, and there is no replica to acknowledge a commit; write replicas: 2, or mode: "async"',
    ],
    [
      "a witness that nobody waits for",
      { replicas: 1, witness: true },
      'databases.main.witness: is true, and in async mode no commit waits for it; write mode: "quorum", or remove it',
    ],
    [
      "a witness of a server alone",
      { mode: "quorum", witness: true },
      "databases.main.witness: is true, and there is no replica to be promoted with what it has; write replicas: 1, or remove it",
    ],
    [
      "a witness of what runs elsewhere",
      { url: PRIMARY, witness: true },
      "databases.main.witness: is for servers that tenfold runs; remove it, or url",
    ],
    [
      "a setting that is ours",
      { settings: { port: 5432 } },
      "databases.main.settings.port: is set by tenfold: it holds the cluster together; remove it",
    ],
    [
      "a lease too short",
      { lease: { ttl: "1s" } },
      "databases.main.lease.ttl: is 1s; write a duration from 3s to 2m",
    ],
    [
      "a store of the lease that is none",
      { lease: { store: "redis://h" } },
      'databases.main.lease.store: is the string "redis://h"; write a URL such as "etcd://127.0.0.1:2379"',
    ],
    [
      "replicas without their primary",
      { replicas: [PRIMARY] },
      "databases.main.replicas: is a list of URLs, and there is no url of their primary; write url, or the number of replicas that tenfold is to run",
    ],
    [
      "a number of replicas of what runs elsewhere",
      { url: PRIMARY, replicas: 2 },
      "databases.main.replicas: is a number, and the servers run elsewhere; write a list of their URLs",
    ],
    [
      "a mode of what runs elsewhere",
      { url: PRIMARY, mode: "quorum" },
      "databases.main.mode: is for servers that tenfold runs; remove it, or url",
    ],
    [
      "a replica of another database",
      { url: PRIMARY, replicas: ["postgres://app:secret@db2.internal/other"] },
      "databases.main.replicas[0]: has another user, password or database than url; a replica is a copy: only host and port may differ",
    ],
    [
      "the primary as its own replica",
      { url: PRIMARY, replicas: [PRIMARY.replace("internal/", "internal:5432/")] },
      "databases.main.replicas[0]: is the server of url; remove it",
    ],
  ];
  test.each(one)("is said in one line: %s", (_, entry, line) => {
    expect(lines(main(entry))).toEqual([line]);
  });

  test("never repeats a URL, which may hold a password", () => {
    const [line] = lines(main({ url: "postgres://app:secret@" }));
    expect(line).toBe(
      "databases.main.url: is no URL of Postgres; write a URL such as postgres://user:password@host:5432/database",
    );
  });

  test("is a name that Postgres has", () => {
    const mend = 'is a name of Postgres\' own; call it otherwise, such as "main"';
    expect(lines(databases({ postgres: {} }))).toEqual([`databases.postgres: ${mend}`]);
    expect(lines(databases({ postgres: { url: PRIMARY } }))).toEqual([]);
  });

  test("is an address or a port of another one", () => {
    expect(lines(databases({ a: {}, b: { address: 6433 } }))).toEqual([
      "databases.b.serverPort: 127.0.0.1:7433 is taken by databases.a.serverPort; use another port",
    ]);
    expect(lines(databases({ a: { replicas: 2 }, b: { address: 7435, serverPort: 7500 } }))).toEqual([
      "databases.b.address: 127.0.0.1:7435 is taken by databases.a.serverPort; use another port",
    ]);
  });

  test("is a port or a name that its witness needs", () => {
    const pair = { replicas: 1, mode: "quorum", witness: true };
    expect(lines(databases({ a: pair, b: { address: 7442, serverPort: 7500 } }))).toEqual([
      "databases.b.address: 127.0.0.1:7442 is taken by databases.a.witness; use another port",
    ]);
    const services = { "main-witness": { command: ["node"] } };
    expect(lines({ services, databases: { main: pair } })).toEqual([
      "databases.main: needs the name main-witness, which a service or target group has; give one of the two another name",
    ]);
  });

  test("is the name of its router that a service has", () => {
    const services = { "router-main": { command: ["node"] } };
    expect(lines({ services, databases: { main: {} } })).toEqual([
      "databases.main: needs the name router-main, which a service or target group has; give one of the two another name",
    ]);
  });

  test("is a variable that two of them would have", () => {
    const other = { address: 6433, serverPort: 7500 };
    expect(lines(databases({ "a-b": {}, a_b: other }))).toEqual([
      "databases.a_b: gives tasks the same variable as databases.a-b; let the names differ in more than case and dashes",
    ]);
  });
});
