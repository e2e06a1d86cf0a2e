/** Values of the recent past, as the models need them: a mean or a maximum over a span that ends now. */

interface Entry {
  readonly atMs: number;
  readonly value: number;
}

/** Values no older than `windowMs`. Entries are given in order of time. */
export class TimeWindow {
  readonly #windowMs: number;
  #entries: readonly Entry[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Adds a value and forgets those that are `windowMs` old. */
  add(value: number, nowMs: number): void {
    this.forget(nowMs);
    this.#entries = [...this.#entries, { atMs: nowMs, value }];
  }

  /** Forgets what is `windowMs` old. */
  forget(nowMs: number): void {
    this.#entries = this.#entries.filter(({ atMs }) => atMs > nowMs - this.#windowMs);
  }

  /** The values that are left, oldest first. */
  values(): readonly number[] {
    return this.#entries.map(({ value }) => value);
  }
}

/** Mean of the values; undefined when there are none. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
