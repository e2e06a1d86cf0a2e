/** What a caller may say about a value: lifetimes, tags, timeouts; parsed from what people write. */
import { explainDuration, parseDurationMs } from "../base/index.ts";

/** "250ms", "30s", "5m", "1h30m", or a number of milliseconds. */
export type Duration = string | number;

/** What may be said per cache, and per call. */
export interface TermsInput {
  /** How long a value is fresh. Default "5m". */
  readonly ttl?: Duration | undefined;
  /** Part of `ttl` by which it strays at random, so that what was set together does not expire together. Default 0.1. */
  readonly jitter?: number | undefined;
  /** How long after that it may be served stale, while a load is slow or fails. Default 0. */
  readonly grace?: Duration | undefined;
  /** How long a call waits for a load when there is a stale value: 0 never waits. Default "1s". */
  readonly softTimeout?: Duration | undefined;
  /** How long a load may take. Default "10s". */
  readonly hardTimeout?: Duration | undefined;
  /** How long it is remembered that something does not exist (null or undefined). Default: null as `ttl`, undefined is an error. */
  readonly negativeTtl?: Duration | undefined;
  /** Early refresh: 1 is the optimum for equal costs, 0 turns it off. Default 1. */
  readonly beta?: number | undefined;
  /** What the value depends on. A function gets the value. */
  readonly tags?: readonly string[] | ((value: never) => readonly string[]) | undefined;
}

/** The same in milliseconds, all there. */
export interface Terms {
  readonly ttlMs: number;
  readonly jitter: number;
  readonly graceMs: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly negativeTtlMs: number | undefined;
  readonly beta: number;
  readonly tags: readonly string[] | ((value: never) => readonly string[]);
}

/** What holds where nothing is said. */
export const DEFAULT_TERMS: Terms = {
  ttlMs: 5 * 60_000,
  jitter: 0.1,
  graceMs: 0,
  softTimeoutMs: 1000,
  hardTimeoutMs: 10_000,
  negativeTtlMs: undefined,
  beta: 1,
  tags: [],
};

/** Tags of one value. */
const TAGS_MAX = 64;
const TAG_CHARS_MAX = 256;

/**
 * Terms from what was said, `base` for the rest.
 *
 * @throws TypeError that says which and how to write it.
 */
export function parseTerms(input: TermsInput | undefined, base: Terms): Terms {
  if (input === undefined) return base;
  return {
    ttlMs: durationMs(input.ttl, "ttl") ?? base.ttlMs,
    jitter: share(input.jitter, "jitter") ?? base.jitter,
    graceMs: durationMs(input.grace, "grace") ?? base.graceMs,
    softTimeoutMs: durationMs(input.softTimeout, "softTimeout") ?? base.softTimeoutMs,
    hardTimeoutMs: durationMs(input.hardTimeout, "hardTimeout") ?? base.hardTimeoutMs,
    negativeTtlMs: durationMs(input.negativeTtl, "negativeTtl") ?? base.negativeTtlMs,
    beta: factor(input.beta, "beta") ?? base.beta,
    tags: input.tags ?? base.tags,
  };
}

/** Milliseconds of a duration; undefined stays so. Throws a TypeError that names the setting. */
export function durationMs(value: Duration | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === "number" ? value : parseDurationMs(value);
  if (ms === undefined) throw new TypeError(`${name}: ${explainDuration(String(value))}`);
  if (!(ms >= 0)) throw new TypeError(`${name}: ${value} is not a time: use 0 or more`);
  return ms;
}

function factor(value: number | undefined, name: string): number | undefined {
  if (value !== undefined && !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new TypeError(`${name}: ${value} is not a factor: use 0 or more, 1 is the optimum`);
  }
  return value;
}

function share(value: number | undefined, name: string): number | undefined {
  if (value !== undefined && !(value >= 0 && value < 1)) {
    throw new TypeError(`${name}: ${value} is not a share: use 0 to less than 1`);
  }
  return value;
}

/** The tags of a value. Throws a TypeError when there are too many or one is too long. */
export function tagsOf(terms: Terms, value: unknown): readonly string[] {
  const tags = typeof terms.tags === "function" ? terms.tags(value as never) : terms.tags;
  if (tags.length > TAGS_MAX)
    throw new TypeError(`tags: ${tags.length} on one value, at most ${TAGS_MAX} are allowed`);
  for (const tag of tags) {
    if (tag === "" || tag.length > TAG_CHARS_MAX || tag.includes("\0")) {
      throw new TypeError(
        `tags: ${JSON.stringify(tag)} must have 1 to ${TAG_CHARS_MAX} characters and no NUL`,
      );
    }
  }
  return tags;
}

/** `ttlMs` made longer or shorter at random by the jitter. */
export function jittered(ttlMs: number, jitter: number, random: () => number): number {
  return ttlMs * (1 + jitter * (2 * random() - 1));
}
