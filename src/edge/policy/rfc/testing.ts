/** Builders for tests of the policy: requests, responses and stored responses made from what a test says of them. */
import type { Random } from "../../../base/index.ts";
import { below } from "../../../base/testing.ts";
import { METHOD, type MethodCode } from "../../../http/index.ts";
import type { CacheRequest, CacheResponse, Exchange } from "../message.ts";
import { type CachePolicy, DEFAULT_POLICY } from "../policy.ts";
import { FLAG, type StoredMeta } from "../stored-meta.ts";

/** When it is now in tests: a whole second. */
export const NOW_MS: number = Date.UTC(2026, 6, 1, 12, 0, 0);

/** Name in any case -> value. */
export type TestFields = Readonly<Record<string, string>>;

const CONDITIONS = ["if-none-match", "if-modified-since", "if-match", "if-unmodified-since"];

/** The date of `NOW_MS` plus so many seconds. */
export function dateAt(seconds: number): string {
  return new Date(NOW_MS + seconds * 1000).toUTCString();
}

function reader(fields: TestFields): (name: string) => string | undefined {
  const byName = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => byName.get(name);
}

/** A request for "/" with these fields; GET unless said otherwise. */
export function requestWith(
  fields: TestFields = {},
  { method = METHOD.get, target = "/" }: { readonly method?: MethodCode; readonly target?: string } = {},
): CacheRequest {
  const field = reader(fields);
  const has = (name: string): boolean => field(name) !== undefined;
  return {
    method,
    target,
    field,
    hasCacheControl: has("cache-control") || has("pragma"),
    hasConditional: CONDITIONS.some(has),
    hasRange: has("range"),
    hasAuthorization: has("authorization"),
  };
}

/** A response with these fields, 200 without a known length unless said otherwise. */
export function responseWith(fields: TestFields = {}, status = 200, bodyBytes?: number): CacheResponse {
  return { status, bodyBytes, field: reader(fields) };
}

/** A GET and its answer, which took no time, at `NOW_MS`. */
export function exchangeOf(response: CacheResponse, changes: Partial<Exchange> = {}): Exchange {
  return { request: requestWith(), response, requestWallMs: NOW_MS, responseWallMs: NOW_MS, ...changes };
}

/** The default policy with changes. */
export function policyWith(changes: Partial<CachePolicy> = {}): CachePolicy {
  return { ...DEFAULT_POLICY, ...changes };
}

/** What a test says of a stored response. */
export interface TestStored extends Partial<Omit<StoredMeta, "flags">> {
  /** How old it is at `NOW_MS`. */
  readonly ageS?: number;
  /** How long it is fresh; 60 seconds unless said otherwise. */
  readonly lifetimeS?: number;
  readonly flags?: readonly (keyof typeof FLAG)[];
}

/** A stored response that came at `NOW_MS`, with the age that it has. */
export function storedWith({
  ageS = 0,
  lifetimeS = 60,
  flags = [],
  ...changes
}: TestStored = {}): StoredMeta {
  return {
    status: 200,
    requestWallMs: NOW_MS,
    responseWallMs: NOW_MS,
    initialAgeMs: ageS * 1000,
    lifetimeMs: lifetimeS * 1000,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    dateMs: NOW_MS,
    varyNames: "",
    varyValues: "",
    contentLanguage: "",
    etag: "",
    lastModified: "",
    ...changes,
    flags: flags.reduce((bits, flag) => bits | FLAG[flag], 0),
  };
}

/** One of them. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[below(random, choices.length)] as T;
}

/** At most `max` of them, any of them several times. */
export function pickSome<T>(random: Random, choices: readonly T[], max: number): T[] {
  return Array.from({ length: below(random, max + 1) }, () => pick(random, choices));
}
