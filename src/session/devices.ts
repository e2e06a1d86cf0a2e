/**
 * The sessions of a user: listing them as devices, and ending one or all.
 *
 * The index may name sessions that are over (they expire by themselves); each listing takes those out.
 *
 * Ending all of them while one is being begun: a revocation is noted before the index is read, and a sign-in reads the notes
 * before it writes anything and again when it is in the index. So either the revocation finds it, or it finds a new note and
 * ends itself; nobody has its cookie yet. Notes have random names: no clocks are compared, and no counter starts anew.
 */
import { SessionError } from "./errors.ts";
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

/** Somebody who signs in. */
export interface Entrant {
  readonly user: string;
  /** The revocation noted last when the sign-in began. */
  readonly revocation: string | undefined;
}

/** How a revocation is noted. */
export interface Revocation {
  /** A new name at each call. */
  readonly newName: () => string;
  /** Longer than any sign-in takes. */
  readonly rememberMs: number;
}

/** Rounds of a revocation: somebody who signs in without a pause must not keep it from ending. */
const ROUNDS_MAX = 16;

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

/**
 * Ends all sessions of a user but one; how many there were. Goes on until none is left, so that a sign-in that began after
 * the call and was done before its end is not spared.
 */
export async function revokeDevices(
  store: SessionStore,
  user: string,
  except: string | undefined,
  { newName, rememberMs }: Revocation,
): Promise<number> {
  let ended = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    // oxlint-disable-next-line no-await-in-loop -- a round looks at what came during the one before
    await store.noteRevocation(user, newName(), rememberMs);
    // oxlint-disable-next-line no-await-in-loop -- the note comes before the index is read, see above
    const handles = (await store.linked(user)).filter((handle) => handle !== except);
    if (handles.length === 0) break;
    // oxlint-disable-next-line no-await-in-loop -- what the index named, all at once
    const removed = await Promise.all(handles.map((handle) => store.remove(handle)));
    ended += removed.filter(Boolean).length;
    // oxlint-disable-next-line no-await-in-loop -- the index forgets only what is gone
    await store.unlink(user, handles);
  }
  return ended;
}

/**
 * Links a session to the user who signs in, and ends the ones beyond the bound.
 *
 * @throws SessionError "session-revoked" when all sessions of the user were ended since the sign-in began: this one too, then.
 */
export async function linkDevice(
  store: SessionStore,
  { user, revocation }: Entrant,
  handle: string,
  ttlMs: number,
): Promise<void> {
  const linked = await store.link(user, handle, ttlMs);
  const latest = await store.revocation(user);
  // None at all: the one from before is not remembered any more.
  if (latest !== undefined && latest !== revocation) {
    await store.remove(handle);
    await store.unlink(user, [handle]);
    throw new SessionError("session-revoked");
  }
  if (linked <= SESSIONS_PER_USER_MAX) return;
  const others = (await listDevices(store, user)).filter((device) => device.handle !== handle);
  const beyond = others.slice(SESSIONS_PER_USER_MAX - 1);
  await Promise.all(beyond.map((device) => store.remove(device.handle)));
  await store.unlink(
    user,
    beyond.map((device) => device.handle),
  );
}
