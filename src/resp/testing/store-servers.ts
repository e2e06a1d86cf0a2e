/** Real stores for tests and benches: redis-server, where Debian's is installed, and the embedded store. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../base/testing.ts";

/** Whether Debian's redis-server (7 or later) is on this machine. */
export const hasRedis: boolean = Bun.which("redis-server") !== null;

/** A store that a test starts, kills and starts again. */
export interface TestStore {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now. */
  readonly pid: number;
  /** SIGKILL. What was not synced is lost. */
  readonly kill: () => Promise<void>;
  /** Again on the same port and files; what still runs is killed. */
  readonly restart: () => Promise<void>;
  /** Kills it and removes its files. */
  readonly stop: () => Promise<void>;
}

/** How a store is started: its command on a port and a folder, and what it prints when it is ready. */
interface Launch {
  readonly command: (port: number, folder: string) => readonly string[];
  readonly ready: string;
}

const MAIN = join(import.meta.dir, "../../cli/main.ts");

/** Options by which redis-server syncs every write. */
export const SYNCED: readonly string[] = ["--appendonly", "yes", "--appendfsync", "always"];

/**
 * A redis-server of Debian on a port of its own, in memory alone unless `options` say more; `prefix` is put before the
 * command (taskset). Rejects when it ends before it is ready, or is not there.
 */
export function startRedis(
  options: readonly string[] = [],
  prefix: readonly string[] = [],
): Promise<TestStore> {
  return start({
    command: (port, folder) => {
      const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
      return [...prefix, "redis-server", ...place, "--save", "", ...options];
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
  const port = freePort();
  const folder = mkdtempSync(join(tmpdir(), "tenfold-store-"));
  const launch = async (): Promise<ChildProcess> => {
    const [program = "", ...words] = command(port, folder);
    const started = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const chunk of started.stdout) if (String(chunk).includes(ready)) return started;
    throw new Error(`${program} ended before it was ready`);
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
    port,
    get pid() {
      return child.pid ?? 0;
    },
    kill,
    restart: async () => {
      await kill();
      child = await launch();
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}
