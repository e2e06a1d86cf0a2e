/**
 * How long the usual things take on this machine. Each is measured for a fraction of a second; what cannot be
 * measured is left out, and a remark says why.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measurable, Measured } from "../../planner/index.ts";
import { isMemory, randomReadMs, syncedWriteMs } from "./disk.ts";
import { loopbackMs } from "./loopback.ts";
import { l1Ms, ramMegabyteMs, ramMs } from "./memory.ts";
import { MOMENT_MS } from "./sampling.ts";

/** What is measured, in this order; the work on files is done in `folder`. */
const MEASUREMENTS: Readonly<
  Record<Measurable, (momentMs: number, folder: string) => number | Promise<number>>
> = {
  l1: l1Ms,
  ram: ramMs,
  ramMegabyte: ramMegabyteMs,
  loopback: loopbackMs,
  diskRead: randomReadMs,
  diskSync: syncedWriteMs,
};

/** All that can be measured here, each for `momentMs`. Takes about three seconds by default, and 64 MiB of `folder` for as long. */
export async function measureLatencies(
  folder: string = tmpdir(),
  momentMs: number = MOMENT_MS,
): Promise<Measured> {
  const scratch = mkdtempSync(join(folder, "tenfold-measure-"));
  const ms = new Map<Measurable, number>();
  const remarks: string[] = [];
  for (const name of Object.keys(MEASUREMENTS) as Measurable[]) {
    const took = await attempt(name, momentMs, scratch);
    if (typeof took === "number") ms.set(name, took);
    else remarks.push(took);
  }
  remarks.push(fileRemark(scratch, folder));
  rmSync(scratch, { recursive: true, force: true });
  return { ms, remarks };
}

/** The time, or why there is none: a full disk must not hide how fast the memory is. */
async function attempt(name: Measurable, momentMs: number, scratch: string): Promise<number | string> {
  try {
    return await MEASUREMENTS[name](momentMs, scratch);
  } catch (error) {
    return `${name} was not measured: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function fileRemark(scratch: string, folder: string): string {
  return isMemory(scratch)
    ? `${folder} is in memory, so its times are no disk's: set TMPDIR to a folder on one`
    : `files are in ${folder}; what was just written may be read from memory, not from the disk (page cache)`;
}
