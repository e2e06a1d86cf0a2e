/** wrk as the closed-loop load generator: one thread on one core, as many requests as the proxy will take. */
import { join } from "node:path";

/** What one run of wrk measured. */
export interface WrkReport {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU that wrk itself took. */
  readonly cpuMs: number;
  /** Failed requests by kind: socket errors, statuses of 400 and above, timeouts. */
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  readonly timeout: number;
}

const SCRIPT = join(import.meta.dirname, "wrk-report.lua");

/** What wrk asks for. */
interface Asked {
  readonly path?: string;
  /** Never twice for the same. */
  readonly distinct?: boolean;
  /** For so many in turn: the path with `?0`, `?1` and so on. */
  readonly cycle?: number;
}

/** Loads `http://127.0.0.1:port` for `seconds`. Throws when any request failed: such a figure means nothing. */
export async function wrk(
  port: number,
  connections: number,
  seconds: number,
  core: number,
  { path = "/feed?page=1", distinct = false, cycle = 0 }: Asked = {},
): Promise<WrkReport> {
  const argv = ["-c", String(core), "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "-s", SCRIPT];
  const child = Bun.spawn([
    "taskset",
    ...argv,
    `http://127.0.0.1:${port}${path}`,
    ...(distinct ? ["--", "distinct", String(Date.now())] : []),
    ...(cycle > 0 ? ["--", "cycle", String(cycle)] : []),
  ]);
  const stdout = await child.stdout.text();
  await child.exited;
  const json = /^REPORT (.*)$/m.exec(stdout)?.[1];
  if (json === undefined) throw new Error(`wrk gave no report:\n${stdout}`);
  const report: Omit<WrkReport, "cpuMs"> = JSON.parse(json);
  const { connect, read, write, status, timeout } = report;
  if (connect + read + write + status + timeout > 0) throw new Error(`wrk saw failed requests: ${json}`);
  return { ...report, cpuMs: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000 };
}
