/**
 * The options of sessions in a store, and their defaults.
 */
import { randomBytes } from "node:crypto";
import {
  type Clock,
  explainDuration,
  parseDurationMs,
  type Random,
  type Scheduler,
  systemClock,
  systemRandom,
  systemScheduler,
} from "../base/index.ts";
import { type CookieSettings, cookieSettings } from "./cookie.ts";
import { SessionError } from "./errors.ts";
import type { Lifetimes } from "./record.ts";
import type { Keys } from "./seal.ts";
import type { SessionStore } from "./store.ts";
import type { RandomBytes } from "./token.ts";

/** What sessions are made of; only the store is needed. Durations are texts as "30m". */
export interface SessionOptions {
  readonly store: SessionStore;
  /** Ends a session that nobody uses. Default "30m": the upper end of what OWASP has for ordinary sites (15 to 30). */
  readonly idle?: string;
  /** Ends a session however much it is used, counted from the sign-in. Default "8h": a working day; OWASP has 4 to 8. */
  readonly absolute?: string;
  /** How long the old cookie works after a rotation, for requests on their way. Default "10s". */
  readonly grace?: string;
  /** How often a use is written down. Default "1m", or a quarter of `idle` when that is less. */
  readonly touch?: string;
  /** Longest wait for one call of the store. Default "500ms". */
  readonly storeTimeout?: string;
  /** Default `__Host-session`; must begin with `__Host-`. */
  readonly cookie?: string;
  /** Keeps the cookie when the browser is closed, up to `absolute`. Default false. */
  readonly persistent?: boolean;
  /** For plain http on localhost: a cookie without `__Host-` and Secure, and a refusal on any other host. Default false. */
  readonly development?: boolean;
  /** A second, sealed cookie that can be read while the store is away. Off by default. */
  readonly snapshot?: SnapshotOptions;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  readonly random?: Random;
  /** The source of ids. Default node:crypto. */
  readonly randomBytes?: RandomBytes;
}

/** What is in the snapshot, and for how long. A revoked session can be read by it for as long while the store is away. */
export interface SnapshotOptions {
  /** Number -> secret of at least 32 characters; the highest number seals. */
  readonly keys: Keys;
  /** Fields that are copied; the user always is. */
  readonly fields?: readonly string[];
  /** Default "5m". */
  readonly maxAge?: string;
}

/** The options with defaults, durations in ms. */
export interface SessionSettings {
  readonly store: SessionStore;
  readonly lifetimes: Lifetimes;
  readonly storeTimeoutMs: number;
  readonly cookie: CookieSettings;
  readonly isDevelopment: boolean;
  readonly snapshot: SnapshotSettings | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
}

/** The snapshot's part of the settings. */
export interface SnapshotSettings {
  readonly keys: Keys;
  readonly fields: readonly string[];
  readonly maxAgeMs: number;
  readonly cookie: CookieSettings;
}

/** Every touch costs a write: four within the idle time are precise enough when that is short. */
const TOUCHES_PER_IDLE = 4;

/** @throws SessionError "session-options", with the option and how to mend it. */
export function readOptions(options: SessionOptions): SessionSettings {
  if (typeof options?.store?.load !== "function")
    throw new SessionError(
      "session-options",
      "store: give one, such as openSessionStore(url), or memoryStore() for tests and one process",
    );
  const isDevelopment = options.development ?? false;
  const idleMs = durationMs("idle", options.idle ?? "30m");
  const absoluteMs = durationMs("absolute", options.absolute ?? "8h");
  if (idleMs > absoluteMs) throw new SessionError("session-options", "idle is longer than absolute");
  return {
    store: options.store,
    lifetimes: {
      idleMs,
      absoluteMs,
      graceMs: durationMs("grace", options.grace ?? "10s"),
      touchMs: Math.min(durationMs("touch", options.touch ?? "1m"), idleMs / TOUCHES_PER_IDLE),
    },
    storeTimeoutMs: durationMs("storeTimeout", options.storeTimeout ?? "500ms"),
    cookie: cookieSettings(options.cookie, isDevelopment, options.persistent ? absoluteMs : undefined),
    isDevelopment,
    snapshot: options.snapshot && readSnapshot(options.snapshot, options.cookie, isDevelopment),
    clock: options.clock ?? systemClock,
    scheduler: options.scheduler ?? systemScheduler,
    random: options.random ?? systemRandom,
    randomBytes: options.randomBytes ?? randomBytes,
  };
}

/** @throws SessionError "session-options" when it is no duration or 0. */
export function durationMs(option: string, text: string): number {
  const value = parseDurationMs(text);
  if (value === undefined) throw new SessionError("session-options", `${option}: ${explainDuration(text)}`);
  if (value <= 0) throw new SessionError("session-options", `${option} must be longer than 0`);
  return value;
}

function readSnapshot(
  { keys, fields = [], maxAge = "5m" }: SnapshotOptions,
  cookie: string | undefined,
  isDevelopment: boolean,
): SnapshotSettings {
  const maxAgeMs = durationMs("snapshot.maxAge", maxAge);
  const name = cookieSettings(cookie, isDevelopment, undefined).name;
  return { keys, fields, maxAgeMs, cookie: cookieSettings(`${name}-snapshot`, isDevelopment, maxAgeMs) };
}
