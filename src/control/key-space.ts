/**
 * The keys and values of a store in memory, with the revision rules: what the journal replays into.
 *
 * A write is first planned (`plan`), then made durable by its owner, and only then applied, so that nothing is ever
 * seen that a crash could take back.
 */
import type { Cancel } from "../base/index.ts";
import type { JournalRecord } from "./journal-codec.ts";
import type { Change, Entry, Expected, WriteResult } from "./state-store.ts";

/** Changes kept for watchers that come late: a minute of a very busy controller. */
export const HISTORY_MAX = 1000;

interface Watcher {
  readonly prefix: string;
  readonly onChange: (change: Change) => void;
}

/** What a write would do: a record to make durable, or a result that needs none. */
export type Planned =
  | { readonly kind: "write"; readonly record: JournalRecord & { readonly key: string } }
  | { readonly kind: "settled"; readonly result: WriteResult };

/** The state of one store. Single-threaded: plan and apply come in turns. */
export class KeySpace {
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<Watcher>();
  #history: Exclude<Change, { kind: "lost" }>[] = [];
  #forgottenUpTo = 0;
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Entries under a prefix in order of key. O(n log n) in the size of the store, which is small. */
  list(prefix: string): Entry[] {
    const found = [...this.#entries.values()].filter((entry) => entry.key.startsWith(prefix));
    return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** What writing `value` (undefined = delete) would take. */
  plan(key: string, value: string | undefined, expected: Expected): Planned {
    const actual = this.#entries.get(key)?.revision ?? 0;
    if (expected !== "any" && expected !== actual) {
      return { kind: "settled", result: { kind: "conflict", actual } };
    }
    if (value === undefined && actual === 0) {
      return { kind: "settled", result: { kind: "done", revision: this.#revision } };
    }
    const revision = this.#revision + 1;
    return { kind: "write", record: value === undefined ? { revision, key } : { revision, key, value } };
  }

  /** Makes a durable record visible, and tells the watchers. */
  apply(record: JournalRecord): void {
    this.#revision = Math.max(this.#revision, record.revision);
    if (record.key === undefined) return;
    const change = this.#store(record.key, record);
    this.#remember(change);
    for (const watcher of this.#watchers) {
      if (record.key.startsWith(watcher.prefix)) watcher.onChange(change);
    }
  }

  #store(key: string, record: JournalRecord): Exclude<Change, { kind: "lost" }> {
    const { revision, value } = record;
    if (value === undefined) {
      this.#entries.delete(key);
      return { kind: "delete", key, revision };
    }
    const entry = { key, value, revision };
    this.#entries.set(key, entry);
    return { kind: "put", entry };
  }

  #remember(change: Exclude<Change, { kind: "lost" }>): void {
    this.#history.push(change);
    if (this.#history.length <= HISTORY_MAX) return;
    const forgotten = this.#history.slice(0, HISTORY_MAX / 2).at(-1);
    this.#history = this.#history.slice(HISTORY_MAX / 2);
    this.#forgottenUpTo = forgotten === undefined ? this.#forgottenUpTo : revisionOf(forgotten);
  }

  /** Forgets all changes so far: after a replay only what stands is known, not how it came about. */
  forgetHistory(): void {
    this.#history = [];
    this.#forgottenUpTo = this.#revision;
  }

  watch(prefix: string, fromRevision: number, onChange: (change: Change) => void): Cancel {
    if (fromRevision < this.#forgottenUpTo) onChange({ kind: "lost", revision: this.#revision });
    else this.#catchUp(prefix, fromRevision, onChange);
    const watcher = { prefix, onChange };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #catchUp(prefix: string, fromRevision: number, onChange: (change: Change) => void): void {
    for (const change of this.#history) {
      if (revisionOf(change) > fromRevision && keyOf(change).startsWith(prefix)) onChange(change);
    }
  }

  /** The fewest records that say the same: a mark with the revision, then each entry at its own. */
  compacted(): JournalRecord[] {
    const entries = [...this.#entries.values()].toSorted((a, b) => a.revision - b.revision);
    return [{ revision: this.#revision }, ...entries];
  }
}

function revisionOf(change: Exclude<Change, { kind: "lost" }>): number {
  return change.kind === "put" ? change.entry.revision : change.revision;
}

function keyOf(change: Exclude<Change, { kind: "lost" }>): string {
  return change.kind === "put" ? change.entry.key : change.key;
}
