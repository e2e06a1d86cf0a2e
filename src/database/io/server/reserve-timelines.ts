/**
 * Numbers of timelines that a promotion leaves out. Postgres takes the next number that it has no history file of; a server that was promoted
 * in an earlier term, and that nobody has heard of since, has taken that one as well. Two histories of one number cannot be told apart
 * afterwards, not by Postgres and not by anybody else. So files are put in the way: Postgres looks whether they are there.
 *
 * Source: findNewestTimeLine, rescanLatestTimeLine and WalRcvFetchTimeLineHistoryFiles of PostgreSQL 15 to 18. Replicas fetch the files of all
 * numbers between theirs and their primary's, so those that were left out stay where they are once the promotion is done.
 */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { historyName } from "../../wal-file.ts";
import { namesIn, type Owner, writeOwned } from "./owner.ts";
import { newestTimeline } from "./wal-directory.ts";

/** It names no timeline before: a running replica takes it for none of its own descendants, and passes it over. */
const LEFT_OUT = "# left out: another server may have begun this timeline\n";

/** Has the next promotion in `data` begin timeline `wanted`, or a higher one. O(numbers that are left out). */
export async function reserveTimelines(data: string, wanted: number, owner: Owner): Promise<void> {
  for (let timeline = (await newestTimeline(data)) + 1; timeline < wanted; timeline += 1) {
    const path = join(data, "pg_wal", historyName(timeline));
    if (!existsSync(path)) await writeOwned(path, LEFT_OUT, owner);
  }
}

/** Takes back what a promotion that did not happen has put there: a server that starts would take it for its own future, and refuse to. */
export async function forgetReserved(data: string): Promise<void> {
  const newest = await newestTimeline(data);
  const folder = join(data, "pg_wal");
  for (const name of await namesIn(folder)) {
    const timeline = /^([0-9A-F]{8})\.history$/.exec(name)?.[1];
    if (timeline === undefined || Number.parseInt(timeline, 16) <= newest) continue;
    if ((await readFile(join(folder, name), "utf8")) === LEFT_OUT) await rm(join(folder, name));
  }
}
