/**
 * The session of one request, its fields in a store.
 *
 * What the request changes is collected and written as one patch of single fields, never as a whole: requests of one
 * session that run at the same time keep each other's changes.
 */
import { FieldChanges, type PendingChanges } from "./changes.ts";
import { addressPrefix } from "./client-address.ts";
import { clearCookie, refuseOffLocalhost, writeCookie } from "./cookie.ts";
import type { Entrant } from "./devices.ts";
import { SessionError } from "./errors.ts";
import {
  bindRecord,
  confirmed,
  createRecord,
  endRecord,
  type OpenRecord,
  type SessionContext,
  tryUpdate,
  type WrittenRecord,
} from "./open-record.ts";
import { dataName, dataOf, META, ttlOf } from "./record.ts";
import { type DeviceFacts, rotateSecrets } from "./secrets.ts";
import type { Fields, OpenSession, RequestFacts, Session, SessionStatus, SignInCheck } from "./session.ts";
import type { Snapshot, Snapshots } from "./snapshot.ts";
import type { Patch, PatchOutcome } from "./store.ts";
import { digest, drawPart, formatToken } from "./token.ts";

/** Where a request begins. */
export type Beginning =
  | { readonly status: "new" | "unavailable" }
  | { readonly status: "snapshot"; readonly snapshot: Snapshot }
  | { readonly status: "open"; readonly record: OpenRecord; readonly fields: Map<string, string> };

/** Tries of an update that lost against others: each round one of them wins, so this many may run at once. */
const UPDATE_ATTEMPTS_MAX = 64;

/** Longest wait between two tries, ms; drawn at random below it, so that those who lost do not meet again. */
const UPDATE_WAIT_MS_MAX = 16;

/** Longest user id and user agent, in characters. */
const USER_LENGTH_MAX = 256;
const AGENT_LENGTH_MAX = 256;

