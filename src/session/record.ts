/**
 * A session's record: which stored fields mean what, and whether a secret opens it.
 *
 *     .name           a field of the app, as JSON
 *     #<digest>       a secret that was issued: for which user, and until when if it is an old one
 *     :user           whose session it is; written once, so that a record never goes from one user to another
 *     :since          when it was begun, or signed in to; the absolute expiry counts from here
 *     :created :seen :agent :address    for the list of devices
 *
 * Each secret carries its own user. A secret from before a sign-in opens the record for the time of grace only, and
 * without the user: who planted or stole it gains nothing by the sign-in. (OWASP, Session Management, "Renew the
 * session ID after any privilege level change".)
 */

import type { StoredRecord } from "./store.ts";
import { equalDigests } from "./token.ts";

/** Prefix of the app's fields. */
const DATA = ".";
const SECRET = "#";

/** Names of our own fields. */
export const META = {
  user: ":user",
  since: ":since",
  created: ":created",
  seen: ":seen",
  agent: ":agent",
  address: ":address",
} as const;

/** What a secret is good for. */
export interface SecretRow {
  readonly user?: string;
  /** Wall clock ms; absent while it is the current one. */
  readonly untilMs?: number;
}

/** How long sessions and their old secrets live, ms. */
export interface Lifetimes {
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly graceMs: number;
  readonly touchMs: number;
}

/** Why a cookie opens nothing. */
export type Refusal = "malformed" | "unknown" | "wrong-secret" | "rotated" | "expired" | "unreadable";

/** What a secret opens. */
export type Admission =
  | { readonly status: "active" | "grace"; readonly user: string | undefined }
  | { readonly status: "refused"; readonly reason: Refusal };

/** The stored name of a field of the app. */
export function dataName(name: string): string {
  return DATA + name;
}

/** The app's fields of a record: name -> JSON text. */
export function dataOf(record: StoredRecord): Map<string, string> {
  const own = [...record.fields].filter(([name]) => name.startsWith(DATA));
  return new Map(own.map(([name, text]) => [name.slice(DATA.length), text]));
}

/** The stored name of a secret. */
export function secretName(secretDigest: string): string {
  return SECRET + secretDigest;
}

/** The stored text of a secret. */
export function secretText(row: SecretRow): string {
  return JSON.stringify(row);
}

/** All secrets of a record: stored name -> row. One that cannot be read is left out, and so opens nothing. */
export function secretsOf(record: StoredRecord): Map<string, SecretRow> {
  const rows = new Map<string, SecretRow>();
  for (const [name, text] of record.fields) {
    const row = name.startsWith(SECRET) ? readRow(text) : undefined;
    if (row !== undefined) rows.set(name, row);
  }
  return rows;
}

/** A number among our own fields. */
export function metaNumber(record: StoredRecord, name: string): number | undefined {
  const value = Number(record.fields.get(name) ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Whether a secret opens a record now. A clock that was set back lengthens nothing: what ends later than a rotation
 * made right now would have is over.
 */
export function admit(
  record: StoredRecord,
  secretDigest: string,
  wallMs: number,
  lifetimes: Lifetimes,
): Admission {
  const row = findSecret(record, secretDigest);
  if (row === undefined) return { status: "refused", reason: "wrong-secret" };
  const sinceMs = metaNumber(record, META.since);
  if (sinceMs === undefined) return { status: "refused", reason: "unreadable" };
  if (wallMs - sinceMs >= lifetimes.absoluteMs) return { status: "refused", reason: "expired" };
  const isOld = row.untilMs !== undefined || row.user !== record.fields.get(META.user);
  if (!isOld) return { status: "active", user: row.user };
  const leftMs = (row.untilMs ?? sinceMs + lifetimes.graceMs) - wallMs;
  return leftMs > 0 && leftMs <= lifetimes.graceMs
    ? { status: "grace", user: row.user }
    : { status: "refused", reason: "rotated" };
}

/** Until when the store keeps the record, ms from now: idle time from now, but not past the absolute expiry. */
export function ttlOf(sinceMs: number, wallMs: number, lifetimes: Lifetimes): number {
  const leftMs = Math.min(sinceMs + lifetimes.absoluteMs - wallMs, lifetimes.absoluteMs);
  // A touch may be up to touchMs late: the session ends no earlier than idleMs after the last request.
  return Math.max(1, Math.min(lifetimes.idleMs + lifetimes.touchMs, leftMs));
}

/** Every row is compared, so that the time tells nothing of which one it was. */
function findSecret(record: StoredRecord, secretDigest: string): SecretRow | undefined {
  let found: SecretRow | undefined;
  for (const [name, row] of secretsOf(record)) {
    if (equalDigests(name, secretName(secretDigest))) found = row;
  }
  return found;
}

function readRow(text: string): SecretRow | undefined {
  try {
    const row: unknown = JSON.parse(text);
    return typeof row === "object" && row !== null ? row : undefined;
  } catch {
    return undefined;
  }
}
