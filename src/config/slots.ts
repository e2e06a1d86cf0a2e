/**
 * Rows of the scoreboard for keys: who had one keeps it, who is new gets the next free one after the cursor.
 *
 * The cursor goes round (next fit), so a freed row rests for as long as there are others: late counts of a worker
 * that still serves the old holder do not land on a new one.
 */

/** Rows by key, and where the next search begins. */
export interface Slots {
  readonly byKey: ReadonlyMap<string, number>;
  readonly cursor: number;
}

/** Gives each of `keys` a row of 0..size-1; undefined when there are more keys than rows. O(size + keys). */
export function allocateSlots(keys: readonly string[], previous: Slots, size: number): Slots | undefined {
  if (keys.length > size) return undefined;
  const byKey = new Map<string, number>();
  for (const key of keys) {
    const kept = previous.byKey.get(key);
    if (kept !== undefined) byKey.set(key, kept);
  }
  const taken = new Set(byKey.values());
  let cursor = previous.cursor;
  for (const key of keys) {
    if (byKey.has(key)) continue;
    while (taken.has(cursor)) cursor = (cursor + 1) % size;
    byKey.set(key, cursor);
    taken.add(cursor);
    cursor = (cursor + 1) % size;
  }
  return { byKey, cursor };
}
