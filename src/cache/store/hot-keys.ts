/** Keys that are asked for far more often than others, by a sketch of the last ten thousand or so requests. */
import { murmur3String } from "../../base/index.ts";
import { Sketch } from "../eviction/sketch.ts";

/** The sketch forgets half after ten times as many requests. */
const SKETCH_ENTRIES = 1024;
/** Asked for so often among them: at least about one request in a thousand. */
const HOT_COUNT = 12;
const SEED = 0x686f_7473;

/** Counts requests. */
export class HotKeys {
  readonly #sketch: Sketch = new Sketch();

  constructor() {
    this.#sketch.ensure(SKETCH_ENTRIES);
  }

  /** Counts one request; whether the key is hot. */
  ask(key: string): boolean {
    const hash = murmur3String(key, SEED);
    this.#sketch.add(hash);
    return this.#sketch.count(hash) >= HOT_COUNT;
  }
}
