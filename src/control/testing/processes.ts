/** A process runtime in a temporary folder, that leaves nothing behind, and ways to wait for what it does. */
import { afterEach } from "bun:test";
import { join } from "node:path";
import { createLog, systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import { detectHierarchies, type Hierarchy, removeCgroups } from "../io/process/cgroups.ts";
import { membersOf } from "../io/process/members.ts";
import { ProcessRuntime } from "../io/process/process-runtime.ts";
import type { Exit, LaunchRequest, LaunchResult, ProcessRef, Runtime } from "../runtime.ts";
import { temporaryFolder } from "./folders.ts";

/** Waits until `check` gives something other than undefined, false or ""; fails after five seconds. */
export async function eventually<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false && found !== "") return found;
    if (performance.now() > deadline) throw new Error(`did not happen within 5 s: ${String(check)}`);
    await Bun.sleep(5);
  }
}

/** Whether a process with this pid exists and is no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await Bun.file(`/proc/${pid}/stat`)
    .text()
    .catch(() => "");
  return stat !== "" && !/\) [ZX] /.test(stat);
}

const launched: { runtime: Runtime; process: ProcessRef }[] = [];

afterEach(async () => {
  for (const { runtime, process } of launched.splice(0)) {
    runtime.kill(process);
    await eventually(() => membersOf(process).length === 0 && removeCgroups(process.cgroups));
    runtime.close();
  }
});

/** Kills this process after the test, whatever happened. */
export function killLater(runtime: Runtime, process: ProcessRef): void {
  launched.push({ runtime, process });
}

/** A runtime of its own folder. With `hierarchies: []` it works without control groups. */
export function testRuntime(hierarchies: readonly Hierarchy[] = detectHierarchies()): ProcessRuntime {
  return new ProcessRuntime({
    logs: join(temporaryFolder(), "logs"),
    instance: `test-${process.pid}`,
    hierarchies,
    scheduler: systemScheduler,
    random: systemRandom,
    log: createLog({ write: () => {}, clock: systemClock, level: "error" }),
  });
}

let nonces = 0;

/** A request to run a shell script, or another command. */
export function requestOf(command: readonly string[], changes: Partial<LaunchRequest> = {}): LaunchRequest {
  nonces += 1;
  const nonce = `nonce-${process.pid}-${nonces}`;
  const base = { task: "web/1", service: "web", cwd: "/", env: {}, limits: {}, needsPort: false };
  return { ...base, command, nonce, ...changes };
}

export interface Started {
  readonly process: ProcessRef;
  readonly exit: Promise<Exit>;
}

/** Starts a request that must work. */
export async function start(runtime: Runtime, request: LaunchRequest): Promise<Started> {
  const { promise, resolve } = Promise.withResolvers<Exit>();
  const result: LaunchResult = await runtime.launch(request, resolve);
  if (result.kind === "failed") throw new Error(result.message);
  killLater(runtime, result.process);
  return { process: result.process, exit: promise };
}

/** A shell script as a command. */
export function shell(script: string): readonly string[] {
  return ["sh", "-c", script];
}

/** Text of a task's log so far. */
export function logText(process: ProcessRef): Promise<string> {
  return Bun.file(process.log)
    .text()
    .catch(() => "");
}
