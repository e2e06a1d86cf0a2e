/** Workers of a queue as `tenfold up` runs them: the queue in its own database, through its router, and as many tasks as there is to do. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePortsFrom } from "../base/testing.ts";
import { NO_POSTGRES, until as untilWithin } from "../database/testing/servers.ts";
import { AppFolders, freePorts, status, tenfold } from "./testing/app-folder.ts";

const folders = new AppFolders();
chmodSync(folders.root, 0o755); // Postgres' user must get through, should we be root
const app = folders.make("shop");
chmodSync(app.folder, 0o755);
const [router = 0] = freePorts(1);
const first = freePortsFrom(2);

const DOOR = JSON.stringify(join(import.meta.dirname, "../queue/io/index.ts"));

const DB = JSON.stringify(join(import.meta.dirname, "../db/io/index.ts"));

/** What both services know of the queue: a pool on the router, which is in transaction mode, and may come up after them. */
const QUEUE = `
import { job, nodeQueueEndpoint, openQueue } from ${DOOR};
import { openDatabase } from ${DB};
import { createServer } from "node:http";
const pool = await openDatabase({ url: process.env.DATABASE_URL, router: true, hold: "60s", pool: { max: 4 } });
const queue = await openQueue({
  pool, jobs: { slow: job({ retries: 3, backoff: "1s" }) }, poll: "100ms", drain: "5s",
});
const count = nodeQueueEndpoint(queue);
`;

/** Sends as many jobs as it is asked for. It always runs, so it is what tells of the depth. */
const WEB = `${QUEUE}
createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://web");
  if (pathname !== "/send") return count(request, response);
  const jobs = Array.from({ length: Number(searchParams.get("jobs")) }, (_, n) => ({ n }));
  await queue.sendAll("slow", jobs);
  response.end("sent");
}).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));
`;

/** A fifth of a second a job, one at a time. */
const WORKER = `${QUEUE}
queue.work("slow", { concurrency: 1 }, () => new Promise((resolve) => setTimeout(resolve, 200)));
createServer(count).listen(process.env.PORT);
`;

const until = (what: string, holds: () => Promise<boolean>): Promise<void> =>
  untilWithin(what, holds, 60_000);

async function workers(): Promise<number> {
  const { services } = await status(app.folder);
  return services.find(({ name }) => name === "workers")?.healthy ?? 0;
}

async function depth(): Promise<number> {
  return ((await (await fetch(`${app.url}depth?kind=slow`)).json()) as { depth: number }).depth;
}

describe.skipIf(NO_POSTGRES)("workers that follow a queue (needs Postgres)", () => {
  beforeAll(async () => {
    writeFileSync(join(app.folder, "web.mjs"), WEB);
    writeFileSync(join(app.folder, "worker.mjs"), WORKER);
    const settings = { shared_buffers: "16MB", max_connections: 60, fsync: "off" };
    const backlog = { url: `${app.url}depth?kind=slow`, perTask: 20 };
    const config = {
      admin: { address: app.admin },
      gateway: { workers: 1 },
      listeners: { web: { address: `127.0.0.1:${app.port}`, rules: [{ forward: "web" }] } },
      services: {
        web: { command: [process.execPath, "web.mjs"], tasks: 1, startTimeout: "90s" },
        workers: {
          command: [process.execPath, "worker.mjs"],
          startTimeout: "90s",
          autoscale: { min: 1, max: 4, backlog, downWindow: "3s" },
        },
      },
      databases: { main: { replicas: 0, address: router, serverPort: first, settings } },
    };
    writeFileSync(join(app.folder, "tenfold.config.json"), JSON.stringify(config));
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
    await until("a web task and a worker", async () => {
      const { services } = await status(app.folder);
      return services.length === 2 && services.every(({ healthy }) => healthy >= 1);
    });
  }, 120_000);

  afterAll(() => folders.remove(), 60_000);

  test("when the queue grows tasks are added; when it is empty they go, and each job was done once", async () => {
    expect(await (await fetch(`${app.url}send?jobs=200`)).text()).toBe("sent");
    await until("the depth is seen", async () => (await depth()) >= 100);
    await until("more workers", async () => (await workers()) === 4);
    const shown = await tenfold(["status"], app.folder);
    expect(shown.out).toMatch(/workers\s.*4/);
    await until("all is done", async () => (await depth()) === 0);
    await until("one worker", async () => (await workers()) === 1);
    const metrics = await (await fetch(`${app.url}metrics`)).text();
    expect(metrics).toContain('tenfold_queue_jobs{kind="slow",state="failed"} 0');
    const explained = await tenfold(["explain", "scale", "workers"], app.folder);
    expect(`${explained.out}${explained.err}`).toContain("backlog");
  }, 200_000);
});
