import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, type DatabaseConfig, DEFAULTS, parseConfig } from "../../config/index.ts";
import { appPassword, chosenServers, isMarkedPrimary, prepareDatabases } from "./folders.ts";
import { readPlaces, writePlaces } from "./places.ts";
import { databaseMachineProblems, isLeftOut, leftOutNotes } from "./problems.ts";

const root = mkdtempSync(join(tmpdir(), "tenfold-databases-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const database = (changes: Partial<DatabaseConfig> = {}): DatabaseConfig => ({
  name: "main",
  ...DEFAULTS.database,
  appFolder: root,
  ...changes,
});

function configOf(changes: object): Config {
  const outcome = parseConfig({ databases: { main: changes } }, { folder: root, cores: 1 });
  if (outcome.kind === "ok") return outcome.config;
  throw new Error(JSON.stringify(outcome.problems));
}

describe("the servers of a database", () => {
  const nobody = (): boolean => false;

  test("are one more than its replicas, at first", () => {
    expect(chosenServers(database({ replicas: 2 }), [], nobody)).toEqual(["db1", "db2", "db3"]);
  });

  test("stay, and the lowest free names come in", () => {
    expect(chosenServers(database({ replicas: 2 }), ["db1", "db3"], nobody)).toEqual(["db1", "db3", "db2"]);
  });

  test("go from the end, never the primary", () => {
    const three = ["db1", "db2", "db3"];
    expect(chosenServers(database({ replicas: 1 }), three, (name) => name === "db1")).toEqual(["db1", "db2"]);
    expect(chosenServers(database({ replicas: 1 }), three, (name) => name === "db3")).toEqual(["db1", "db3"]);
    expect(chosenServers(database({ replicas: 0 }), three, (name) => name === "db2")).toEqual(["db2"]);
  });

  test("are written down for who has no config", async () => {
    const state = join(root, "state");
    mkdirSync(state);
    prepareDatabases(state);
    await writePlaces(state, { main: { folder: "/data/main", servers: ["db2"] } });
    await writePlaces(state, { other: { folder: "/data/other", servers: ["db1"] } });
    expect(readPlaces(state)).toEqual({
      main: { folder: "/data/main", servers: ["db2"] },
      other: { folder: "/data/other", servers: ["db1"] },
    });
    const password = appPassword(state, "main");
    expect([password.length, appPassword(state, "main")]).toEqual([32, password]);
    expect(statSync(join(state, "databases/main.password")).mode & 0o777).toBe(0o600);
  });
});

test("data are a primary's unless they are marked as a replica's", () => {
  const data = join(root, "cluster/db1/data");
  mkdirSync(data, { recursive: true });
  expect(isMarkedPrimary(join(root, "cluster"), "db1")).toBe(false);
  writeFileSync(join(data, "PG_VERSION"), "18");
  expect(isMarkedPrimary(join(root, "cluster"), "db1")).toBe(true);
  writeFileSync(join(data, "standby.signal"), "");
  expect(isMarkedPrimary(join(root, "cluster"), "db1")).toBe(false);
});

describe("what a machine lacks", () => {
  test("is said, with what to install", async () => {
    const [problem, ...more] = await databaseMachineProblems(configOf({ postgres: "nowhere" }), root);
    expect(problem).toEqual({
      path: "databases.main.postgres",
      what: `has no bin/postgres and bin/initdb in ${join(root, "nowhere")}`,
      mend: "name the folder of an installation, such as /usr/lib/postgresql/17",
    });
    expect(more).toEqual([]);
  });

  test("is no mistake of an optional one, which is left out, and that is said", async () => {
    const config = configOf({ postgres: "nowhere", optional: true });
    expect(await databaseMachineProblems(config, root)).toEqual([]);
    expect(config.databases.map(isLeftOut)).toEqual([true]);
    expect(leftOutNotes(config)[0]).toStartWith(
      "databases.main is left out: no Postgres is installed here; ",
    );
  });

  test("is a user that is not there", async () => {
    const problems = await databaseMachineProblems(configOf({ user: "no-such-user" }), root);
    expect(problems.find(({ path }) => path === "databases.main.user")?.what).toBe(
      'there is no user "no-such-user"',
    );
  });

  test("is a folder whose data are somebody else's", async () => {
    const data = join(root, "foreign/db1/data");
    mkdirSync(data, { recursive: true });
    // Ours, and Postgres runs as another user when we are root; else it would be ours to run.
    const problems = await databaseMachineProblems(configOf({ folder: "foreign" }), root);
    const found = problems.find(({ path }) => path === "databases.main.folder");
    if (process.getuid?.() === 0)
      expect(found?.what).toStartWith(`${data} is owned by user 0, and Postgres would`);
    else expect(found).toBeUndefined();
  });

  test("is a socket's path that is too long", async () => {
    const problems = await databaseMachineProblems(configOf({ folder: "x".repeat(120) }), root);
    expect(problems.find(({ path }) => path === "databases.main.folder")?.what).toContain(
      "is too long a path",
    );
  });

  test("does not matter for servers elsewhere", async () => {
    const config = configOf({ url: "postgres://app@db.internal/shop" });
    expect(await databaseMachineProblems(config, root)).toEqual([]);
  });
});
