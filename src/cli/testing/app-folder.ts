/** An app in a folder of its own, and `tenfold` as a person runs it there: real processes, real ports. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceStatus, Status } from "../../app/index.ts";
import { freePort } from "../../base/testing.ts";
import { adminClient } from "../admin-client.ts";
import { findStateDirectory, STATE_FOLDER } from "../state-directory.ts";

/** The command line's entry point. */
export const MAIN: string = join(import.meta.dir, "../main.ts");

const DEADLINE_MS = 10_000;

/** Says which task it is, "one", and its pid. */
export const APP = `
const server = Bun.serve({
  port: process.env.PORT,
  fetch: () => new Response(process.env.TENFOLD_TASK + " one " + process.pid),
});
console.log("listening on", server.port);
process.on("SIGTERM", () => server.stop().then(() => process.exit(0)));
`;

/** So many loopback ports that were free a moment ago. */
export function freePorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(freePort());
  return [...ports];
}

/** A folder with an app and a config for two copies of it. */
export interface AppFolder {
  readonly folder: string;
  readonly port: number;
  readonly admin: number;
  readonly url: string;
}

/** The folders of one test file. */
export class AppFolders {
  readonly root: string = mkdtempSync(join(tmpdir(), "tenfold-e2e-"));
  readonly #made: string[] = [];

  /** Makes one; `more` are settings of its service. */
  make(name: string, more: Record<string, unknown> = {}): AppFolder {
    const folder = join(this.root, name);
    this.#made.push(folder);
    mkdirSync(folder);
    const [port = 0, admin = 0] = freePorts(2);
    writeFileSync(join(folder, "app.js"), APP);
    const config = {
      admin: { address: admin },
      gateway: { workers: 1 },
      listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ forward: "web" }] } },
      services: { web: { command: [process.execPath, "app.js"], tasks: 2, ...more } },
    };
    writeFileSync(join(folder, "tenfold.config.json"), JSON.stringify(config));
    return { folder, port, admin, url: `http://127.0.0.1:${port}/` };
  }

  /** Stops what still runs in any of them, and removes them. */
  async remove(): Promise<void> {
    await Promise.all(this.#made.filter(mayRun).map((folder) => tenfold(["down"], folder)));
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Whether a controller was started there, by `up` or by `run`, and not taken down since. */
function mayRun(folder: string): boolean {
  const files = new Bun.Glob(`${STATE_FOLDER}/**/controller.json`);
  return [...files.scanSync({ cwd: folder, dot: true })].length > 0;
}

/** Starts `tenfold …words` in a folder. */
export function spawn(words: readonly string[], cwd: string): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  return Bun.spawn([process.execPath, MAIN, ...words], { cwd, stdout: "pipe", stderr: "pipe" });
}

/** Runs `tenfold …words` in a folder to its end. */
export async function tenfold(
  words: readonly string[],
  cwd: string,
): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(words, cwd);
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out: out.trimEnd(), err: err.trimEnd() };
}

/** What `tenfold status` would say there, asked in this process: tests look often, and a process a look costs a core. */
export async function status(folder: string): Promise<Status> {
  return adminClient(findStateDirectory(folder, undefined)).status();
}

/** The first service of that. */
export async function service(folder: string): Promise<ServiceStatus> {
  const [first] = (await status(folder)).services;
  if (first === undefined) throw new Error(`no service runs in ${folder}`);
  return first;
}

/** Whether a process is there and not only its exit code. */
export function isRunning(pid: number | null): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

/** Waits for a condition, up to a deadline. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not so within ${DEADLINE_MS} ms: ${String(holds)}`);
    await Bun.sleep(20);
  }
}

/** The body that a URL answers. */
export async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** What came of a load: the bodies of the answers with 200, and everything else in words. */
export interface LoadOutcome {
  readonly answers: readonly string[];
  readonly failures: readonly string[];
}

/** Asks a URL every few milliseconds, whether or not earlier requests were answered, until it is stopped. */
export function startLoad(url: string): { stop(): Promise<LoadOutcome> } {
  const answers: string[] = [];
  const failures: string[] = [];
  const pending: Promise<void>[] = [];
  const ask = async (): Promise<void> => {
    const answer = await fetch(url);
    const body = await answer.text();
    (answer.ok ? answers : failures).push(body);
  };
  const timer = setInterval(
    () => pending.push(ask().catch((problem) => void failures.push(String(problem)))),
    5,
  );
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
      return { answers, failures };
    },
  };
}
