/** Purge sequences: what comparing them means, and what is found by it. */

/** What the purges so far mean for one object. */
export const PURGED = { no: 0, soft: 1, hard: 2 } as const;
export type Purged = (typeof PURGED)[keyof typeof PURGED];

/**
 * After so many purges the index must be emptied (see `Purges.purge`): sequences are compared by the sign of their
 * difference, which is right while no object carries one of 2^31 purges ago.
 */
export const TURN: number = 2 ** 30;

/** Whether sequence `row` is later than `checked`; 0 is no purge at all. */
export function isLater(row: number, checked: number): boolean {
  return row !== 0 && ((row - checked) | 0) > 0;
}

/** The sequence after this one. 0 is left out: it would be no purge. */
export function nextSequence(sequence: number): number {
  return (sequence + 1) | 0 || 1;
}
