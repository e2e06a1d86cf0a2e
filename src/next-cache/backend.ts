/**
 * What the Next.js handler needs of a shared cache: entries as bytes, and marks on tags.
 *
 * Every invalidation takes the next number of one sequence. An entry carries the number that was current when its
 * rendering began; a tag that was marked later than that makes it old. So an invalidation that comes while a page is
 * rendered counts, and no clock of a server matters.
 */

/** When a tag was marked last, as numbers of the sequence; 0 for never. */
export interface TagMark {
  /** Entries from before are not used at all. */
  readonly expired: number;
  /** Entries from before are used while a new one is made … */
  readonly stale: number;
  /** … until then (wall clock, ms; 0 for without end). */
  readonly staleUntilMs: number;
}

/** What a read gives. */
export interface BackendRead {
  readonly entry: Uint8Array | undefined;
  /** The number of the last invalidation. */
  readonly sequence: number;
  /** Names the marks' history. Another one means that marks were lost: what was stored before cannot be trusted. */
  readonly epoch: string;
}

/** How tags are marked. */
export type TagChange =
  | { readonly kind: "expire" }
  /** `untilMs`: wall clock; 0 for without end. */
  | { readonly kind: "stale"; readonly untilMs: number };

/** A shared cache. Methods reject when it cannot be asked; the handler then does without. */
export interface NextCacheBackend {
  read(key: string): Promise<BackendRead>;
  write(key: string, entry: Uint8Array, ttlMs: number): Promise<void>;
  remove(key: string): Promise<void>;
  /** One mark per tag, in order. */
  marks(tags: readonly string[]): Promise<readonly TagMark[]>;
  /** Takes the next number and marks the tags with it, in one go. */
  mark(tags: readonly string[], change: TagChange): Promise<void>;
  /** Invalidates everything. */
  forget(): Promise<void>;
}

/** A tag that was never marked. */
export const UNMARKED: TagMark = { expired: 0, stale: 0, staleUntilMs: 0 };

/** A cache in this process: for tests and for a single instance. Holds everything it is given, until it expires. */
export function memoryBackend(): NextCacheBackend {
  const entries = new Map<string, Uint8Array>();
  const marks = new Map<string, TagMark>();
  let sequence = 0;
  return {
    read: async (key) => ({ entry: entries.get(key), sequence, epoch: "memory" }),
    write: async (key, entry) => void entries.set(key, entry),
    remove: async (key) => void entries.delete(key),
    marks: async (tags) => tags.map((tag) => marks.get(tag) ?? UNMARKED),
    mark: async (tags, change) => {
      sequence++;
      for (const tag of tags) marks.set(tag, markedWith(marks.get(tag) ?? UNMARKED, change, sequence));
    },
    forget: async () => entries.clear(),
  };
}

/** A tag's mark after a change that has this number. */
export function markedWith(mark: TagMark, change: TagChange, sequence: number): TagMark {
  return change.kind === "expire"
    ? { ...mark, expired: sequence }
    : { ...mark, stale: sequence, staleUntilMs: change.untilMs };
}
