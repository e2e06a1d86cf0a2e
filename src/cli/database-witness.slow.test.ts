/** A database with a witness, as `tenfold up` runs it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePortsFrom } from "../base/testing.ts";
import { NO_POSTGRES, until as untilWithin } from "../database/testing/servers.ts";
import { AppFolders, freePorts, isRunning, status, tenfold } from "./testing/app-folder.ts";

const folders = new AppFolders();
chmodSync(folders.root, 0o755); // Postgres' user must get through, should we be root
const app = folders.make("shop", { command: [process.execPath, "app.js"], tasks: 1 });
chmodSync(app.folder, 0o755);
const [router = 0] = freePorts(1);
/** Servers have the first ones, the witness the last. */
const first = freePortsFrom(10);

const APP = `
const server = Bun.serve({ port: process.env.PORT, fetch: () => new Response("here") });
process.on("SIGTERM", () => server.stop().then(() => process.exit(0)));
`;

const until = (what: string, holds: () => Promise<boolean>): Promise<void> =>
  untilWithin(what, holds, 60_000);

async function untilRoles(wanted: Record<string, string>): Promise<void> {
  await until(JSON.stringify(wanted), async () => {
    const servers = (await status(app.folder)).databases?.[0]?.servers ?? [];
    const running = servers.filter(({ state }) => state === "running");
    return Bun.deepEquals(Object.fromEntries(running.map(({ name, role }) => [name, role])), wanted);
  });
}

/** The pid of the witness's task, once it is healthy and streams. */
async function untilWitness(): Promise<number> {
  let pid: number | null | undefined;
  await until("the witness streams", async () => {
    const found = (await status(app.folder)).services.find(({ name }) => name === "main-witness");
    pid = found?.healthy === 1 ? found.tasks[0]?.pid : undefined;
    return typeof pid === "number" && (await streaming()).includes("witness");
  });
  return Number(pid);
}

interface Told {
  readonly name: string;
  readonly view: { readonly replicas: readonly { readonly name: string; readonly state: string }[] } | null;
}

/** Who streams from a server of the cluster. */
async function streaming(): Promise<string[]> {
  const { out } = await tenfold(["db", "status", "--json"], app.folder);
  const told = JSON.parse(out) as Told[];
  const replicas = told.flatMap(({ view }) => view?.replicas ?? []);
  return replicas.filter(({ state }) => state === "streaming").map(({ name }) => name);
}

describe.skipIf(NO_POSTGRES)("a database with a witness under tenfold up (needs Postgres)", () => {
  beforeAll(async () => {
    writeFileSync(join(app.folder, "app.js"), APP);
    const path = join(app.folder, "tenfold.config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as object;
    const settings = { shared_buffers: "16MB", max_connections: 40, fsync: "off" };
    const own = { replicas: 1, witness: true, mode: "quorum" };
    const main = { ...own, address: router, serverPort: first, settings };
    writeFileSync(path, JSON.stringify({ ...config, databases: { main } }));
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
  }, 60_000);

  afterAll(() => folders.remove(), 60_000);

  test("is shown, in roles, positions and what the witness keeps", async () => {
    await untilRoles({ db1: "primary", db2: "replica", witness: "witness" });
    await untilWitness();
    const { out } = await tenfold(["db", "status"], app.folder);
    expect(out).toMatch(/^witness +witness +running .* 0\/[0-9A-F]+ /m);
    expect(out).toMatch(/^witness: keeps the log of timeline 1 from 0\/[0-9A-F]+ to 0\/[0-9A-F]+$/m);
    expect((await tenfold(["check"], app.folder)).out).toContain(
      "a primary, 1 replica and a witness, quorum",
    );
  }, 90_000);

  test("has it back when it is killed, adopts it under another controller, and ends it with the servers", async () => {
    const killed = await untilWitness();
    process.kill(killed, "SIGKILL");
    await until("another one", async () => (await untilWitness()) !== killed);
    const witness = await untilWitness();
    process.kill((await status(app.folder)).controller.pid, "SIGKILL");
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
    expect(await untilWitness()).toBe(witness);
    expect(await tenfold(["down"], app.folder)).toMatchObject({ code: 0 });
    expect(isRunning(witness)).toBe(false);
  }, 120_000);
});
