/** The table of jobs: what kinds there are, what data each carries, and how each is retried. */
import { explainDuration, parseDurationMs } from "../base/index.ts";

/** "30s", or milliseconds. */
export type Duration = string | number;

/** How jobs of one kind are treated. Names and defaults are for slow work that may be repeated. */
export interface JobSettings {
  /** Tries after the first. Default 5. */
  readonly retries?: number;
  /** Before the first retry; each further one waits twice as long, with some chance in it. Default "2s". */
  readonly backoff?: Duration;
  /** The longest wait before a retry. Default "10m". */
  readonly backoffMax?: Duration;
  /** A handler's signal is aborted then, and the try has failed. Default "5m". */
  readonly deadline?: Duration;
  /** A job that nobody began for so long is thrown away. Default "14d". */
  readonly expireAfter?: Duration;
  /** How long jobs that ended are kept. Default "1d". */
  readonly keep?: Duration;
  /** Where jobs go whose tries are used up: the name of another kind. Default "NAME.dead", which is made; false: nowhere. */
  readonly deadLetter?: string | false;
  /**
   * What `key` means. "standard": nothing but a filter. "unique": one job with the key waits at a time, and what is sent meanwhile is left out.
   * "exclusive": one waits or runs. "in-order": jobs of one key run one after the other, in their order; one that failed holds the next back.
   * Default "standard".
   */
  readonly keys?: "standard" | "unique" | "exclusive" | "in-order";
}

/** One kind of job. The type parameter is what its data is. */
export interface JobKind<Data extends object> extends JobSettings {
  readonly data?: Data;
}

/** A kind of job: `job<{ to: string }>({ retries: 3 })`. */
export function job<Data extends object>(settings: JobSettings = {}): JobKind<Data> {
  return settings;
}

/** Name -> kind. */
export type Jobs = Readonly<Record<string, JobKind<object>>>;

/** The data of a kind. */
export type DataOf<All extends Jobs, Name extends keyof All> = NonNullable<All[Name]["data"]>;

/** Per job, when it is sent. */
export interface SendOptions {
  /** Not before so long from now, or not before a time. */
  readonly delay?: Duration | Date;
  /** Higher ones first. Default 0. */
  readonly priority?: number;
  /** See `JobSettings.keys`. */
  readonly key?: string;
  /** One job with this key per this long, counted from fixed times; further ones are left out. Whole seconds. */
  readonly per?: Duration;
  /** With `per`: of what is left out one job is sent after all, at the beginning of the next such time. Not with `sendAll`. */
  readonly trailing?: boolean;
  /** Instead of the kind's. */
  readonly retries?: number;
}

/** pg-boss' policy for each meaning of a key. */
const POLICIES = {
  standard: "standard",
  unique: "short",
  exclusive: "exclusive",
  "in-order": "key_strict_fifo",
} as const;

const SECOND_MS = 1000;

const DEFAULTS = {
  retries: 5,
  backoff: "2s",
  backoffMax: "10m",
  deadline: "5m",
  expireAfter: "14d",
  keep: "1d",
} as const;

/** The shortest that pg-boss has; a worker that died is noticed after it. */
export const HEARTBEAT_S = 10;

/** How much later than the deadline pg-boss takes a job away from a worker that lives. */
const EXPIRY_SLACK_S = 30;

/** Milliseconds of a duration; throws a TypeError that names it. */
export function durationMs(value: Duration, name: string): number {
  const ms = typeof value === "number" ? value : parseDurationMs(value);
  if (ms === undefined || !(ms >= 0)) throw new TypeError(`${name}: ${explainDuration(String(value))}`);
  return ms;
}

const seconds = (value: Duration, name: string): number =>
  Math.max(1, Math.round(durationMs(value, name) / SECOND_MS));

/** A handler's time. */
export function deadlineMs(kind: JobSettings): number {
  return durationMs(kind.deadline ?? DEFAULTS.deadline, "deadline");
}

/** The kind's settings as pg-boss keeps them. The dead letter queue is added by who makes it. */
export function queueSettings(kind: JobSettings): {
  readonly policy: string;
  readonly retryLimit: number;
  readonly retryDelay: number;
  readonly retryBackoff: true;
  readonly retryDelayMax: number;
  readonly expireInSeconds: number;
  readonly heartbeatSeconds: number;
  readonly retentionSeconds: number;
  readonly deleteAfterSeconds: number;
} {
  const { retries = DEFAULTS.retries } = kind;
  if (!Number.isInteger(retries) || retries < 0)
    throw new TypeError(`retries: ${retries} is no whole number`);
  return {
    policy: POLICIES[kind.keys ?? "standard"],
    retryLimit: retries,
    retryDelay: seconds(kind.backoff ?? DEFAULTS.backoff, "backoff"),
    retryBackoff: true,
    retryDelayMax: seconds(kind.backoffMax ?? DEFAULTS.backoffMax, "backoffMax"),
    expireInSeconds: Math.ceil(deadlineMs(kind) / SECOND_MS) + EXPIRY_SLACK_S,
    heartbeatSeconds: HEARTBEAT_S,
    retentionSeconds: seconds(kind.expireAfter ?? DEFAULTS.expireAfter, "expireAfter"),
    deleteAfterSeconds: seconds(kind.keep ?? DEFAULTS.keep, "keep"),
  };
}

/** What a job is sent with. */
export function sendSettings(options: SendOptions): Record<string, unknown> {
  const { delay, priority, key, per, retries, trailing } = options;
  if (trailing === true && per === undefined) throw new TypeError("trailing: write `per` beside it");
  // By the database's clock, as a text: of all processes' clocks some are wrong, and pg-boss counts a number in whole seconds.
  const startAfter =
    delay instanceof Date || delay === undefined ? delay : `${durationMs(delay, "delay")} milliseconds`;
  return {
    ...(startAfter === undefined ? {} : { startAfter }),
    ...(priority === undefined ? {} : { priority }),
    ...(key === undefined ? {} : { singletonKey: key }),
    ...(per === undefined ? {} : { singletonSeconds: seconds(per, "per") }),
    ...(trailing === true ? { singletonNextSlot: true } : {}),
    ...(retries === undefined ? {} : { retryLimit: retries }),
  };
}

/** A job is a row that is read and written several times: what is larger belongs elsewhere, and its place into the job. */
const DATA_MAX = 1 << 20;

/** Throws a TypeError when the data cannot be a job's. */
export function checkData(name: string, data: unknown): void {
  if (typeof data !== "object" || data === null) throw new TypeError(`"${name}": the data is no object`);
  const { length } = JSON.stringify(data);
  if (length > DATA_MAX)
    throw new TypeError(
      `"${name}": the data has ${length} characters, more than 1 MiB: put it elsewhere, and send where it is`,
    );
}
