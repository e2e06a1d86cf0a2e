/**
 * What sessions need of a store: records of text fields that are patched field by field.
 *
 * A patch is applied whole and at once, and never to a record that is not there: a late request cannot bring back a
 * session that was revoked meanwhile. Nothing here knows what the fields mean.
 */

/** A record as it was read. */
export interface StoredRecord {
  readonly fields: ReadonlyMap<string, string>;
  /** Differs after every change of the fields, for `ifVersion`. Opaque. */
  readonly version: string;
}

/** Changes to a record. A field is named in one of them only. */
export interface Patch {
  /** Written over what is there: the last writer wins, per field. */
  readonly set?: ReadonlyMap<string, string>;
  /** Written unless the field is there. */
  readonly setIfAbsent?: ReadonlyMap<string, string>;
  /** Whole numbers added to what is there, 0 when absent. */
  readonly add?: ReadonlyMap<string, number>;
  readonly remove?: readonly string[];
  /** Milliseconds from now until the record is dropped. */
  readonly ttlMs: number;
  /** Applied only while the record's version is this one. */
  readonly ifVersion?: string;
}

/** What became of a patch. */
export type PatchOutcome =
  | {
      readonly status: "applied";
      /** Which of `setIfAbsent` were written. */
      readonly written: ReadonlySet<string>;
      /** The sums of `add`, by field. */
      readonly sums: ReadonlyMap<string, number>;
      /** Fields of `add` that hold no whole number: these alone were left as they are. */
      readonly notNumbers: readonly string[];
    }
  /** There is no such record (any more); nothing was written. */
  | { readonly status: "gone" }
  /** The version was another one; nothing was written. */
  | { readonly status: "conflict" };

/** Records by key. Every method rejects when the store cannot be asked; then the change may have happened or not. */
export interface RecordStore {
  load(key: string): Promise<StoredRecord | undefined>;
  /** Writes a record whole, whatever was there. */
  create(key: string, fields: ReadonlyMap<string, string>, ttlMs: number): Promise<void>;
  patch(key: string, patch: Patch): Promise<PatchOutcome>;
  /** Drops a record; whether it was there. */
  remove(key: string): Promise<boolean>;
}

/** Records, and which of them belong to whom. */
export interface SessionStore extends RecordStore {
  /** Adds `key` to the records of `owner`, which are remembered for at least `ttlMs` more; answers how many there are. */
  link(owner: string, key: string, ttlMs: number): Promise<number>;
  unlink(owner: string, keys: readonly string[]): Promise<void>;
  /** Keys linked to `owner`, in no order; some may have no record any more. */
  linked(owner: string): Promise<readonly string[]>;
  /** Remembers for `ttlMs` that the records of `owner` are being ended, under a name never used before. */
  noteRevocation(owner: string, name: string, ttlMs: number): Promise<void>;
  /** The name noted last; undefined when none is remembered. */
  revocation(owner: string): Promise<string | undefined>;
}

/** The outcome of a patch that added nothing and had no condition. */
export function applied(
  written: ReadonlySet<string> = new Set(),
  sums: ReadonlyMap<string, number> = new Map(),
  notNumbers: readonly string[] = [],
): PatchOutcome {
  return { status: "applied", written, sums, notNumbers };
}

/** Whole number of a stored text, undefined when it is none. */
export function wholeNumber(text: string): number | undefined {
  if (!/^-?\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Applies a patch to fields in memory: the meaning that every store shares. `fields` is changed in place. */
export function applyPatch(fields: Map<string, string>, patch: Patch): PatchOutcome {
  const written = new Set<string>();
  const sums = new Map<string, number>();
  const notNumbers: string[] = [];
  for (const [name, text] of patch.set ?? []) fields.set(name, text);
  for (const [name, text] of patch.setIfAbsent ?? []) {
    if (fields.has(name)) continue;
    fields.set(name, text);
    written.add(name);
  }
  for (const [name, by] of patch.add ?? []) {
    const sum = (wholeNumber(fields.get(name) ?? "0") ?? Number.NaN) + by;
    if (!Number.isSafeInteger(sum)) {
      notNumbers.push(name);
      continue;
    }
    fields.set(name, String(sum));
    sums.set(name, sum);
  }
  for (const name of patch.remove ?? []) fields.delete(name);
  return applied(written, sums, notNumbers);
}
