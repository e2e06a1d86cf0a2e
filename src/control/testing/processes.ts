/** A process runtime in a temporary folder, that leaves nothing behind, and requests to run on it. */
import { afterEach } from "bun:test";
import { join } from "node:path";
import { createLog, systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import { detectHierarchies, type Hierarchy, removeCgroups } from "../io/process/cgroups.ts";
import { membersOf } from "../io/process/members.ts";
import { ProcessRuntime } from "../io/process/process-runtime.ts";
import type { Exit, LaunchRequest, LaunchResult, ProcessRef, Runtime } from "../runtime.ts";
import { eventually } from "./eventually.ts";
import { temporaryFolder } from "./folders.ts";

const launched: { runtime: Runtime; process: ProcessRef }[] = [];

afterEach(async () => {
  for (const { runtime, process } of launched.splice(0)) {
    runtime.kill(process);
    await eventually(() => membersOf(process).length === 0 && removeCgroups(process.cgroups));
    runtime.close();
  }
});

/** Kills this process after the test, whatever happened. */
function killLater(runtime: Runtime, process: ProcessRef): void {
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
  const base = {
    task: "web/1",
    service: "web",
    log: "web/1.log",
    cwd: "/",
    env: {},
    limits: {},
    needsPort: false,
  };
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
