/** How the gateway's workers are run, as the controller's runtime is told. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { VERSION } from "../base/io/index.ts";
import type { Config } from "../config/index.ts";
import { WORKER_PLACEHOLDER, type WorkerSet } from "../control/index.ts";
import type { StateDirectory } from "./state-directory.ts";

/** How long a worker may take from its start until it serves. */
const WORKER_START_MS = 15_000;

/** The same at each start, so that running ones are adopted. */
export function workerSet(directory: StateDirectory, config: Config): WorkerSet {
  const program = fileURLToPath(new URL("./gateway-worker.ts", import.meta.url));
  return {
    count: config.gateway.workers,
    command: [process.execPath, program, "--state", directory.path, "--index", WORKER_PLACEHOLDER],
    cwd: directory.path,
    env: workerEnvironment(program),
    startTimeoutMs: WORKER_START_MS,
    // A little more than the worker gives itself, so that it ends by itself.
    stopTimeoutMs: config.gateway.stopTimeoutMs + 2_000,
  };
}

/** A worker of another version is replaced: its command differs by this mark. */
function workerEnvironment(program: string): Record<string, string> {
  const mark = createHash("sha256").update(`${VERSION} ${program}`).digest("hex").slice(0, 12);
  const transport = process.env["TENFOLD_TRANSPORT"];
  return { TENFOLD_BUILD: mark, ...(transport === undefined ? {} : { TENFOLD_TRANSPORT: transport }) };
}
