/** Why an object is not on disk or does not come from it: the same literals in code, metrics and console. */

/** Why an object is not written. */
export const DISK_REFUSALS = [
  /** Admission: nobody asked for it twice. */
  "not-used-again",
  /** It has not changed since it was written. */
  "already-there",
  "too-large",
  "key-too-long",
  "too-many-tags",
  /** More bytes than `bytesPerSecond` would be written. */
  "rate",
  /** More bytes wait for the disk than may. */
  "busy",
  /** No segment can be had just now: others hold them all. */
  "no-segment",
  "disk-full",
  "unwritable",
  "io-error",
  "stopped",
] as const;
/** One of `DISK_REFUSALS`. */
export type DiskRefusal = (typeof DISK_REFUSALS)[number];

/** Why a read gives nothing. */
export const DISK_MISSES = [
  "absent",
  /** Another key with the same hash, or another variant. */
  "other",
  "purged",
  /** The record ends before it should, or is not where the index says. */
  "torn",
  "corrupt",
  /** The segment's file is gone, or is not the one that the index means. */
  "gone",
  "busy",
  "late",
  "io-error",
  "stopped",
] as const;
/** One of `DISK_MISSES`. */
export type DiskMiss = (typeof DISK_MISSES)[number];

/** Why the tier does not write for a while; the refusals that come from the disk itself. */
export const DISK_OFFS: readonly ["disk-full", "unwritable", "io-error"] = [
  "disk-full",
  "unwritable",
  "io-error",
];
/** One of `DISK_OFFS`. */
export type DiskOff = (typeof DISK_OFFS)[number];

/** Error codes of the system that mean more than that something failed. */
const OFF_CODES: Readonly<Record<string, DiskOff>> = {
  ENOSPC: "disk-full",
  EDQUOT: "disk-full",
  EFBIG: "disk-full",
  EROFS: "unwritable",
  EACCES: "unwritable",
  EPERM: "unwritable",
  ENOENT: "unwritable",
  ENOTDIR: "unwritable",
};

/** What an error of the file system means for the tier. */
export function offReason(error: unknown): DiskOff {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return OFF_CODES[code] ?? "io-error";
}
