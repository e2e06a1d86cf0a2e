/**
 * Access log lines: one per finished exchange, as JSON, in Apache's "combined" form, or by a format of one's own.
 *
 * A line is made only when the log is on, and after the response has been handed to the kernel; writing is batched
 * by whoever takes the lines.
 */
import type { AccessLogConfig } from "../config/index.ts";
import type { CacheResult } from "../edge/index.ts";
import { text } from "../http/index.ts";
import type { RequestView } from "./route.ts";

/** What of a request must be remembered until its line is written. */
export interface AccessRecord {
  readonly clientIp: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly protocol: string;
  readonly userAgent: string;
  readonly referer: string;
}

/** The record of a request that was refused before it could be read. */
export const UNREAD_REQUEST: Omit<AccessRecord, "clientIp"> = {
  method: "-",
  host: "",
  path: "",
  query: "",
  protocol: "-",
  userAgent: "",
  referer: "",
};

/** A finished exchange. */
export interface AccessEntry extends AccessRecord {
  readonly time: Date;
  readonly requestId: string;
  readonly status: number;
  readonly reason: string;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly listener: string;
  readonly rule: string;
  readonly group: string;
  readonly target: string;
  readonly attempts: number;
  /** How the cache of its rule answered: "hit", "miss" …, "-" without one. */
  readonly cache: CacheResult | "-";
}

/** Copies what the line will need out of the request's bytes. */
export function accessRecord({ head, bytes, clientIp }: RequestView): AccessRecord {
  return {
    clientIp,
    method: text(bytes, head.methodStart, head.methodEnd),
    host: text(bytes, head.hostStart, head.hostEnd),
    path: text(bytes, head.pathStart, head.pathEnd),
    query: text(bytes, head.queryStart, head.queryEnd),
    protocol: head.minorVersion === 0 ? "HTTP/1.0" : "HTTP/1.1",
    userAgent: head.fields.value(bytes, "user-agent") ?? "",
    referer: head.fields.value(bytes, "referer") ?? "",
  };
}

/** Renders one line, without its newline. */
export type AccessFormat = (entry: AccessEntry) => string;

/** The formatter for a setting, or undefined when the log is off. */
export function accessFormat(config: AccessLogConfig): AccessFormat | undefined {
  switch (config.kind) {
    case "off":
      return undefined;
    case "json":
      return json;
    case "combined":
      return combined;
    case "format":
      return custom(config.format);
  }
}

function json(entry: AccessEntry): string {
  const { time, durationMs, ...rest } = entry;
  return JSON.stringify({ time: time.toISOString(), ...rest, durationMs: round(durationMs) });
}

function combined(entry: AccessEntry): string {
  const { clientIp, time, method, path, query, protocol, status, bytesOut, referer, userAgent } = entry;
  const target = query === "" ? path : `${path}?${query}`;
  const request = quoted(`${method} ${target} ${protocol}`);
  return `${clientIp} - - [${clfTime(time)}] ${request} ${status} ${bytesOut} ${quoted(referer || "-")} ${quoted(userAgent || "-")}`;
}

/** "{clientIp} {status} {durationMs}": braces name the keys of an entry; unknown ones stay as they are. */
function custom(format: string): AccessFormat {
  return (entry) =>
    format.replace(/\{(\w+)\}/g, (whole, key: string) => {
      const value = Object.hasOwn(entry, key) ? entry[key as keyof AccessEntry] : undefined;
      if (value === undefined) return whole;
      if (value instanceof Date) return value.toISOString();
      return typeof value === "number" ? String(round(value)) : escaped(value);
    });
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "10/Oct/2000:13:55:36 +0000", always UTC. */
function clfTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  return `${day}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}

function quoted(value: string): string {
  return `"${escaped(value)}"`;
}

/** Control characters, backslash and quote. */
const UNSAFE = /[\p{Cc}\\"]/gu;

/** A client must not be able to start a new log line, nor to end a quoted field. */
function escaped(value: string): string {
  return value.replace(UNSAFE, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
