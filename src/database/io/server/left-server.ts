/** A server that nobody looks after any more: found by its data directory, and ended in order. */
import type { Clock, Scheduler } from "../../../base/index.ts";
import { ServerProcess } from "./server-process.ts";

/** "Fast" still writes a checkpoint. */
const FAST_MS = 60_000;
const IMMEDIATE_MS = 10_000;

/** Ends the server of `data`, first "fast", then "immediate"; false when none runs. Throws `stop-timeout`. */
export async function stopLeftServer(
  data: string,
  time: { readonly clock: Clock; readonly scheduler: Scheduler },
): Promise<boolean> {
  const found = ServerProcess.adopt({ ...time, data, log: `${data}.log` });
  if (found === undefined) return false;
  await found.stop("fast", FAST_MS).catch(() => found.stop("immediate", IMMEDIATE_MS));
  return true;
}