export class StoredSession<T extends Fields> implements Session<T>, OpenSession<T> {
  readonly #context: SessionContext;
  readonly #facts: RequestFacts;
  readonly #beginning: Beginning;
  readonly #snapshot: Snapshot | undefined;
  #changes: FieldChanges;
  #record: OpenRecord | undefined;
  /** The secret of a rotation that the next save writes. */
  #rotation: string | undefined;
  /** What the response's cookie does. */
  #cookie: { readonly value: string } | "clear" | undefined;
  #isCommitted = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(context: SessionContext, facts: RequestFacts, beginning: Beginning, snapshot?: Snapshot) {
    this.#context = context;
    this.#facts = facts;
    this.#beginning = beginning;
    this.#snapshot = snapshot;
    this.#record = beginning.status === "open" ? beginning.record : undefined;
    const stored = beginning.status === "open" ? beginning.fields : undefined;
    const copied = beginning.status === "snapshot" ? beginning.snapshot.content.fields : [];
    this.#changes = new FieldChanges(stored ?? new Map(copied));
  }

  get session(): Session<T> {
    return this;
  }

  get status(): SessionStatus {
    if (this.#beginning.status === "unavailable" || this.#beginning.status === "snapshot")
      return this.#beginning.status;
    return this.#record?.status ?? "new";
  }

  get user(): string | undefined {
    return this.#beginning.status === "snapshot" ? this.#beginning.snapshot.content.user : this.#record?.user;
  }

  get handle(): string | undefined {
    return this.#beginning.status === "snapshot"
      ? this.#beginning.snapshot.content.handle
      : this.#record?.handle;
  }

  get<K extends keyof T & string>(name: K): T[K] | undefined {
    return this.#changes.get(name) as T[K] | undefined;
  }

  has(name: keyof T & string): boolean {
    return this.#changes.has(name);
  }

  names(): string[] {
    return this.#changes.names();
  }

  set<K extends keyof T & string>(name: K, value: T[K]): void {
    this.#writable().set(name, value);
  }

  delete(name: keyof T & string): void {
    this.#writable().delete(name);
  }

  increment(name: keyof T & string, by = 1): number {
    return this.#writable().increment(name, by);
  }

  setIfAbsent<K extends keyof T & string>(name: K, value: T[K]): void {
    this.#writable().setIfAbsent(name, value);
  }

  async update<K extends keyof T & string>(
    name: K,
    change: (value: T[K] | undefined) => T[K],
  ): Promise<T[K]> {
    this.#writable();
    await this.save();
    if (this.#record === undefined) {
      this.set(name, change(this.get(name)));
      await this.save();
      return this.get(name) as T[K];
    }
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS_MAX; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- a try reads what the one before lost against
      const texts = await tryUpdate(this.#context, this.#record, name, (value) => change(value as T[K]));
      if (texts !== undefined) {
        this.#changes.reload(texts);
        return this.get(name) as T[K];
      }
      // oxlint-disable-next-line no-await-in-loop -- waits before the next try
      await this.#wait(this.#context.settings.random() * Math.min(attempt, UPDATE_WAIT_MS_MAX));
    }
    throw new SessionError("session-contended", `field "${name}", ${UPDATE_ATTEMPTS_MAX} tries`);
  }

  async signIn(user: string, check?: SignInCheck): Promise<boolean> {
    if (user === "" || user.length > USER_LENGTH_MAX) {
      throw new SessionError("session-field-refused", `a user has 1 to ${USER_LENGTH_MAX} characters`);
    }
    this.#writable();
    this.#beforeHead();
    // First of all: what is revoked from here on ends this sign-in too.
    const revocation = await confirmed(() => this.#context.store.revocation(user));
    if (check !== undefined && !(await check())) return false;
    if (this.#record !== undefined) await this.save();
    await this.#enter({ user, revocation });
    return true;
  }

  /** Binds the session there is, or begins another. */
  async #enter(entrant: Entrant): Promise<void> {
    this.#beforeHead();
    const record = this.#record;
    if (record !== undefined) {
      const bound = await bindRecord(this.#context, record, entrant, this.#device());
      if (bound !== undefined) return this.#adopt(bound);
      if (record.user !== undefined && record.user !== entrant.user) await endRecord(this.#context, record);
      this.#forget();
    }
    await this.#begin(entrant);
  }

  async signOut(): Promise<void> {
    this.#writable();
    this.#beforeHead();
    const record = this.#record;
    // An old cookie from before the sign-in ends nothing: it is not the user's.
    if (record !== undefined && record.user === record.owner) await endRecord(this.#context, record);
    this.#forget();
    this.#cookie = "clear";
  }

  rotate(): void {
    this.#writable();
    this.#beforeHead();
    if (this.#record?.status === "active") this.#rotation ??= drawPart(this.#context.settings.randomBytes);
  }

  /** One save at a time, so that a patch never overtakes the one that made its record. */
  save(): Promise<void> {
    const saved = this.#saving.then(() => this.#save());
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  async commit(): Promise<readonly string[]> {
    await this.save();
    if (this.#isCommitted) return [];
    this.#isCommitted = true;
    return this.#cookies();
  }

  #writable(): FieldChanges {
    if (this.#beginning.status === "unavailable") throw new SessionError("session-store-unavailable");
    if (this.#beginning.status === "snapshot") throw new SessionError("session-read-only");
    return this.#changes;
  }

  #beforeHead(): void {
    if (this.#isCommitted) throw new SessionError("session-headers-sent");
  }

  async #save(): Promise<void> {
    const record = this.#record;
    if (record !== undefined) await this.#saveRecord(record);
    else if (this.#changes.isChanged) await this.#begin(undefined);
  }

  /** Writes a new record with the fields there are. */
  async #begin(entrant: Entrant | undefined): Promise<void> {
    this.#beforeHead();
    this.#changes.take();
    this.#adopt(await createRecord(this.#context, this.#changes.texts(), entrant, this.#device()));
  }

  async #saveRecord(record: OpenRecord): Promise<void> {
    const { settings, store } = this.#context;
    const wallMs = settings.clock.wallMs();
    const pending = this.#changes.take();
    const secret = this.#rotation;
    this.#rotation = undefined;
    // A clock that was set back touches too: otherwise nothing would until it has caught up.
    const touches = wallMs - record.seenMs >= settings.lifetimes.touchMs || wallMs < record.seenMs;
    if (pending === undefined && secret === undefined) {
      if (touches) await this.#touch(record, wallMs);
      return;
    }
    const set = new Map([...(pending?.set ?? [])].map(([name, text]) => [dataName(name), text]));
    if (touches) set.set(META.seen, String(wallMs));
    const remove = [...(pending?.remove ?? [])].map(dataName);
    let next: OpenRecord = touches ? { ...record, seenMs: wallMs } : record;
    if (secret !== undefined) {
      const rotation = rotateSecrets(
        record.secrets,
        digest(secret),
        record.user,
        wallMs,
        settings.lifetimes.graceMs,
      );
      for (const [name, text] of rotation.set) set.set(name, text);
      remove.push(...rotation.remove);
      next = { ...next, secret: digest(secret), secrets: rotation.secrets };
    }
    const outcome = await confirmed(() =>
      store.patch(record.handle, {
        set,
        setIfAbsent: new Map([...(pending?.setIfAbsent ?? [])].map(([name, text]) => [dataName(name), text])),
        add: new Map([...(pending?.add ?? [])].map(([name, by]) => [dataName(name), by])),
        remove,
        ttlMs: ttlOf(record.sinceMs, wallMs, settings.lifetimes),
      }),
    );
    if (outcome.status !== "applied") {
      this.#forget(); // revoked or expired meanwhile: what belonged to it went with it
      return;
    }
    this.#record = next;
    if (secret !== undefined) this.#issue(record.handle, secret);
    await this.#learn(record, pending, outcome);
  }

  /** A use that could not be written down is written down by the next request: no reason to fail this one. */
  async #touch(record: OpenRecord, wallMs: number): Promise<void> {
    const patch: Patch = {
      set: new Map([[META.seen, String(wallMs)]]),
      ttlMs: ttlOf(record.sinceMs, wallMs, this.#context.settings.lifetimes),
    };
    await this.#context.store.patch(record.handle, patch).then(
      () => (this.#record = { ...record, seenMs: wallMs }),
      () => undefined,
    );
  }

  /** Takes over what the store made of increments and of fields that others may have set first. */
  async #learn(
    record: OpenRecord,
    pending: PendingChanges | undefined,
    outcome: PatchOutcome & { status: "applied" },
  ): Promise<void> {
    for (const [name, sum] of outcome.sums) this.#changes.learn(name.slice(1), String(sum));
    if (outcome.written.size < (pending?.setIfAbsent.size ?? 0)) {
      const stored = await this.#context.store.load(record.handle).catch(() => undefined);
      if (stored !== undefined) this.#changes.reload(dataOf(stored));
    }
    const [notNumber] = outcome.notNumbers;
    if (notNumber !== undefined) {
      throw new SessionError("session-not-a-number", `field "${notNumber.slice(1)}"`);
    }
  }

  /** From here on the request has no session. */
  #forget(): void {
    this.#record = undefined;
    this.#rotation = undefined;
    this.#cookie = undefined;
    this.#changes = new FieldChanges(new Map());
  }

  #device(): DeviceFacts {
    const { userAgent, address } = this.#facts;
    return { userAgent: userAgent?.slice(0, AGENT_LENGTH_MAX), address: addressPrefix(address) };
  }

  #adopt({ record, secret }: WrittenRecord): void {
    this.#record = record;
    this.#issue(record.handle, secret);
  }

  #issue(handle: string, secret: string): void {
    this.#cookie = { value: formatToken({ handle, secret }) };
  }

  #cookies(): string[] {
    const { settings, snapshots } = this.#context;
    const cookie = this.#cookie;
    const fields: string[] = [];
    if (cookie !== undefined && settings.isDevelopment) refuseOffLocalhost(this.#facts.host);
    if (cookie === "clear") fields.push(clearCookie(settings.cookie));
    else if (cookie !== undefined) fields.push(writeCookie(cookie.value, settings.cookie));
    if (snapshots === undefined) return fields;
    if (cookie === "clear") fields.push(snapshots.clear());
    const renewed = this.#record?.status === "active" ? this.#renewed(snapshots, this.#record) : undefined;
    return renewed === undefined ? fields : [...fields, renewed];
  }

  #renewed(snapshots: Snapshots, { handle, secret, user }: OpenRecord): string | undefined {
    const texts = this.#changes.texts();
    const fields = snapshots.fields.flatMap((name) => {
      const text = texts.get(name);
      return text === undefined ? [] : [[name, text] as const];
    });
    const content = { handle, secret, ...(user === undefined ? {} : { user }), fields };
    return snapshots.renew(content, this.#snapshot, this.#context.settings.clock.wallMs());
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#context.settings.scheduler.after(delayMs, resolve));
  }
}
