/** What the numbers of a workload may be, in files and in options; what is beyond is a mistyped unit. */
import { COUNT_MAX } from "../quantity.ts";

/** Inclusive ends of a number. */
interface Limits {
  readonly min: number;
  readonly max: number;
}

type Limited =
  | "users"
  | "times"
  | "peak"
  | "cpuMs"
  | "coresPerServer"
  | "busyTarget"
  | "spareServers"
  | "copies"
  | "years"
  | "growth"
  | "bytes";

/** By the name of the number. */
export const WORKLOAD_LIMITS: Readonly<Record<Limited, Limits>> = {
  /** Several times the people that there are. */
  users: { min: 0, max: 1e11 },
  times: { min: 0, max: COUNT_MAX },
  peak: { min: 1, max: 1000 },
  /** An hour. */
  cpuMs: { min: 0, max: 3_600_000 },
  coresPerServer: { min: 1, max: 1024 },
  busyTarget: { min: 0.01, max: 1 },
  spareServers: { min: 0, max: 1000 },
  copies: { min: 1, max: 100 },
  years: { min: 0, max: 100 },
  /** From a tenth to eleven times, each year. */
  growth: { min: -0.9, max: 10 },
  /** A petabyte in one item or one answer. */
  bytes: { min: 0, max: 1e15 },
};
