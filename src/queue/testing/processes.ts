/** Processes for tests of what survives their death. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A running program of this folder. */
export interface TestProcess {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<number>;
}

/** Starts a program of this folder and waits until it says that it is ready. */
export async function startProcess(program: string, env: Record<string, string>): Promise<TestProcess> {
  const child = Bun.spawn([process.execPath, join(import.meta.dirname, program)], {
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (!new TextDecoder().decode(value).startsWith("ready")) throw new Error(`${program} is not ready`);
  return { kill: (signal) => child.kill(signal), exited: child.exited };
}

/** An empty file that processes append lines to. */
export function newLog(): string {
  const path = join(mkdtempSync(join(tmpdir(), "tenfold-queue-")), "log");
  writeFileSync(path, "");
  return path;
}

/** Its lines. */
export function linesOf(log: string): string[] {
  return readFileSync(log, "utf8").split("\n").slice(0, -1);
}

/** Waits until `check` holds; throws after `withinMs`. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await Bun.sleep(20);
  }
}
