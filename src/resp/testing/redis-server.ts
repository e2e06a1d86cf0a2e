/** A real redis-server for tests and benches, where Debian's is installed. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A redis-server that a test starts, kills and starts again. */
export interface TestRedis {
  readonly url: string;
  /** SIGKILL. What was not synced is lost. */
  kill(): Promise<void>;
  /** Again on the same port and files. */
  restart(): Promise<void>;
  /** Kills it and removes its files. */
  stop(): Promise<void>;
}

/** A redis-server of Debian on a port of its own; with `appendOnly` it syncs every write. Undefined where there is none. */
export async function startRedis({
  appendOnly = false,
}: {
  appendOnly?: boolean;
} = {}): Promise<TestRedis | undefined> {
  if (Bun.which("redis-server") === null) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tenfold-redis-"));
  const log = appendOnly ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  const start = async (): Promise<ChildProcess> => {
    const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
    const child = spawn("redis-server", [...place, "--save", "", ...log], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const chunk of child.stdout) if (String(chunk).includes("Ready to accept connections")) break;
    return child;
  };
  let child = await start();
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        resolve();
        return;
      }
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      child = await start();
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
