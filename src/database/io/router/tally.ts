/** How often something came, by a word for it. */

/** More words than there are SQLSTATEs in PostgreSQL. */
const WORDS_MAX = 512;

/** Counts by word; what comes beyond the bound counts as "other". */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(word: string): void {
    const known = this.#counts.has(word) || this.#counts.size < WORDS_MAX ? word : "other";
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }

  /** Words with their counts. */
  get entries(): readonly (readonly [string, number])[] {
    return [...this.#counts];
  }
}
