/** Statements that look like reads and that replicas have refused: bounded, the oldest are forgotten. */

import { memoized } from "../../base/index.ts";
import { templateOf } from "../../sql/index.ts";

/** Templates remembered: an app has few of them, and one that is forgotten costs a trip to a replica. */
const TEMPLATES_MAX = 1000;

/** Texts whose templates are at hand. */
const TEXTS_MAX = 2000;

export class Writers {
  readonly #templates = new Set<string>();
  readonly #templateOf = memoized(TEXTS_MAX, templateOf);

  get size(): number {
    return this.#templates.size;
  }

  /** A replica has refused it. */
  add(text: string): void {
    const template = this.#templateOf(text);
    this.#templates.delete(template);
    this.#templates.add(template);
    if (this.#templates.size <= TEMPLATES_MAX) return;
    for (const oldest of this.#templates) {
      this.#templates.delete(oldest);
      return;
    }
  }

  has(text: string): boolean {
    return this.#templates.size > 0 && this.#templates.has(this.#templateOf(text));
  }
}
