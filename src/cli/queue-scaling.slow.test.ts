/** Jobs under `tenfold up`: an app that sends them through the router of its database, and workers as many as there are jobs for. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceStatus } from "../app/index.ts";
import { freePortsFrom } from "../base/testing.ts";
import { NO_POSTGRES, until } from "../database/testing/servers.ts";
import { AppFolders, freePorts, status, tenfold } from "./testing/app-folder.ts";

const QUEUE = fileURLToPath(new URL("../queue/io/index.ts", import.meta.url));

const JOBS = 240;
const PER_TASK = 20;
const TASKS_MAX = 3;

/** Sends as many jobs as it is asked to, and says how many wait. */
const WEB = `
import { job, openQueue, queueEndpoint } from ${JSON.stringify(QUEUE)};
const queue = await openQueue({ url: process.env.DATABASE_URL, jobs: { count: job() } });
const endpoint = queueEndpoint(queue);
const server = Bun.serve({
  port: process.env.PORT,
  async fetch(request) {
    if (request.method !== "POST") return endpoint(request);
    const length = Number(await request.text());
    await queue.sendAll("count", Array.from({ length }, (_, n) => ({ n })));
    return new Response("sent");
  },
});
process.on("SIGTERM", () => server.stop().then(() => queue.close()).then(() => process.exit(0)));
`;

/** 20 jobs a second, each a line in a file. */
const WORKER = `
import { appendFileSync } from "node:fs";
import { job, openQueue } from ${JSON.stringify(QUEUE)};
const queue = await openQueue({ url: process.env.DATABASE_URL, jobs: { count: job() }, poll: "100ms", drain: "5s" });
queue.work("count", { concurrency: 2 }, async ({ data }) => {
  await Bun.sleep(100);
  appendFileSync("done", data.n + " " + process.env.TENFOLD_TASK + "\\n");
});
Bun.serve({ port: process.env.PORT, fetch: () => new Response("works") });
`;

const folders = new AppFolders();
chmodSync(folders.root, 0o755); // Postgres' user must get through, should we be root
const app = folders.make("shop", { command: [process.execPath, "web.js"], tasks: 1 });
chmodSync(app.folder, 0o755);

function writeFiles(): void {
  const path = join(app.folder, "tenfold.config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as { services: object };
  const [address = 0] = freePorts(1);
  const settings = { shared_buffers: "16MB", max_connections: 40, fsync: "off" };
  const worker = {
    command: [process.execPath, "worker.js"],
    autoscale: {
      max: TASKS_MAX,
      backlog: { url: `${app.url}depth?kind=count`, perTask: PER_TASK },
      stableWindow: "1s",
      downWindow: "1s",
    },
  };
  const databases = { main: { address, serverPort: freePortsFrom(2), settings } };
  writeFileSync(path, JSON.stringify({ ...config, databases, services: { ...config.services, worker } }));
  writeFileSync(join(app.folder, "web.js"), WEB);
  writeFileSync(join(app.folder, "worker.js"), WORKER);
  writeFileSync(join(app.folder, "done"), "");
}

async function service(name: string): Promise<ServiceStatus> {
  const found = (await status(app.folder)).services.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
}

const done = (): string[][] =>
  readFileSync(join(app.folder, "done"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" "));

describe.skipIf(NO_POSTGRES)("workers of a queue under tenfold up (needs Postgres)", () => {
  beforeAll(async () => {
    writeFiles();
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
  }, 60_000);

  afterAll(() => folders.remove(), 60_000);

  test("tasks that start beside the router wait for it: none was restarted", async () => {
    const tasks = [...(await service("web")).tasks, ...(await service("worker")).tasks];
    expect(tasks.map(({ state, restarts }) => [state, restarts])).toEqual([
      ["healthy", 0],
      ["healthy", 0],
    ]);
  });

  test("the number of workers follows the depth, up and down, and each job is done once", async () => {
    await fetch(app.url, { method: "POST", body: String(JOBS) });
    await until("as many as may be", async () => (await service("worker")).healthy === TASKS_MAX, 30_000);
    expect(done().length).toBeLessThan(JOBS);
    await until("all is done", () => Promise.resolve(done().length >= JOBS), 30_000);
    await until("one is left", async () => (await service("worker")).running === 1, 30_000);
    expect(
      done()
        .map(([n]) => Number(n))
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: JOBS }, (_, n) => n));
    expect(new Set(done().map(([, task]) => task)).size).toBe(TASKS_MAX);
    expect(await (await fetch(`${app.url}depth?kind=count`)).json()).toEqual({ depth: 0, oldestMs: 0 });
    const { out } = await tenfold(["explain", "scale", "worker"], app.folder);
    expect(out).toMatch(/goes from 1 to 3: .*[^]*a backlog of/);
  }, 60_000);
});
