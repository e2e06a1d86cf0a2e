/**
 * The snapshot: a sealed copy of some fields in a second cookie, for reading while the store is away.
 *
 * It names the session cookie that it belongs to (handle, and digest of the secret), so that it opens beside no other.
 */
import { clearCookie, readCookie, writeCookie } from "./cookie.ts";
import type { SnapshotSettings } from "./options.ts";
import { createSealer, type Sealer } from "./seal.ts";
import type { RandomBytes } from "./token.ts";

/** What is copied. */
export interface SnapshotContent {
  readonly handle: string;
  /** Digest of the secret in the session's cookie. */
  readonly secret: string;
  readonly user?: string;
  /** Name -> JSON text. */
  readonly fields: readonly (readonly [string, string])[];
}

/** A snapshot as a request brought it. */
export interface Snapshot {
  readonly content: SnapshotContent;
  /** Wall clock, ms. */
  readonly endsMs: number;
}

/** Reads and writes snapshots. */
export interface Snapshots {
  /** Undefined when there is none, or none that opens now. */
  read(cookieField: string | undefined, wallMs: number): Snapshot | undefined;
  /** The Set-Cookie field for this content; undefined while the browser has the same for long enough. */
  renew(content: SnapshotContent, current: Snapshot | undefined, wallMs: number): string | undefined;
  /** The Set-Cookie field that takes it away. */
  clear(): string;
  readonly fields: readonly string[];
}

export function createSnapshots(settings: SnapshotSettings, randomBytes: RandomBytes): Snapshots {
  const { cookie, maxAgeMs, fields } = settings;
  const sealer: Sealer = createSealer(settings.keys, cookie.name, randomBytes);
  return {
    fields,
    read: (cookieField, wallMs) => {
      const text = readCookie(cookieField, cookie.name);
      const opened = text === undefined ? undefined : sealer.unseal(text, wallMs);
      return opened?.status === "open"
        ? { content: opened.value as SnapshotContent, endsMs: opened.endsMs }
        : undefined;
    },
    renew: (content, current, wallMs) => {
      const isSame = current !== undefined && JSON.stringify(current.content) === JSON.stringify(content);
      // Half its time is left at least, so that it is of use whenever the store goes.
      if (isSame && current.endsMs - wallMs > maxAgeMs / 2) return undefined;
      return writeCookie(sealer.seal(content, wallMs + maxAgeMs), cookie);
    },
    clear: () => clearCookie(cookie),
  };
}
