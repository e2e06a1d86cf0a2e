/** Real stores for tests and benches: redis-server, where Debian's is installed, and the embedded store. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A store that a test starts, kills and starts again. */
export interface TestStore {
  readonly url: string;
  /** SIGKILL. What was not synced is lost. */
  kill(): Promise<void>;
  /** Again on the same port and files. */
  restart(): Promise<void>;
  /** Kills it and removes its files. */
  stop(): Promise<void>;
}

/** How a store is started: its command on a port and a folder, and what it prints when it is ready. */
interface Launch {
  readonly command: (port: number, folder: string) => readonly string[];
  readonly ready: string;
}

const MAIN = join(import.meta.dir, "../../cli/main.ts");

/** A redis-server of Debian on a port of its own; with `appendOnly` it syncs every write. Undefined where there is none. */
export async function startRedis({
  appendOnly = false,
}: {
  appendOnly?: boolean;
} = {}): Promise<TestStore | undefined> {
  if (Bun.which("redis-server") === null) return undefined;
  const log = appendOnly ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  return start({
    command: (port, folder) => {
      const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
      return ["redis-server", ...place, "--save", "", ...log];
    },
    ready: "Ready to accept connections",
  });
}

/** `tenfold store` on a port of its own, which syncs every write. */
export function startEmbedded(): Promise<TestStore> {
  return start({
    command: (port, folder) => {
      const place = ["--address", `127.0.0.1:${port}`, "--data", folder];
      return [process.execPath, MAIN, "store", ...place, "--fsync", "always"];
    },
    ready: "store at",
  });
}

async function start({ command, ready }: Launch): Promise<TestStore> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tenfold-store-"));
  const launch = async (): Promise<ChildProcess> => {
    const [program = "", ...words] = command(port, folder);
    const started = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const chunk of started.stdout) if (String(chunk).includes(ready)) break;
    return started;
  };
  let child = await launch();
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
      child = await launch();
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
