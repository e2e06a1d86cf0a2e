/**
 * What an app is like: the facts that questions look at. One row for each, with what holds when it is not said.
 *
 * Rates are of the busiest second, at the origin: what a CDN answers is taken off. A default is a guess at a small app,
 * and an answer always tells which guesses it rests on.
 */
import type { Unit } from "../report/unit.ts";

/** What happens to an operation that cannot be checked, by what it is about. */
export type OperationKind =
  | "money"
  | "stock"
  | "name"
  | "permission"
  | "profile"
  | "cart"
  | "feed"
  | "counter";

/** One operation: what it is about, or the oldest answer that is better than an error, ms. */
export type Operation = OperationKind | number;

/** All facts. */
export interface Facts {
  readonly readRps: number;
  readonly writeRps: number;
  readonly sizeBytes: number;
  readonly tableBytes: number;
  readonly memoryBytes: number;
  readonly rowsScannedPerRow: number;
  readonly connections: number;
  readonly retentionDrop: boolean;
  readonly joins: "many" | "few" | "none";
  readonly graphDepth: number;
  readonly objectBytes: number;
  readonly appendOnly: boolean;
  readonly hotShare: number;
  readonly staleMs: number;
  readonly lossMs: number;
  readonly readsOwnWrites: boolean;
  readonly oldestMs: number;
  readonly money: boolean;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly followersMax: number;
  readonly cpuMs: number;
  readonly costCv: number;
  readonly tasks: number;
  readonly busy: number;
  readonly speedSpread: number;
  readonly strengthSpread: number;
  readonly longLived: boolean;
  readonly http: boolean;
  readonly state: "none" | "session" | "room";
  readonly sessionBytes: number;
  readonly serverCores: number;
  readonly serverAvailability: number;
  readonly availability: number;
  readonly downtimeCost: number;
  readonly corePrice: number;
  readonly bigCorePrice: number;
  readonly statelessCost: number;
}

/** A fact's name. */
export type FactName = keyof Facts;

/** Where a fact comes from; a guess is the default of an app of which nothing is known. */
export type Origin = "said" | "preset" | "guess";

/** Facts, and where each comes from. */
export interface Known {
  readonly facts: Facts;
  readonly origins: ReadonlyMap<FactName, Origin>;
}

/** How a fact is written and printed. */
export interface FactRow {
  /** As people write it: "reads". */
  readonly name: string;
  readonly about: string;
  /** Its unit; "yes or no", one of some words, or operations by name. */
  readonly unit: Unit | "flag" | "operations" | readonly string[];
  /** A number of things: there is no half of it. */
  readonly whole?: true;
}

