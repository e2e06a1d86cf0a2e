/**
 * The disk tier of the edge cache: how segments, records and their index are laid out, and who is admitted. Pure: it is
 * given memory; files are in edge/io.
 */
export { type Admission, admitEverything, admitUsedAgain, DiskGhosts } from "./admission.ts";
export { DiskCounters } from "./counters.ts";
export {
  type DiskIndex,
  type DiskSecret,
  type DiskSizes,
  type DiskSpace,
  diskLayoutOf,
  diskSizesFor,
  formatDiskIndex,
  HEADER as DISK_HEADER,
  openDiskIndex,
  sameDiskSizes,
} from "./layout.ts";
export { classOf, classUnits } from "./length-class.ts";
export { ByteRate } from "./rate.ts";
export {
  DISK_MISSES,
  DISK_REFUSALS,
  type DiskMiss,
  type DiskOff,
  type DiskRefusal,
  offReason,
} from "./reasons.ts";
export {
  areChunksRight,
  BODY_AT_MAX,
  CHUNK_BYTES,
  checkHead,
  diskUnits,
  FRAME,
  frameRecord,
  frameUnits,
  sealRecord,
} from "./record.ts";
export { scanWindow } from "./scan.ts";
export { SEGMENT_HEADER_BYTES, segmentHeader, serialOf } from "./segment-file.ts";
export { isLater, type Segment, Segments } from "./segments.ts";
export { DiskSlots, placeOf, slotOf, unitOf } from "./slots.ts";
export type { DiskStats, RebuildProgress } from "./stats.ts";
