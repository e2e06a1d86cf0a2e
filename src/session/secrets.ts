/**
 * What a rotation writes: the new secret, the end of the ones before it, and what is over by then.
 */
import { META, type SecretRow, secretName, secretText } from "./record.ts";

/**
 * Old secrets that stay for their grace at once. More than this only comes of rotating with each request; the ones that
 * end soonest go first.
 */
const OLD_SECRETS_MAX = 8;

/** Changes to the stored secrets, and how they are then. */
export interface Rotation {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
  readonly secrets: ReadonlyMap<string, SecretRow>;
}

/** Makes `digest` current for `user`; all that were current end after the grace. */
export function rotateSecrets(
  secrets: ReadonlyMap<string, SecretRow>,
  digest: string,
  user: string | undefined,
  wallMs: number,
  graceMs: number,
): Rotation {
  const set = new Map<string, string>();
  const remove: string[] = [];
  const after = new Map<string, SecretRow>();
  const old = [...secrets]
    .map(([name, row]) => [name, { ...row, untilMs: row.untilMs ?? wallMs + graceMs }] as const)
    .toSorted(([, one], [, other]) => other.untilMs - one.untilMs);
  for (const [index, [name, row]] of old.entries()) {
    if (row.untilMs <= wallMs || index >= OLD_SECRETS_MAX) {
      remove.push(name);
      continue;
    }
    after.set(name, row);
    if (secrets.get(name)?.untilMs === undefined) set.set(name, secretText(row));
  }
  const row: SecretRow = user === undefined ? {} : { user };
  after.set(secretName(digest), row);
  set.set(secretName(digest), secretText(row));
  return { set, remove, secrets: after };
}

/** What is kept of the device that a session was begun on. */
export interface DeviceFacts {
  readonly userAgent: string | undefined;
  readonly address: string | undefined;
}

/** The fields that a new record has beside the app's. */
export function firstFields(
  digest: string,
  user: string | undefined,
  wallMs: number,
  device: DeviceFacts,
): Map<string, string> {
  const fields = new Map([
    [secretName(digest), secretText(user === undefined ? {} : { user })],
    [META.since, String(wallMs)],
    [META.created, String(wallMs)],
    [META.seen, String(wallMs)],
  ]);
  if (user !== undefined) fields.set(META.user, user);
  for (const [name, text] of deviceFields(device)) fields.set(name, text);
  return fields;
}

/** How a record keeps the device. */
export function deviceFields({ userAgent, address }: DeviceFacts): Map<string, string> {
  const fields = new Map<string, string>();
  if (userAgent !== undefined) fields.set(META.agent, userAgent);
  if (address !== undefined) fields.set(META.address, address);
  return fields;
}
