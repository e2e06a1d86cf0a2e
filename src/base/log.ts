/**
 * The log: one JSON object per line, written for machines first and greppable by people.
 *
 * `event` is a literal in kebab-case that never varies, so it can be counted; all that varies is a field. Values of
 * fields whose name looks like a secret are replaced before they are serialised, at any depth, in header pairs too: a
 * log is copied to places that the secret must not reach.
 */
import type { Clock } from "./clock.ts";
import { isSecretName, REDACTED } from "./redact.ts";

/** From chatty to grave. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** How grave an event is. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What varies from one event to the next; any values. */
export type LogFields = Record<string, unknown>;

/** Writes events. */
export interface Log {
  /** For whoever debugs this product. Off unless asked for. */
  debug(event: string, fields?: LogFields): void;
  /** Something happened that an operator may want to see later. */
  info(event: string, fields?: LogFields): void;
  /** Something is wrong, and the product deals with it. */
  warn(event: string, fields?: LogFields): void;
  /** Something is wrong, and somebody has to act. */
  error(event: string, fields?: LogFields): void;
  /** A log that adds `fields` to each of its events. */
  child(fields: LogFields): Log;
}

/** What a log is made of. */
export interface LogOptions {
  /** Takes one line, newline included. Called synchronously. */
  readonly write: (line: string) => void;
  /** Its wall time is each line's `time`. */
  readonly clock: Clock;
  /** The least level that is written. */
  readonly level: LogLevel;
}

/** Longest text in one field: a long stack trace fits; beyond this it is a dump, and is cut. */
const TEXT_CHARS_MAX = 8 * 1024;

/** Longest line: many shippers of logs cut or refuse a line above 64 KiB. */
const LINE_CHARS_MAX = 64 * 1024;

/** Makes a log. Lines read `{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"listener-started",...}`. */
export function createLog(options: LogOptions): Log {
  return logWith(options, {});
}

function logWith(options: LogOptions, bound: LogFields): Log {
  const at = (level: LogLevel): Log["info"] => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(options.level)) return () => {};
    return (event, fields) => {
      const time = new Date(options.clock.wallMs()).toISOString();
      const head = { time, level, event };
      // The head stands first in the line, and wins over a field of the same name.
      options.write(`${serialise({ ...head, ...bound, ...fields, ...head })}\n`);
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => logWith(options, { ...bound, ...fields }),
  };
}

/** A log must neither throw nor flood: what cannot be serialised, or is too long, costs the fields, not the event. */
function serialise(record: LogFields): string {
  const { time, level, event } = record;
  try {
    const line = JSON.stringify(record, presentable);
    if (line.length <= LINE_CHARS_MAX) return line;
    return JSON.stringify({ time, level, event, unloggable: `fields take ${line.length} characters` });
  } catch (problem) {
    // A cycle, or a getter that throws.
    return JSON.stringify({ time, level, event, unloggable: String(problem) });
  }
}

function presentable(name: string, value: unknown): unknown {
  if (isSecretName(name) && value !== null && typeof value !== "boolean") return REDACTED;
  if (typeof value === "string") return cutText(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return presentableError(value);
  if (isSecretPair(value)) return [value[0], REDACTED];
  return value;
}

function cutText(text: string): string {
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text;
}

/** An Error serialises to `{}` by itself: its own words are not enumerable. What is, such as `code`, comes along. */
function presentableError(error: Error): LogFields {
  const { name, message, stack, cause } = error;
  return { name, message, ...Object.fromEntries(Object.entries(error)), stack, cause };
}

/** Headers travel as `[name, value]`. */
function isSecretPair(value: unknown): value is [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && isSecretName(value[0]);
}
