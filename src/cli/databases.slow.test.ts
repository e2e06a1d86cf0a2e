/** Databases as `tenfold up` runs them: real servers, their agents, a router, and an app that finds them in its environment. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import type { DatabaseServerStatus } from "../app/index.ts";
import { freePortsFrom } from "../base/testing.ts";
import { NO_POSTGRES, until as untilWithin } from "../database/testing/servers.ts";
import { AppFolders, freePorts, isRunning, status, tenfold } from "./testing/app-folder.ts";

const folders = new AppFolders();
chmodSync(folders.root, 0o755); // Postgres' user must get through, should we be root
const app = folders.make("shop", { command: [process.execPath, "app.js"], tasks: 1 });
chmodSync(app.folder, 0o755);
const [router = 0] = freePorts(1);
const first = freePortsFrom(4);

/** Writes the config anew, with a database of so many replicas, and more settings of Postgres. */
function withReplicas(
  replicas: number,
  more: Readonly<Record<string, string | number>> = {},
  mode: "async" | "quorum" = "async",
): void {
  const path = join(app.folder, "tenfold.config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  const settings = { shared_buffers: "16MB", max_connections: 40, fsync: "off", ...more };
  const main = { adminUsers: ["main"], replicas, mode, address: router, serverPort: first, settings };
  writeFileSync(path, JSON.stringify({ ...config, databases: { main } }));
}

/** Its own environment, for whoever asks. */
const APP = `
const server = Bun.serve({
  port: process.env.PORT,
  fetch: () => Response.json({ url: process.env.DATABASE_URL, named: process.env.TENFOLD_DATABASE_MAIN_URL }),
});
process.on("SIGTERM", () => server.stop().then(() => process.exit(0)));
`;

const clients: Client[] = [];

async function connect(): Promise<Client> {
  const { url } = (await (await fetch(app.url)).json()) as { url: string };
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  clients.push(client);
  await client.connect();
  return client;
}

async function servers(): Promise<readonly DatabaseServerStatus[]> {
  return (await status(app.folder)).databases?.[0]?.servers ?? [];
}

const until = (what: string, holds: () => Promise<boolean>): Promise<void> =>
  untilWithin(what, holds, 30_000);

/** Roles of the servers that run, by name. */
async function roles(): Promise<Record<string, string | null>> {
  const running = (await servers()).filter(({ state }) => state === "running");
  return Object.fromEntries(running.map(({ name, role }) => [name, role]));
}

async function untilRoles(wanted: Record<string, string>): Promise<void> {
  await until(JSON.stringify(wanted), async () => Bun.deepEquals(await roles(), wanted));
}

function postmaster(server: string): number {
  const lock = join(app.folder, ".tenfold/databases/main", server, "data/postmaster.pid");
  return existsSync(lock) ? Number(readFileSync(lock, "utf8").split("\n")[0]) : 0;
}

/** The pid of a service's only task, once it is healthy. */
async function pidOf(name: string): Promise<number> {
  let pid: number | null | undefined;
  await until(`${name} is healthy`, async () => {
    const found = (await status(app.folder)).services.find((one) => one.name === name);
    pid = found?.healthy === 1 && found.state === "steady" ? found.tasks[0]?.pid : undefined;
    return typeof pid === "number" && pid > 1;
  });
  return Number(pid);
}

describe.skipIf(NO_POSTGRES)("databases of tenfold up (needs Postgres)", () => {
  beforeAll(async () => {
    writeFileSync(join(app.folder, "app.js"), APP);
    withReplicas(1);
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
  }, 60_000);

  afterAll(async () => {
    for (const client of clients) await client.end().catch(() => {});
    await folders.remove();
  }, 60_000);

  test("an app's first statement waits for the primary, and finds a database that is its own", async () => {
    const client = await connect();
    await client.query("create table kept (id int)");
    const { rows } = await client.query("select current_user as who, current_database() as what");
    expect(rows).toEqual([{ who: "main", what: "main" }]);
    const refused = await client.query("create role other").catch(String);
    expect(refused).toContain("permission denied");
    await untilRoles({ db1: "primary", db2: "replica" });
  }, 60_000);

  test("passwords are in files that nobody else may read, and nowhere else", async () => {
    const { url, named } = (await (await fetch(app.url)).json()) as { url: string; named: string };
    expect(named).toBe(url);
    const { password } = new URL(url);
    expect(password.length).toBe(32);
    const state = join(app.folder, ".tenfold");
    const found = readdirSync(state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\/data(?:\/|$)/.test(entry.parentPath))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => readFileSync(path, "utf8").includes(password));
    expect(found.map((path) => path.slice(state.length + 1)).toSorted()).toEqual([
      "databases/main.password",
      "databases/main.router.json",
      "journal",
    ]);
    expect(found.map((path) => statSync(path).mode & 0o077)).toEqual([0, 0, 0]);
    const said = await tenfold(["status", "--json"], app.folder);
    expect(said.out + (await tenfold(["db", "status", "--json"], app.folder)).out).not.toContain(password);
  }, 60_000);

  test("an agent that is killed is replaced, and its server goes on without an error", async () => {
    const client = await connect();
    const before = postmaster("db1");
    const agent = await pidOf("main-db1");
    process.kill(agent, "SIGKILL");
    await client.query("insert into kept values (1)");
    await until("another agent", async () => (await pidOf("main-db1")) !== agent);
    await client.query("insert into kept values (2)");
    expect(postmaster("db1")).toBe(before);
  }, 60_000);

  test("a controller that is killed leaves all as it is, and the next one adopts it", async () => {
    const client = await connect();
    const before = [postmaster("db1"), postmaster("db2")];
    const { controller, services } = await status(app.folder);
    process.kill(controller.pid, "SIGKILL");
    await client.query("insert into kept values (3)");
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
    await client.query("insert into kept values (4)");
    expect([postmaster("db1"), postmaster("db2")]).toEqual(before);
    const pids = (all: typeof services): unknown => all.map(({ name, tasks }) => [name, tasks[0]?.pid]);
    expect(pids((await status(app.folder)).services)).toEqual(pids(services));
  }, 60_000);

  test("settings hold at once where a reload will do, and status names those that wait for a start", async () => {
    const client = await connect();
    const before = [postmaster("db1"), postmaster("db2")];
    withReplicas(1, { work_mem: "9MB", max_connections: 50 });
    await until("it holds", async () => (await client.query("show work_mem")).rows[0]?.work_mem === "9MB");
    const said = async (): Promise<string> => (await tenfold(["db", "status"], app.folder)).out;
    const waits = "max_connections wait for its next start: tenfold db restart";
    await until("both say what waits", async () => (await said()).split(waits).length === 3);
    expect([postmaster("db1"), postmaster("db2")]).toEqual(before);
    const notes = async (): Promise<string[]> => (await servers()).map(({ note }) => note);
    await until("status does", async () => (await notes()).includes("max_connections wait for a restart"));
    expect(await tenfold(["db", "restart", "db1"], app.folder)).toMatchObject({
      code: 1,
      err: expect.stringContaining("hand over first"),
    });
    expect(await tenfold(["db", "restart", "db2"], app.folder)).toMatchObject({ code: 0 });
    expect(postmaster("db2")).not.toBe(before[1]);
    await until("db1 alone waits", async () => (await said()).split(waits).length === 2);
    withReplicas(1, { max_connections: 50 });
    await until(
      "it is as before",
      async () => (await client.query("show work_mem")).rows[0]?.work_mem === "4MB",
    );
    await untilRoles({ db1: "primary", db2: "replica" });
  }, 90_000);

  test("an admin user of the config has the router's console", async () => {
    const { url } = (await (await fetch(app.url)).json()) as { url: string };
    const console = new Client({ connectionString: url.replace(/\/main$/, "/pgbouncer") });
    await console.connect();
    const { rows } = await console.query("SHOW DATABASES");
    expect(rows).toContainEqual(expect.objectContaining({ name: "main" }));
    await console.end();
  }, 30_000);

  test("more replicas are cloned while it serves; of fewer the primary stays", async () => {
    withReplicas(2, { max_connections: 50 });
    await untilRoles({ db1: "primary", db2: "replica", db3: "replica" });
    expect(await tenfold(["db", "switchover", "db3"], app.folder)).toMatchObject({ code: 0 });
    await untilRoles({ db1: "replica", db2: "replica", db3: "primary" });
    withReplicas(1, { max_connections: 50 });
    await until("db2 has gone", async () => (await servers()).length === 2 && postmaster("db2") === 0);
    await untilRoles({ db1: "replica", db3: "primary" });
    const { rows } = await (await connect()).query("select count(*)::int as n from kept");
    expect(rows).toEqual([{ n: 4 }]);
  }, 90_000);

  test("in quorum mode commits wait for the replicas that are left, and the last one is not taken away", async () => {
    // A change of mode is a deploy of the router: old connections end.
    const asked = async (sql: string): Promise<{ readonly names?: string } | undefined> => {
      const client = await connect();
      const { rows } = await client.query(sql);
      await client.end();
      return rows[0] as { readonly names?: string } | undefined;
    };
    const waitsFor = async (): Promise<string> =>
      (await asked("select current_setting('synchronous_standby_names') as names").catch(() => undefined))
        ?.names ?? "nobody can be asked";
    withReplicas(2, { max_connections: 50 }, "quorum");
    await untilRoles({ db1: "replica", db2: "replica", db3: "primary" });
    await until("both are waited for", async () => /db1.*db2|db2.*db1/.test(await waitsFor()));
    withReplicas(1, { max_connections: 50 }, "quorum");
    await until("db2 has gone", async () => (await servers()).length === 2 && postmaster("db2") === 0);
    await until("it is waited for no more", async () => /^ANY 1 \("?db1"?\)$/.test(await waitsFor()));
    await asked("insert into kept values (5)");
    withReplicas(0, { max_connections: 50 }, "quorum");
    const refused = await tenfold(["check"], app.folder);
    expect(refused.code).toBe(1);
    expect(refused.out + refused.err).toContain("there is no replica to acknowledge a commit");
    await asked("delete from kept where id = 5");
    await untilRoles({ db1: "replica", db3: "primary" });
    withReplicas(1, { max_connections: 50 });
    await until("nobody is waited for", async () => (await waitsFor()) === "");
  }, 120_000);

  test("down stops all of it, also a server whose agent is dead, and up finds the data", async () => {
    const [agent, other] = [await pidOf("main-db3"), await pidOf("web")];
    const before = [postmaster("db1"), postmaster("db3"), other];
    process.kill(agent, "SIGKILL");
    expect(await tenfold(["down"], app.folder)).toMatchObject({ code: 0 });
    expect([...before, agent].map(isRunning)).toEqual([false, false, false, false]);
    const log = readFileSync(join(app.folder, ".tenfold/databases/main/db3/postgres.log"), "utf8");
    expect(log.trimEnd().split("\n").at(-1)).toContain("database system is shut down");

    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
    const { rows } = await (await connect()).query("select count(*)::int as n from kept");
    expect(rows).toEqual([{ n: 4 }]);
  }, 90_000);
});
