/** pgbench against a port, and what it reports: transactions, latencies of a sample of them, and the CPU it took itself. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How queries are sent: `simple`, `extended` (Parse each time), `prepared` (Parse once). */
export type QueryMode = "simple" | "extended" | "prepared";

/** One run. */
export interface PgbenchReport {
  readonly transactions: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** What to run. */
export interface PgbenchRun {
  readonly port: number;
  readonly mode: QueryMode;
  readonly clients: number;
  readonly seconds: number;
  readonly core?: number;
}

/** Every so many transactions are written down with their latency. */
const SAMPLING_RATE = 0.2;

/** The built-in script of one SELECT by primary key. Rejects when a client failed. */
export async function pgbench({ port, mode, clients, seconds, core }: PgbenchRun): Promise<PgbenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-pgbench-"));
  try {
    const pin = core === undefined ? [] : ["taskset", "-c", String(core)];
    const load = ["-S", "-n", "-M", mode, "-c", String(clients), "-j", "1", "-T", String(seconds)];
    const log = ["-l", "--log-prefix=l", `--sampling-rate=${SAMPLING_RATE}`];
    const to = ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "postgres"];
    const output = await run([...pin, "pgbench", ...load, ...log, ...to], folder);
    const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
    const latencies = readLatencies(folder);
    return {
      transactions: number(/actually processed: (\d+)/),
      failed: number(/failed transactions: (\d+)/),
      perSecond: number(/tps = ([\d.]+)/),
      p50Us: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
      p99Us: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes the tables; `scale` × 100,000 accounts. */
export async function pgbenchTables(port: number, scale: number): Promise<void> {
  await run(
    [
      "pgbench",
      "-i",
      "-q",
      "-s",
      String(scale),
      "-h",
      "127.0.0.1",
      "-p",
      String(port),
      "-U",
      "postgres",
      "postgres",
    ],
    tmpdir(),
  );
}

/** Lines of the log: client, number, latency in microseconds, … */
function readLatencies(folder: string): Float64Array {
  const latencies: number[] = [];
  for (const name of readdirSync(folder))
    for (const line of readFileSync(join(folder, name), "latin1").split("\n")) {
      const latency = Number(line.split(" ", 3)[2]);
      if (latency > 0) latencies.push(latency);
    }
  return Float64Array.from(latencies).toSorted();
}

function run(argv: readonly string[], cwd: string): Promise<string> {
  const child = spawn(argv[0] ?? "", argv.slice(1), { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (output += bytes.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${argv.join(" ")} ended with ${code}:\n${output.slice(-2000)}`));
    });
  });
}
