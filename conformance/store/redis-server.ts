/** Debian's redis-server as a peer, on a port of its own, in memory alone. */
import { createServer } from "node:net";

/** A redis-server that runs. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Whether there is one on this machine. */
export const hasRedis: boolean = Bun.which("redis-server") !== null;

/** Starts one; `prefix` is put before the command (taskset). Rejects when it does not come up within 5 s. */
export async function startRedis(
  options: readonly string[] = [],
  prefix: readonly string[] = [],
): Promise<RedisServer> {
  const port = await freePort();
  const command = [
    ...prefix,
    "redis-server",
    "--port",
    String(port),
    "--save",
    "",
    "--bind",
    "127.0.0.1",
    ...options,
  ];
  const child = Bun.spawn(command, { stdout: "ignore", stderr: "ignore", cwd: "/tmp" });
  const endMs = performance.now() + 5000;
  while (!(await answers(port))) {
    if (performance.now() > endMs) throw new Error("redis-server did not come up within 5 s");
    await Bun.sleep(20);
  }
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid, stop };
}

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function answers(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
