/**
 * The sessions of a user: listing them as devices, and ending one or all.
 *
 * The index may name sessions that are over (they expire by themselves); each listing takes those out.
 */
import { META, metaNumber } from "./record.ts";
import type { SessionStore } from "./store.ts";

/** A session as its user sees it in a list. */
export interface Device {
  /** For `revoke`; equal to `session.handle` for the one that asks. */
  readonly handle: string;
  /** Wall clock, ms. */
  readonly createdMs: number;
  /** Wall clock, ms; exact to the touch interval. */
  readonly seenMs: number;
  /** The User-Agent field at the sign-in, at most 256 characters. */
  readonly userAgent: string | undefined;
  /** "203.0.113.0/24": the network at the sign-in. */
  readonly address: string | undefined;
}

/** Sessions that one user may have at once; at a sign-in beyond it the one not used for longest ends. */
const SESSIONS_PER_USER_MAX = 100;

/** The live sessions of a user, last used first. */
export async function listDevices(store: SessionStore, user: string): Promise<Device[]> {
  const handles = await store.linked(user);
  const records = await Promise.all(handles.map((handle) => store.load(handle)));
  const devices: Device[] = [];
  const stale: string[] = [];
  handles.forEach((handle, index) => {
    const record = records[index];
    if (record === undefined || record.fields.get(META.user) !== user) {
      stale.push(handle);
      return;
    }
    devices.push({
      handle,
      createdMs: metaNumber(record, META.created) ?? 0,
      seenMs: metaNumber(record, META.seen) ?? 0,
      userAgent: record.fields.get(META.agent),
      address: record.fields.get(META.address),
    });
  });
  if (stale.length > 0) await store.unlink(user, stale);
  return devices.toSorted((one, other) => other.seenMs - one.seenMs);
}

/** Ends one session of this user; false when it is none of theirs, or over already. */
export async function revokeDevice(store: SessionStore, user: string, handle: string): Promise<boolean> {
  const record = await store.load(handle);
  if (record?.fields.get(META.user) !== user) return false;
  const wasThere = await store.remove(handle);
  await store.unlink(user, [handle]);
  return wasThere;
}

/** Ends all sessions of a user but one; how many there were. */
export async function revokeDevices(store: SessionStore, user: string, except?: string): Promise<number> {
  const handles = (await store.linked(user)).filter((handle) => handle !== except);
  const removed = await Promise.all(handles.map((handle) => store.remove(handle)));
  await store.unlink(user, handles);
  return removed.filter(Boolean).length;
}

/** Links a session to its user, and ends the ones beyond the bound. */
export async function linkDevice(
  store: SessionStore,
  user: string,
  handle: string,
  ttlMs: number,
): Promise<void> {
  const linked = await store.link(user, handle, ttlMs);
  if (linked <= SESSIONS_PER_USER_MAX) return;
  const others = (await listDevices(store, user)).filter((device) => device.handle !== handle);
  const beyond = others.slice(SESSIONS_PER_USER_MAX - 1);
  await Promise.all(beyond.map((device) => store.remove(device.handle)));
  await store.unlink(
    user,
    beyond.map((device) => device.handle),
  );
}
