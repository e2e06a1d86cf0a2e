/** A real redis-server for the tests of this part. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether Debian's redis-server (7 or later) is on this machine. */
export const hasRedis: boolean = Bun.which("redis-server") !== null;

/** A server of its own, without persistence. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: () => number;
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
  /** Starts again on the same port, empty. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a server on a free port, and waits until it answers. */
export async function startRedis(): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-redis-"));
  const port = await freePort();
  let child = await spawn(port, folder);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => child.pid,
    kill,
    restart: async () => {
      await kill();
      child = await spawn(port, folder);
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}

async function spawn(port: number, folder: string): Promise<Bun.Subprocess> {
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder,
  ];
  const child = Bun.spawn(["redis-server", ...args], { stdout: "ignore", stderr: "ignore" });
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await answers(port)) return child;
    await Bun.sleep(10);
  }
  throw new Error(`redis-server did not start on port ${port}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => void socket.write("PING\r\n"),
        data: (socket) => {
          resolve(true);
          socket.end();
        },
        error: () => resolve(false),
        connectError: () => resolve(false),
      },
    }).catch(() => resolve(false));
  });
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