/** Every fact, in the order in which help lists them. */
export const FACTS: Readonly<Record<FactName, FactRow>> = {
  readRps: { name: "reads", about: "Reads at the peak, the CDN's share taken off", unit: "perSecond" },
  writeRps: { name: "writes", about: "Writes at the peak", unit: "perSecond" },
  sizeBytes: { name: "size", about: "All data, one copy", unit: "bytes" },
  tableBytes: { name: "table", about: "The largest table; all data unless said", unit: "bytes" },
  memoryBytes: { name: "memory", about: "Memory of the database's machine", unit: "bytes" },
  rowsScannedPerRow: {
    name: "rowsScannedPerRow",
    about: "Rows looked at for each that is returned",
    unit: "count",
  },
  connections: { name: "connections", about: "Connections to the database", unit: "count", whole: true },
  retentionDrop: { name: "retentionDrop", about: "Old rows go by the month", unit: "flag" },
  joins: { name: "joins", about: "Questions across tables", unit: ["many", "few", "none"] },
  graphDepth: { name: "graphDepth", about: "Steps of a graph in one question", unit: "count", whole: true },
  objectBytes: { name: "object", about: "The usual size of one value or file", unit: "bytes" },
  appendOnly: { name: "appendOnly", about: "Rows never change and are asked for by time", unit: "flag" },
  hotShare: { name: "hotShare", about: "Share of reads that ask for a tenth of the data", unit: "share" },
  staleMs: { name: "stale", about: "Age of an answer that a reader does not notice", unit: "ms" },
  lossMs: { name: "loss", about: "Last writes that may be lost in a crash", unit: "ms" },
  readsOwnWrites: {
    name: "readsOwnWrites",
    about: "A value is read right after it is written",
    unit: "flag",
  },
  oldestMs: { name: "oldest", about: "Oldest answer that is better than an error", unit: "ms" },
  money: { name: "money", about: "A wrong answer cannot be taken back", unit: "flag" },
  operations: {
    name: "operations",
    about: "Operations: pay=money,like=counter,search=5m",
    unit: "operations",
  },
  followersMax: { name: "followersMax", about: "Followers of the most followed", unit: "count", whole: true },
  cpuMs: { name: "cpu", about: "CPU of one request", unit: "ms" },
  costCv: {
    name: "costCv",
    about: "Variation of a request's cost: 0 constant, 1 exponential",
    unit: "ratio",
  },
  tasks: { name: "tasks", about: "Tasks behind the balancer", unit: "count", whole: true },
  busy: { name: "busy", about: "How busy they are at the peak", unit: "share" },
  speedSpread: {
    name: "speedSpread",
    about: "Time of the slowest target over the fastest, at times",
    unit: "ratio",
  },
  strengthSpread: {
    name: "strengthSpread",
    about: "Strongest machine over the weakest, always",
    unit: "ratio",
  },
  longLived: { name: "longLived", about: "Connections stay: games, calls, live editing", unit: "flag" },
  http: { name: "http", about: "It speaks HTTP", unit: "flag" },
  state: { name: "state", about: "What a task keeps between requests", unit: ["none", "session", "room"] },
  sessionBytes: { name: "session", about: "Kept for one user", unit: "bytes" },
  serverCores: { name: "serverCores", about: "Cores of a small server", unit: "cores", whole: true },
  serverAvailability: { name: "serverAvailability", about: "Of one server", unit: "availability" },
  availability: { name: "availability", about: "Availability that is wanted", unit: "availability" },
  downtimeCost: { name: "downtimeCost", about: "What an hour of downtime costs", unit: "money" },
  corePrice: { name: "corePrice", about: "A core of a small server, a month", unit: "moneyPerMonth" },
  bigCorePrice: {
    name: "bigCorePrice",
    about: "A core of the largest machine over one of a small",
    unit: "ratio",
  },
  statelessCost: {
    name: "statelessCost",
    about: "Work of moving state out of the tasks, by the month",
    unit: "moneyPerMonth",
  },
};

/** Names, typed. */
export const FACT_NAMES: readonly FactName[] = Object.keys(FACTS) as FactName[];

/** What holds when nothing is said: an app of some ten thousand users, on a server of 2025. */
export const DEFAULT_FACTS: Facts = {
  readRps: 100,
  writeRps: 5,
  sizeBytes: 10e9,
  tableBytes: 10e9,
  memoryBytes: 64e9,
  rowsScannedPerRow: 1,
  connections: 20,
  retentionDrop: false,
  joins: "many",
  graphDepth: 1,
  objectBytes: 1000,
  appendOnly: false,
  hotShare: 0.8,
  staleMs: 1000,
  lossMs: 0,
  readsOwnWrites: false,
  oldestMs: 60_000,
  money: false,
  operations: new Map(),
  followersMax: 1000,
  cpuMs: 10,
  costCv: 1,
  tasks: 4,
  busy: 0.5,
  speedSpread: 1,
  strengthSpread: 1,
  longLived: false,
  http: true,
  state: "session",
  sessionBytes: 2000,
  serverCores: 8,
  /** 8.8 hours a year: a failed disk, a full one, a bad deploy, and somebody who has to be called. */
  serverAvailability: 0.999,
  availability: 0.999,
  /** Not known, and so left out; the answer says from which number on it matters. */
  downtimeCost: 0,
  corePrice: 30,
  bigCorePrice: 2.5,
  /** Ten days of 500, paid off in a year. */
  statelessCost: 400,
};
