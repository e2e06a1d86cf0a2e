/**
 * Whether an archive has each file of the log that a restore needs. Postgres takes the first file that is missing for the end of the log: without
 * this look a restore "to the end" would end at the gap, in silence, and what was committed after it would be gone.
 */
import { type BackupManifest, lsnOf } from "./backups.ts";
import type { TimelineFork } from "./timeline.ts";
import { historyName, parseSegmentName, segmentName, segmentOf } from "./wal-file.ts";

/** The first file that is missing while later ones are there. */
export interface ArchiveGap {
  readonly name: string;
  /** The backup itself is of no use without it. */
  readonly breaksBackup: boolean;
}

/** The newest timeline that recovery finds from `from` on: it asks for one history after the other until one is not there. */
export function newestArchived(names: readonly string[], from: number): number {
  const there = new Set(names);
  let newest = from;
  while (there.has(historyName(newest + 1))) newest += 1;
  return newest;
}

/** The gap behind a backup; undefined when there is none. `forks`: the timelines before `timeline`, which recovery ends on. O(files). */
export function archiveGap(
  names: readonly string[],
  backup: Pick<BackupManifest, "start" | "stop" | "timeline">,
  timeline: number,
  forks: readonly TimelineFork[],
): ArchiveGap | undefined {
  const timelines = new Set([timeline, backup.timeline, ...forks.map((fork) => fork.timeline)]);
  const there = new Map<bigint, number>();
  for (const name of names) {
    const segment = parseSegmentName(name);
    if (segment !== undefined && timelines.has(segment.timeline)) there.set(segment.number, segment.timeline);
  }
  // The position at which a backup ends is the beginning of the file after it when it ended one.
  const stop = segmentOf(lsnOf(backup.stop) - 1n);
  let last = stop;
  for (const number of there.keys()) if (number > last) last = number;
  let of = backup.timeline;
  for (let number = segmentOf(lsnOf(backup.start)); number <= last; number += 1n) {
    const found = there.get(number);
    if (found === undefined)
      return { name: segmentName({ timeline: of, number }), breaksBackup: number <= stop };
    of = found;
  }
  return undefined;
}
