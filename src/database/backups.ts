/**
 * Base backups and the archive of the log, as names and numbers: which backup a restore begins with, what may be deleted.
 *
 * A backup alone is of no use: from its `start` on all of the log is needed, up to the point that is wanted.
 */
import { type Lsn, parseLsn } from "../pgwire/index.ts";
import { parseSegmentName, segmentOf } from "./wal-file.ts";

/** What is written beside a backup's files when it is whole. */
export interface BackupManifest {
  readonly format: 1;
  /** "20260102T030405Z": when it began. */
  readonly id: string;
  readonly label: string;
  readonly systemIdentifier: string;
  /** 180004 is 18.4: another major version cannot read it. */
  readonly version: number;
  readonly timeline: number;
  /** Positions between which it was copied. */
  readonly start: string;
  readonly stop: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** How far a restore goes. */
export type RestorePoint =
  /** All that is in the archive. */
  | { readonly kind: "latest" }
  /** The last commit before this moment, ISO 8601. */
  | { readonly kind: "time"; readonly at: string }
  | { readonly kind: "lsn"; readonly at: string }
  /** A name given to pg_create_restore_point. */
  | { readonly kind: "name"; readonly at: string };

/** The id of a backup that begins at this time of the wall clock. */
export function backupId(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The newest backup that ended before the point; undefined when none is old enough. A name may stand anywhere. */
export function backupFor(
  backups: readonly BackupManifest[],
  point: RestorePoint,
): BackupManifest | undefined {
  const newestFirst = backups.toSorted((a, b) => b.endedAtMs - a.endedAtMs);
  return newestFirst.find((backup) => {
    if (point.kind === "time") return backup.endedAtMs <= Date.parse(point.at);
    if (point.kind === "lsn") return lsnOf(backup.stop) <= lsnOf(point.at);
    return true;
  });
}

/** Recovery's settings for a point; `restoreCommand` fetches one file of the archive. */
export function recoverySettings(
  point: RestorePoint,
  restoreCommand: string,
): Readonly<Record<string, string>> {
  const target = point.kind === "latest" ? {} : { [`recovery_target_${point.kind}`]: targetValue(point) };
  return { restore_command: restoreCommand, recovery_target_action: "promote", ...target };
}

function targetValue(point: Exclude<RestorePoint, { readonly kind: "latest" }>): string {
  return point.kind === "time"
    ? new Date(point.at).toISOString().replace("T", " ").replace("Z", "+00")
    : point.at;
}

/** Why a point makes no sense; undefined = it does. */
export function pointProblem(point: RestorePoint): string | undefined {
  if (point.kind === "time" && Number.isNaN(Date.parse(point.at)))
    return `"${point.at}" is no time: write it like 2026-01-02T03:04:05Z`;
  if (point.kind === "lsn" && parseLsn(point.at) === undefined)
    return `"${point.at}" is no position of the log: write it like 0/16B3748`;
  return undefined;
}

/** Which backups go when the `keep` newest stay. */
export function surplusBackups(backups: readonly BackupManifest[], keep: number): readonly BackupManifest[] {
  return backups.toSorted((a, b) => b.endedAtMs - a.endedAtMs).slice(Math.max(keep, 1));
}

/** Which files of the archive no kept backup needs: segments before the oldest one's start. Histories stay, they are tiny. */
export function surplusWal(names: readonly string[], kept: readonly BackupManifest[]): readonly string[] {
  if (kept.length === 0) return [];
  const starts = kept.map(({ start }) => segmentOf(lsnOf(start)));
  const oldest = starts.reduce((a, b) => (a < b ? a : b));
  return names.filter((name) => {
    const segment = parseSegmentName(name.slice(0, 24));
    return segment !== undefined && segment.number < oldest;
  });
}

/** A position of a manifest. */
export function lsnOf(text: string): Lsn {
  return parseLsn(text) ?? 0n;
}
