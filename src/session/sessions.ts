/**
 * Sessions in a store: opens the session of each request, and lists or ends the sessions of a user.
 */
import { readCookie } from "./cookie.ts";
import { type Device, listDevices, type Revocation, revokeDevice, revokeDevices } from "./devices.ts";
import { SessionError, sessionErrorOf } from "./errors.ts";
import type { SessionContext } from "./open-record.ts";
import { readOptions, type SessionOptions } from "./options.ts";
import { patientStore } from "./patient-store.ts";
import { admit, dataOf, META, metaNumber, type Refusal, secretsOf } from "./record.ts";
import type { Fields, OpenSession, RequestFacts, SessionSource } from "./session.ts";
import { createSnapshots, type Snapshot } from "./snapshot.ts";
import type { StoredRecord } from "./store.ts";
import { type Beginning, StoredSession } from "./stored-session.ts";
import { digest, drawPart, parseToken, type Token } from "./token.ts";

/** How requests came, since the start of this process: for metrics. */
export interface SessionStats {
  /** Requests with a cookie that opened a session. */
  readonly opened: number;
  /** Requests while the store was away. */
  readonly unavailable: number;
  /** Cookies that opened nothing, by reason. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
}

/** All sessions of an app. The methods about users reject with "session-store-unavailable" while the store is away. */
export interface Sessions<T extends Fields = Readonly<Record<string, unknown>>> extends SessionSource<T> {
  /** The live sessions of a user, last used first. */
  devices(user: string): Promise<readonly Device[]>;
  /** Ends one session of a user; false when it is none of theirs. Requests that it has in flight save nothing more. */
  revoke(user: string, handle: string): Promise<boolean>;
  /**
   * Ends all sessions of a user but `except` (a handle); how many. To be called when a password has changed. A sign-in
   * under way is ended too: its `signIn` rejects with "session-revoked". One that begins after this has resolved is kept.
   */
  revokeAll(user: string, except?: string): Promise<number>;
  stats(): SessionStats;
}

/** @throws SessionError "session-options" when an option is not usable. */
export function createSessions<T extends Fields = Readonly<Record<string, unknown>>>(
  options: SessionOptions,
): Sessions<T> {
  const settings = readOptions(options);
  const { clock, scheduler, storeTimeoutMs: timeoutMs, randomBytes } = settings;
  const store = patientStore(settings.store, { timeoutMs, clock, scheduler });
  const snapshots = settings.snapshot && createSnapshots(settings.snapshot, randomBytes);
  const context: SessionContext = { settings, store, snapshots };
  const revocation: Revocation = {
    newName: () => drawPart(randomBytes),
    rememberMs: settings.lifetimes.absoluteMs,
  };
  const counts = { opened: 0, unavailable: 0 };
  const refused: Partial<Record<Refusal, number>> = {};

  const refuse = (reason: Refusal): Beginning => {
    refused[reason] = (refused[reason] ?? 0) + 1;
    return { status: "new" };
  };

  const admitted = (token: Token, record: StoredRecord | undefined): Beginning => {
    if (record === undefined) return refuse("unknown");
    const secret = digest(token.secret);
    const admission = admit(record, secret, clock.wallMs(), settings.lifetimes);
    if (admission.status === "refused") return refuse(admission.reason);
    counts.opened++;
    return {
      status: "open",
      fields: dataOf(record),
      record: {
        handle: token.handle,
        secret,
        ...admission,
        owner: record.fields.get(META.user),
        sinceMs: metaNumber(record, META.since) ?? 0,
        seenMs: metaNumber(record, META.seen) ?? 0,
        secrets: secretsOf(record),
      },
    };
  };

  const withoutStore = (token: Token, snapshot: Snapshot | undefined): Beginning => {
    counts.unavailable++;
    const isOurs =
      snapshot?.content.handle === token.handle && snapshot.content.secret === digest(token.secret);
    return isOurs && snapshot !== undefined ? { status: "snapshot", snapshot } : { status: "unavailable" };
  };

  const open = async (facts: RequestFacts): Promise<OpenSession<T>> => {
    const value = readCookie(facts.cookie, settings.cookie.name);
    const snapshot = snapshots?.read(facts.cookie, clock.wallMs());
    const begin = async (): Promise<Beginning> => {
      if (value === undefined) return { status: "new" };
      const token = parseToken(value);
      if (token === undefined) return refuse("malformed");
      return store.load(token.handle).then(
        (record) => admitted(token, record),
        (error: unknown) => {
          if (error instanceof SessionError) throw error; // the store is there, and must not be used
          return withoutStore(token, snapshot);
        },
      );
    };
    return new StoredSession<T>(context, facts, await begin(), snapshot);
  };

  return {
    open,
    devices: (user) => available(listDevices(store, user)),
    revoke: (user, handle) => available(revokeDevice(store, user, handle)),
    revokeAll: (user, except) => available(revokeDevices(store, user, except, revocation)),
    stats: () => ({ ...counts, refused: { ...refused } }),
  };
}

async function available<R>(result: Promise<R>): Promise<R> {
  try {
    return await result;
  } catch (error) {
    throw sessionErrorOf("session-store-unavailable", error);
  }
}
