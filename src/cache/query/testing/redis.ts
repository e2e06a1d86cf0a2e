/** A real Redis server for tests, where the machine has one. */
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

/** A running server. */
export interface Redis {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Whether `redis-server` is on the path. */
export function hasRedis(): boolean {
  return spawnSync("redis-server", ["--version"]).status === 0;
}

/** Starts a server that keeps nothing. Takes about 50 ms. */
export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const server = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("exit", () => reject(new Error("redis-server ended")));
    server.stdout.on("data", (bytes: Buffer) => {
      if (bytes.toString().includes("Ready to accept connections")) resolve();
    });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid ?? 0,
    stop: async () => {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGKILL");
      if (server.exitCode === null && server.signalCode === null) await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
