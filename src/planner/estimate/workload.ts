/** A workload: what people do in a day and what each of those things weighs. The input of every estimate. */

/** One thing that people do. */
export interface Action {
  readonly name: string;
  readonly kind: "read" | "write";
  readonly perDay: number;
  /** Kept for each write. */
  readonly storedBytes: number;
  /** Sent for each. */
  readonly answerBytes: number;
  /** A file that a share of them carry: kept and sent as well. */
  readonly attachment?: { readonly share: number; readonly bytes: number };
}

/** All that an estimate needs. */
export interface Workload {
  readonly name: string;
  readonly users: number;
  readonly actions: readonly Action[];
  /** Busiest moment over mean. */
  readonly peak: number;
  /** CPU of one request. */
  readonly cpuMs: number;
  readonly coresPerServer: number;
  /** Share of a server that should be busy at the peak. */
  readonly busyTarget: number;
  readonly spareServers: number;
  readonly copies: number;
  readonly years: number;
  /** Growth of the traffic a year: 0.5 is half as much again. */
  readonly growth: number;
  /** Share of a day's data that most reads ask for (80/20). */
  readonly hotShare: number;
  /** Share of reads that the CDN answers. */
  readonly cdnShare: number;
}

/** What holds for everything that a user does not say. */
export const DEFAULTS: Omit<Workload, "name" | "users" | "actions"> = {
  peak: 2,
  cpuMs: 10,
  coresPerServer: 4,
  busyTarget: 0.7,
  spareServers: 1,
  copies: 3,
  years: 5,
  growth: 0,
  hotShare: 0.2,
  cdnShare: 0,
};

const KB = 1e3;
const MB = 1e6;

/** Workloads to begin from. Numbers are assumptions, each printed with the answer. */
export const PRESETS: Readonly<Record<string, Workload>> = {
  twitter: {
    ...DEFAULTS,
    name: "twitter",
    users: 100e6,
    actions: [
      {
        name: "posts",
        kind: "write",
        perDay: 1e9,
        storedBytes: 500,
        answerBytes: 0,
        attachment: { share: 0.1, bytes: 2 * MB },
      },
      {
        name: "timeline reads",
        kind: "read",
        perDay: 1e11,
        storedBytes: 0,
        answerBytes: 500,
        attachment: { share: 0.1, bytes: 2 * MB },
      },
    ],
    cdnShare: 0.9,
  },
  blog: {
    ...DEFAULTS,
    name: "blog",
    users: 10e6,
    actions: [
      {
        name: "posts",
        kind: "write",
        perDay: 1e5,
        storedBytes: 5 * KB,
        answerBytes: 0,
        attachment: { share: 1, bytes: 0.5 * MB },
      },
      { name: "page views", kind: "read", perDay: 1e8, storedBytes: 0, answerBytes: 100 * KB },
    ],
    peak: 5,
    copies: 1,
    cdnShare: 0.9,
  },
  "short-links": {
    ...DEFAULTS,
    name: "short-links",
    users: 10e6,
    actions: [
      { name: "new links", kind: "write", perDay: 1e6, storedBytes: 500, answerBytes: 200 },
      { name: "redirects", kind: "read", perDay: 1e8, storedBytes: 0, answerBytes: 300 },
    ],
    cpuMs: 1,
  },
  chat: {
    ...DEFAULTS,
    name: "chat",
    users: 50e6,
    actions: [
      { name: "messages", kind: "write", perDay: 2e9, storedBytes: 200, answerBytes: 200 },
      { name: "deliveries", kind: "read", perDay: 6e9, storedBytes: 0, answerBytes: 200 },
    ],
    cpuMs: 1,
    peak: 3,
  },
  photos: {
    ...DEFAULTS,
    name: "photos",
    users: 20e6,
    actions: [
      {
        name: "uploads",
        kind: "write",
        perDay: 10e6,
        storedBytes: 1 * KB,
        answerBytes: 0,
        attachment: { share: 1, bytes: 2 * MB },
      },
      {
        name: "views",
        kind: "read",
        perDay: 2e9,
        storedBytes: 0,
        answerBytes: 1 * KB,
        attachment: { share: 1, bytes: 0.2 * MB },
      },
    ],
    cdnShare: 0.95,
  },
};
