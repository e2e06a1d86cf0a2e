/** The schema of `cache`, of a rule and of the gateway. */
import type {
  CacheConfig,
  CacheDiskConfig,
  CacheKeyConfig,
  CacheQueryConfig,
  CacheStoreConfig,
} from "./cache.ts";
import { bySort, leaf, mapped, named, object, oneOrMore, type Shape } from "./shape.ts";
import { bytes, duration, flag, integer, TOKEN, text, word } from "./values.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

/** Each slice is a request to the origin: smaller ones would cost more than they spare. */
const SLICE_BYTES_MIN = 64 * KIB;

/** A year: what RFC 9111 calls a long time, and the most that HTTP's own `max-age` is used for. */
const TTL_MS_MAX = 365 * 24 * 3_600_000;

/** As many connections as a worker can have: more cannot wait. */
const WAITERS_MAX = 1_000_000;

/** Things that make up a key: more would make every response one of a kind. */
const KEY_PARTS_MAX = 32;

/** A cache as the user's file says it. */
export type CacheDraft = Partial<Omit<CacheConfig, "key">> & { readonly key?: Partial<CacheKeyConfig> };

const ttl = (): Shape<number> => duration(0, TTL_MS_MAX);

const fieldName = leaf("a header name", "string", (value: string) =>
  TOKEN.test(value) ? value.toLowerCase() : undefined,
);

const parameter = text("a name", 256);

const QUERY_EXPECTED = '"all", "none", { only: ["page"] } or { except: ["utm_source"] }';

interface QueryNames {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

const queryNames: Shape<CacheQueryConfig> = mapped(
  object<QueryNames>(
    { only: oneOrMore(parameter, KEY_PARTS_MAX), except: oneOrMore(parameter, KEY_PARTS_MAX) },
    { exactlyOne: ["only", "except"] },
  ),
  ({ only, except = [] }) =>
    only === undefined ? { kind: "except", names: except } : { kind: "only", names: only },
);

const query = bySort<CacheQueryConfig>(
  { string: mapped(word(["all", "none"]), (kind) => ({ kind })), object: queryNames },
  QUERY_EXPECTED,
);

const language = leaf('a language such as "de" or "pt-BR"', "string", (value: string) =>
  /^[a-z]{2,8}(-[a-z0-9]{1,8})*$/i.test(value) ? value.toLowerCase() : undefined,
);

const key = object<Partial<CacheKeyConfig>>({
  query,
  sortQuery: flag,
  headers: oneOrMore(fieldName, KEY_PARTS_MAX),
  cookies: oneOrMore(parameter, KEY_PARTS_MAX),
  device: flag,
  languages: oneOrMore(language, KEY_PARTS_MAX),
});

const status = leaf("a status such as 404", "string", (value: string) =>
  /^[2-5]\d\d$/.test(value) ? value : undefined,
);

type ByStatus = CacheConfig["negativeTtl"];

const oneTtl = leaf('a duration such as "10s"', "string", (value: string, place) =>
  ttl().spelling?.shape.read(value, place),
);

/** What is usually meant by "not there": asked for often, and the same for everybody. */
const NOT_THERE: readonly number[] = [404, 410];

const negativeTtl: Shape<ByStatus> = bySort<ByStatus>(
  {
    string: mapped(oneTtl, (ms) => NOT_THERE.map((code) => [code, ms] as const)),
    object: mapped(named(status, oneTtl, KEY_PARTS_MAX), (table) =>
      [...table].map(([code, ms]) => [Number(code), ms] as const),
    ),
  },
  'a duration for 404 and 410, such as "10s", or an object such as { 404: "1m", 503: "1s" }',
);

const browser = leaf('a Cache-Control such as "max-age=60"', "string", (value: string) =>
  /^[\x21-\x7e][\x20-\x7e]*$/.test(value) && value.length <= 1024 ? value : undefined,
);

/** `cache` of a rule; `true` is `{}`, `false` is none. */
export const cache: Shape<CacheDraft | false> = bySort<CacheDraft | false>(
  {
    boolean: leaf("true, false or an object", "boolean", (value: boolean) => value && {}),
    object: object<CacheDraft>({
      key,
      ttlMs: ttl(),
      defaultTtlMs: ttl(),
      heuristic: flag,
      negativeTtl,
      staleWhileRevalidateMs: ttl(),
      staleIfErrorMs: ttl(),
      graceMs: ttl(),
      softTimeoutMs: duration(0),
      waitersMax: integer({ min: 0, max: WAITERS_MAX }),
      browser,
      earlyHints: flag,
      compress: flag,
      shield: flag,
      objectBytesMax: bytes(0, TIB),
      sliceBytes: bytes(SLICE_BYTES_MIN, GIB),
      setCookie: flag,
      authorization: flag,
    }),
  },
  "an object of settings; {} keeps what the origin allows",
);

/** With less, 64 workers have no segments; more than that one index does not hold. */
const diskBytes = (): Shape<number> => bytes(128 * MIB, 128 * GIB);

const diskSize = leaf('a size such as "10GiB"', "string", (value: string, place) =>
  diskBytes().spelling?.shape.read(value, place),
);

/** `gateway.cache.disk`; "10GiB" is `{ size: "10GiB" }`. */
const disk = bySort<CacheDiskConfig>(
  {
    string: mapped(diskSize, (sizeBytes) => ({ sizeBytes })),
    object: object<CacheDiskConfig>(
      { sizeBytes: diskBytes(), folder: text("a folder", 4096) },
      { required: ["sizeBytes"] },
    ),
  },
  'a size such as "10GiB", or { size: "10GiB", folder: "/var/cache/tenfold" }',
);

/** `gateway.cache`. */
export const cacheStore: Shape<Partial<CacheStoreConfig>> = object<Partial<CacheStoreConfig>>({
  memoryBytes: bytes(8 * MIB, TIB),
  disk,
  purgeTokenFile: text("a file", 4096),
});
