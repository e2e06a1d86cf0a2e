/**
 * The record that a request's cookie opened, and the writes that are more than a patch of fields: begin, sign in,
 * update by compare-and-set, end.
 */
import { FieldChanges } from "./changes.ts";
import { type Entrant, linkDevice } from "./devices.ts";
import { SessionError, sessionErrorOf } from "./errors.ts";
import type { SessionSettings } from "./options.ts";
import { dataName, dataOf, META, type SecretRow, secretName, ttlOf } from "./record.ts";
import { type DeviceFacts, deviceFields, firstFields, rotateSecrets } from "./secrets.ts";
import type { Snapshots } from "./snapshot.ts";
import type { SessionStore } from "./store.ts";
import { digest, drawPart } from "./token.ts";

/** A record that the cookie opened. */
export interface OpenRecord {
  readonly handle: string;
  /** Digest of the secret that the browser has, or will have by this response. */
  readonly secret: string;
  readonly status: "active" | "grace";
  /** By the cookie's secret. */
  readonly user: string | undefined;
  /** By the record; differs from `user` in grace only. */
  readonly owner: string | undefined;
  readonly sinceMs: number;
  readonly seenMs: number;
  readonly secrets: ReadonlyMap<string, SecretRow>;
}

/** What all sessions of a source share. */
export interface SessionContext {
  readonly settings: SessionSettings;
  readonly store: SessionStore;
  readonly snapshots: Snapshots | undefined;
}

/** A record as written, and the secret that the browser is to have. */
export interface WrittenRecord {
  readonly record: OpenRecord;
  readonly secret: string;
}

/**
 * Writes a new record, and only then its link: what is linked and not there has ended, and may be unlinked.
 *
 * @throws SessionError "session-revoked" as `linkDevice` does
 */
export async function createRecord(
  { settings, store }: SessionContext,
  texts: ReadonlyMap<string, string>,
  entrant: Entrant | undefined,
  device: DeviceFacts,
): Promise<WrittenRecord> {
  const user = entrant?.user;
  const [handle, secret] = [drawPart(settings.randomBytes), drawPart(settings.randomBytes)];
  const wallMs = settings.clock.wallMs();
  const fields = firstFields(digest(secret), user, wallMs, device);
  for (const [name, text] of texts) fields.set(dataName(name), text);
  await confirmed(async () => {
    await store.create(handle, fields, ttlOf(wallMs, wallMs, settings.lifetimes));
    // Before anybody has the cookie: a session that is in use can be revoked.
    if (entrant !== undefined) await linkDevice(store, entrant, handle, settings.lifetimes.absoluteMs);
  });
  const row: SecretRow = user === undefined ? {} : { user };
  const secrets = new Map([[secretName(digest(secret)), row]]);
  const times = { sinceMs: wallMs, seenMs: wallMs };
  return {
    secret,
    record: { handle, secret: digest(secret), status: "active", user, owner: user, ...times, secrets },
  };
}

/**
 * Signs the record's guest in. Undefined when the record is not to be had: it has ended, it is somebody else's, or
 * another request signed somebody else in first. Then it is as if this had not been tried.
 *
 * @throws SessionError "session-revoked" as `linkDevice` does: then the record has ended
 */
export async function bindRecord(
  { settings, store }: SessionContext,
  record: OpenRecord,
  entrant: Entrant,
  device: DeviceFacts,
): Promise<WrittenRecord | undefined> {
  const { user } = entrant;
  if (!mayBind(record, user)) return undefined;
  const { lifetimes } = settings;
  const wallMs = settings.clock.wallMs();
  const secret = drawPart(settings.randomBytes);
  const rotation = rotateSecrets(record.secrets, digest(secret), user, wallMs, lifetimes.graceMs);
  const meta: [string, string][] = [
    [META.since, String(wallMs)],
    [META.seen, String(wallMs)],
  ];
  const ttlMs = ttlOf(wallMs, wallMs, lifetimes);
  return confirmed(async () => {
    const outcome = await store.patch(record.handle, {
      set: new Map([...rotation.set, ...meta, ...deviceFields(device)]),
      setIfAbsent: new Map([[META.user, user]]),
      remove: rotation.remove,
      ttlMs,
    });
    if (outcome.status === "applied" && (await isOwner(store, record, user, outcome.written))) {
      const times = { sinceMs: wallMs, seenMs: wallMs };
      const { handle } = record;
      await linkDevice(store, entrant, handle, lifetimes.absoluteMs);
      const { secrets } = rotation;
      const bound = { handle, secret: digest(secret), user, owner: user, ...times, secrets };
      return { secret, record: { ...bound, status: "active" as const } };
    }
    // Nobody has this secret, and it stays that way.
    await store.patch(record.handle, { remove: [secretName(digest(secret))], ttlMs });
    return undefined;
  });
}

/** Ends the record for all who have its cookie. */
export async function endRecord({ store }: SessionContext, record: OpenRecord): Promise<void> {
  await confirmed(async () => {
    await store.remove(record.handle);
    if (record.owner !== undefined) await store.unlink(record.owner, [record.handle]);
  });
}

/** One try to change a field from what it is now: all fields as they are then, or undefined when another was quicker. */
export async function tryUpdate(
  { settings, store }: SessionContext,
  record: OpenRecord,
  name: string,
  change: (value: unknown) => unknown,
): Promise<Map<string, string> | undefined> {
  const stored = await confirmed(() => store.load(record.handle));
  if (stored === undefined) throw new SessionError("session-not-saved", "the session has ended");
  const fields = new FieldChanges(dataOf(stored));
  fields.set(name, change(fields.get(name)));
  const text = fields.texts().get(name);
  const outcome = await confirmed(() =>
    store.patch(record.handle, {
      ...(text === undefined ? { remove: [dataName(name)] } : { set: new Map([[dataName(name), text]]) }),
      ttlMs: ttlOf(record.sinceMs, settings.clock.wallMs(), settings.lifetimes),
      ifVersion: stored.version,
    }),
  );
  if (outcome.status === "gone") throw new SessionError("session-not-saved", "the session has ended");
  return outcome.status === "applied" ? new Map(fields.texts()) : undefined;
}

/** Turns the failure of a write into what the app is to see. */
export async function confirmed<R>(write: () => Promise<R>): Promise<R> {
  try {
    return await write();
  } catch (error) {
    throw sessionErrorOf("session-not-saved", error);
  }
}

/**
 * A guest's session becomes the user's; a session of the same user stays theirs. An old cookie gives no claim to the
 * session that it led to, unless that is the session of the very user who has just proved who they are.
 */
function mayBind(record: OpenRecord, user: string): boolean {
  return record.owner === user || (record.owner === undefined && record.status === "active");
}

async function isOwner(
  store: SessionStore,
  record: OpenRecord,
  user: string,
  written: ReadonlySet<string>,
): Promise<boolean> {
  if (written.has(META.user) || record.owner === user) return true;
  return (await store.load(record.handle))?.fields.get(META.user) === user;
}
