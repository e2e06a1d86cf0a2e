/** What is sent to users, and by whom. */
import { BITS, DAY_S } from "./spans.ts";
import { type Load, sumOf, type Workload } from "./workload.ts";

/** What is sent, in bytes a day and bits a second. */
export interface Bandwidth {
  readonly answersPerDay: number;
  readonly filesPerDay: number;
  readonly answersBps: number;
  readonly filesBps: number;
  /** Of both, at the peak, in bits. */
  readonly peakBps: number;
  /** Of both, by a CDN, bytes. */
  readonly cdnPerDay: number;
  /** Of both, not by a CDN, bytes. */
  readonly originPerDay: number;
}

/** The bandwidth of a day's actions. */
export function bandwidthOf(loads: readonly Load[], { peak, cdnShare }: Workload): Bandwidth {
  const answersPerDay = sumOf(loads, ({ answerBytes }) => answerBytes);
  const filesPerDay = sumOf(loads, ({ kind, fileBytes }) => (kind === "read" ? fileBytes : 0));
  const cdnPerDay =
    sumOf(loads, ({ answerBytes, cdnShare: share }) => answerBytes * share) + filesPerDay * cdnShare;
  return {
    answersPerDay,
    filesPerDay,
    answersBps: (answersPerDay * BITS) / DAY_S,
    filesBps: (filesPerDay * BITS) / DAY_S,
    peakBps: ((answersPerDay + filesPerDay) * BITS * peak) / DAY_S,
    cdnPerDay,
    originPerDay: answersPerDay + filesPerDay - cdnPerDay,
  };
}
