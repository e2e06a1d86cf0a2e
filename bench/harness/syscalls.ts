/** System calls per request, counted by `strace -c` over the process that does the work. */
import { spawn } from "node:child_process";
import { busiestOf } from "./proc.ts";
import { pause } from "./wait.ts";

/** Calls per request: all, and those that matter. */
export interface Syscalls {
  readonly total: number;
  readonly byName: Readonly<Record<string, number>>;
}

/** strace needs a moment to attach to every thread before the load begins. */
const ATTACH_MS = 300;

/** Calls that occur less often than once in a hundred requests say nothing about the request path. */
const RARE = 0.01;

/** Counts the calls made while `load` runs; `load` resolves to the number of requests. */
export async function countSyscalls(pid: number, load: () => Promise<number>): Promise<Syscalls> {
  const tracer = spawn("strace", ["-c", "-f", "-p", String(busiestOf(pid))], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let summary = "";
  tracer.stderr.on("data", (chunk: Buffer) => (summary += chunk.toString()));
  const ended = new Promise((resolve) => tracer.once("close", resolve));
  await pause(ATTACH_MS);
  const requests = await load();
  tracer.kill("SIGINT");
  await ended;
  return parse(summary, requests);
}

/** Rows of the summary: `% time, seconds, usecs/call, calls, [errors,] name`. */
function parse(summary: string, requests: number): Syscalls {
  const byName: Record<string, number> = {};
  let total = 0;
  for (const line of summary.split("\n")) {
    const cells = line.trim().split(/\s+/);
    const name = cells.at(-1) ?? "";
    if (!/^\d/.test(cells[0] ?? "") || name === "total") continue;
    const perRequest = Number(cells[3]) / requests;
    total += perRequest;
    if (perRequest >= RARE) byName[name] = perRequest;
  }
  return { total, byName };
}
