/** Facts of the workloads that estimates begin from: what follows from their numbers, and what each app is like. */
import { estimate, PRESETS, PRICES, type Workload } from "../estimate/index.ts";
import type { Facts } from "./facts.ts";

const HOUR_MS = 3_600_000;

/** What the numbers of a workload do not say. Assumptions, as the workloads themselves are. */
const OWN: Readonly<Record<string, Partial<Facts>>> = {
  twitter: { state: "none", staleMs: 5000, oldestMs: HOUR_MS, followersMax: 100e6, availability: 0.9999 },
  /** 4.4 hours a year: nobody dies without a blog, but readers and search engines go elsewhere. */
  blog: {
    state: "none",
    staleMs: 30_000,
    oldestMs: HOUR_MS,
    hotShare: 0.9,
    followersMax: 100_000,
    availability: 0.9995,
  },
  "short-links": {
    state: "none",
    joins: "none",
    staleMs: 60_000,
    oldestMs: 24 * HOUR_MS,
    hotShare: 0.9,
    availability: 0.9999,
  },
  chat: { longLived: true, joins: "none", state: "none", hotShare: 0.95, availability: 0.9999 },
  photos: { state: "none", staleMs: 60_000, oldestMs: HOUR_MS, followersMax: 10e6 },
};

/** Facts by the name of a workload. */
export const FACT_PRESETS: Readonly<Record<string, Partial<Facts>>> = Object.fromEntries(
  Object.entries(PRESETS).map(([name, workload]) => [name, { ...factsOf(workload), ...OWN[name] }]),
);

/** Reads are those that no CDN answers; the data is one copy of the rows after all their years. */
function factsOf(workload: Workload): Partial<Facts> {
  const { rates, storage } = estimate(workload, PRICES);
  const attached = workload.actions.flatMap(({ kind, attachment }) =>
    kind === "write" && attachment !== undefined ? [attachment.bytes] : [],
  );
  return {
    readRps: rates.originReadRps,
    writeRps: rates.peakWriteRps,
    sizeBytes: storage.rowsKept,
    cpuMs: rates.cpuMs,
    busy: workload.busyTarget,
    ...(attached.length === 0 ? {} : { objectBytes: Math.max(...attached) }),
  };
}
