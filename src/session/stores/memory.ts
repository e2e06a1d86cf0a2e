/**
 * Sessions in this process: for tests, and for an app that is one process and may forget its users when it stops.
 */
import { type Clock, systemClock } from "../../base/index.ts";
import { applyPatch, type SessionStore } from "../store.ts";

interface Entry {
  readonly fields: Map<string, string>;
  version: number;
  /** By the monotonic clock. */
  endsMs: number;
}

/** Entries that are looked over for expired ones as others come: so that what nobody asks for goes too. */
const SWEPT_PER_WRITE = 8;

/** A store in memory. */
export interface MemoryStore extends SessionStore {
  /** Records held, expired ones included. */
  size(): number;
}

/** A store in memory. Expired records are dropped when met, and a few at each create. */
export function memoryStore(clock: Clock = systemClock): MemoryStore {
  const records = new Map<string, Entry>();
  const owners = new Map<string, Set<string>>();
  const revocations = new Map<string, { readonly name: string; readonly endsMs: number }>();

  const live = (key: string): Entry | undefined => {
    const entry = records.get(key);
    if (entry === undefined || entry.endsMs > clock.nowMs()) return entry;
    records.delete(key);
    return undefined;
  };
  const sweep = <E extends { readonly endsMs: number }>(entries: Map<string, E>): void => {
    let left = SWEPT_PER_WRITE;
    for (const [key, entry] of entries) {
      if (left-- === 0) return;
      entries.delete(key);
      // Put back at the end, so that the next sweep looks at others.
      if (entry.endsMs > clock.nowMs()) entries.set(key, entry);
    }
  };

  return {
    load: async (key) => {
      const entry = live(key);
      return entry && { fields: new Map(entry.fields), version: String(entry.version) };
    },
    create: async (key, fields, ttlMs) => {
      sweep(records);
      const version = (records.get(key)?.version ?? 0) + 1;
      records.set(key, { fields: new Map(fields), version, endsMs: clock.nowMs() + ttlMs });
    },
    patch: async (key, patch) => {
      const entry = live(key);
      if (entry === undefined) return { status: "gone" };
      if (patch.ifVersion !== undefined && patch.ifVersion !== String(entry.version))
        return { status: "conflict" };
      entry.endsMs = clock.nowMs() + patch.ttlMs;
      entry.version++;
      return applyPatch(entry.fields, patch);
    },
    remove: async (key) => live(key) !== undefined && records.delete(key),
    link: async (owner, key) => {
      const keys = owners.get(owner) ?? new Set();
      owners.set(owner, keys.add(key));
      return keys.size;
    },
    unlink: async (owner, keys) => {
      const linked = owners.get(owner);
      for (const key of keys) linked?.delete(key);
      if (linked?.size === 0) owners.delete(owner);
    },
    linked: async (owner) => [...(owners.get(owner) ?? [])],
    noteRevocation: async (owner, name, ttlMs) => {
      sweep(revocations);
      revocations.set(owner, { name, endsMs: clock.nowMs() + ttlMs });
    },
    revocation: async (owner) => {
      const noted = revocations.get(owner);
      return noted !== undefined && noted.endsMs > clock.nowMs() ? noted.name : undefined;
    },
    size: () => records.size,
  };
}
