/**
 * What a process knew of the invalidations, and since when: so that a value made from some moment on can be told which
 * invalidations it has seen. Only this process's own clock is compared with itself.
 */

/** A place in the history of invalidations. */
export interface Known {
  /** The number of the last invalidation. */
  readonly sequence: number;
  /** Names the history: after marks were lost it is another one. */
  readonly epoch: string;
}

/** What was known when. */
export interface Timeline {
  /** `known` was answered by the cache at `atMs`: what begins from then on has seen every change up to it. */
  note(known: Known, atMs: number): void;
  /** The newest that was known at that time; undefined when nothing was, or it is too long ago. */
  at(ms: number): Known | undefined;
}

/** Changes that are remembered: at a thousand invalidations per second, those of four seconds. */
const CHANGES_MAX = 4096;

/** An empty timeline. Answers that arrive late, with an older number than was known already, change nothing. */
export function timeline(): Timeline {
  let changes: { readonly known: Known; readonly atMs: number }[] = [];
  return {
    note: (known, atMs) => {
      const last = changes.at(-1)?.known;
      if (last !== undefined && last.epoch !== known.epoch) changes = [];
      else if (last !== undefined && last.sequence >= known.sequence) return;
      changes.push({ known, atMs });
      if (changes.length > CHANGES_MAX) changes.shift();
    },
    at: (ms) => changes.findLast(({ atMs }) => atMs <= ms)?.known,
  };
}
