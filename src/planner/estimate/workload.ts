/**
 * A workload: what people do in a day, what each of those things weighs, and what it runs on. Input of every estimate.
 *
 * Numbers stay as people know them, "10 reads a user", "100 reads a write", and are multiplied out by `loadsOf`; so
 * another number of users changes all that follows from it, and nothing else.
 */

/** What an action is counted by. */
export type Per = "user" | "day" | "write";

/** One thing that people do. */
export interface Action {
  readonly name: string;
  readonly kind: "read" | "write";
  /** How often: in a day, by each user in a day, or for each write. */
  readonly times: number;
  readonly per: Per;
  /** Kept for each. */
  readonly storedBytes: number;
  /** Sent for each. */
  readonly answerBytes: number;
  /** A file that a share of them carry: kept by a write, sent by a read, from an object store and not by the app. */
  readonly attachment?: { readonly share: number; readonly bytes: number };
  /** CPU of one; the workload's own unless set. */
  readonly cpuMs?: number;
  /** Share of the answers that a CDN gives; the workload's own unless set, none for writes. */
  readonly cdnShare?: number;
}

/** All that an estimate needs. */
export interface Workload {
  readonly name: string;
  /** A day's. */
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
  /** How long everything is kept. */
  readonly years: number;
  /** Growth of the traffic a year: 0.5 is half as much again. */
  readonly growth: number;
  /** Share of a day's rows that most reads ask for (80/20). */
  readonly hotShare: number;
  /** Share of answers to reads, and of files, that a CDN sends. */
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

/** One action with everything multiplied out. */
export interface Load extends Action {
  readonly perDay: number;
  readonly cpuMs: number;
  readonly cdnShare: number;
  /** Of its file, on average over those with and without one. */
  readonly fileBytes: number;
}

/** The actions of a day. Writes that are counted by the write count as none: `problemsOf` refuses them. */
export function loadsOf({ users, actions, cpuMs, cdnShare }: Workload): Load[] {
  const factor: Record<Per, number> = { user: users, day: 1, write: 0 };
  factor.write = actions
    .filter(({ kind }) => kind === "write")
    .reduce((sum, { times, per }) => sum + times * factor[per], 0);
  return actions.map((action) => ({
    cpuMs,
    cdnShare: action.kind === "read" ? cdnShare : 0,
    ...action,
    perDay: action.times * factor[action.per],
    fileBytes: action.attachment === undefined ? 0 : action.attachment.share * action.attachment.bytes,
  }));
}

/** Over a day, of what each action has once. */
export function sumOf(loads: readonly Load[], of: (load: Load) => number): number {
  return loads.reduce((total, load) => total + load.perDay * of(load), 0);
}
