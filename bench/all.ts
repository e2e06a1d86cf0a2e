/**
 * Every bench, one after the other, then the README's table: `--mode short` for a look, without for the figures.
 *
 *     bin/bun bench/all.ts [--mode short|full]
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { options } from "./harness/arguments.ts";

/** Script -> options of a short run. A full run uses each script's defaults. */
const BENCHES: Readonly<Record<string, readonly string[]>> = {
  "proxy-cpu": ["--rounds", "3", "--seconds", "2"],
  "router-cpu": ["--rounds", "2", "--seconds", "1"],
  "idle-memory": [],
  "large-body": ["--gib", "0.5"],
  deploys: ["--deploys", "10"],
  reloads: ["--reloads", "10"],
  "controller-kill": ["--kills", "4"],
  autoscale: [],
  "autoscale-live": [],
  "edge-hit": ["--rounds", "3"],
  "edge-miss": ["--rounds", "3"],
  "edge-collapse": [],
  "edge-purge": ["--interleavings", "10000"],
  "edge-origin-down": ["--seconds", "2"],
  "edge-hit-ratio": [],
  "edge-slice": ["--rounds", "3"],
  "edge-tiers": ["--requests", "600", "--interleavings", "2000", "--seconds", "3"],
  "read-your-writes": ["--reads", "5000"],
  "session-races": ["--interleavings", "5000"],
  "edge-disk": ["--mib", "256", "--reads", "10000", "--files", "4000"],
  "edge-disk-gateway": ["--objects", "4000", "--rounds", "3"],
  "cluster-client": ["--rounds", "2", "--calls", "20000"],
  store: ["--rounds", "1", "--requests", "20000", "--keys", "200000"],
  "cache-l1": ["--rounds", "3"],
  "cache-hit-ratio": [],
  "cache-stale-set": ["--interleavings", "20000", "--peers", "2000"],
  "cache-races": ["--interleavings", "20000", "--peers", "2000"],
  "cache-herd": ["--rounds", "2"],
  "cache-faults": [],
  "cache-bus-faults": ["--seconds", "2"],
  "cache-write-behind": ["--kills", "20", "--writes", "5000"],
  "database-client": ["--rounds", "2", "--queries", "2000"],
  queue: ["--rounds", "2", "--jobs", "1000"],
  "postgres-store": ["--rounds", "1", "--calls", "800"],
  "query-cache": ["--rounds", "2", "--queries", "500"],
  "query-cache-order": ["--operations", "4000", "--crashes", "0.02"],
  "failover-simulation": ["--seeds", "300"],
  "database-servers": ["--rounds", "2"],
  "database-failover": ["--rounds", "1"],
  "database-faults": ["--runs", "5"],
  "simulate-theory": [],
  "simulate-speed": [],
  "simulate-real": ["--seconds", "8"],
};

const { mode } = options({ mode: "full" });

const missed = Object.entries(BENCHES).filter(([name, short]) => !run(name, mode === "short" ? short : []));
if (mode === "full") run("report", []);
if (missed.length > 0) {
  console.log(`\npromises missed in: ${missed.map(([name]) => name).join(", ")}`);
  process.exitCode = 1;
}

/** Whether the script kept its promises. */
function run(name: string, args: readonly string[]): boolean {
  console.log(`\n== ${name} ${args.join(" ")}`);
  const script = join(import.meta.dirname, `${name}.ts`);
  const env = { ...process.env, BENCH_KEEP: mode === "short" ? "no" : "yes" };
  return spawnSync(process.execPath, [script, ...args], { stdio: "inherit", env }).status === 0;
}
