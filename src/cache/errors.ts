/** What the app cache refuses or fails with. The loader's own errors go to the caller as they are. */
import { defineErrors, type ErrorRow } from "../base/index.ts";

/** Code -> row. */
export const CACHE_ERRORS: Readonly<Record<CacheErrorCode, ErrorRow>> = defineErrors({
  "load-timeout": {
    status: 504,
    fault: "upstream",
    retry: "yes",
    message: "the loader did not finish within the hard timeout",
    mend: "give the loader's own calls a timeout (it gets an AbortSignal), raise `hardTimeout`, or allow `grace`",
  },
  "load-undefined": {
    status: 500,
    fault: "downstream",
    retry: "no",
    message: "the loader returned undefined, which cannot be told from a missing value",
    mend: "return null for what does not exist, or set `negativeTtl` to remember that it does not",
  },
  "batch-incomplete": {
    status: 500,
    fault: "downstream",
    retry: "no",
    message: "the batch loader did not return a Map",
    mend: "return a Map from key to value; keys that do not exist may be left out",
  },
  "key-refused": {
    status: 500,
    fault: "downstream",
    retry: "no",
    message: "a key must be a text of at most 65,536 characters",
    mend: "make the key a text, such as `user:${id}`; of what is longer take a hash",
  },
  "value-unwritable": {
    status: 500,
    fault: "downstream",
    retry: "no",
    message: "the value cannot be written for the shared store",
    mend: "give plain data, without functions, BigInts and circles, or a `serializer` that can write it",
  },
  "write-refused": {
    status: 500,
    fault: "downstream",
    retry: "no",
    message: "the source cannot be written to",
    mend: "give the source a `store` function, or use a strategy that only reads",
  },
  "write-buffer-full": {
    status: 503,
    fault: "upstream",
    retry: "yes",
    message: "too many writes wait for the source, and none of them got through in time",
    mend: "see why the source is slow or down (`lag`), or raise `bufferMax`",
  },
  "write-log-failed": {
    status: 503,
    fault: "internal",
    retry: "yes",
    message: "the write could not be made durable, so it was not accepted",
    mend: "see the cause: most often the disk is full or the folder is not writable",
  },
  "cache-closed": {
    status: 503,
    fault: "downstream",
    retry: "no",
    message: "the cache was closed",
    mend: "close it last, after whatever uses it",
  },
  "cache-server-down": {
    status: 503,
    fault: "upstream",
    retry: "yes",
    message: "the cache server did not answer, or is not asked for now because it did not before",
    mend: "nothing at once: values are loaded without it; see that the server runs and is near",
  },
});

/** Code of an error; the same in logs, metrics and docs/errors.md. */
export type CacheErrorCode =
  | "batch-incomplete"
  | "cache-closed"
  | "cache-server-down"
  | "key-refused"
  | "load-timeout"
  | "load-undefined"
  | "value-unwritable"
  | "write-buffer-full"
  | "write-log-failed"
  | "write-refused";

/** An error of the cache itself. */
export class CacheError extends Error {
  readonly code: CacheErrorCode;

  /** `about` says which key or file; `cause` is the error behind it. */
  constructor(code: CacheErrorCode, about: string, cause?: unknown) {
    super(`${CACHE_ERRORS[code].message} (${about}): ${CACHE_ERRORS[code].mend}`, { cause });
    this.name = "CacheError";
    this.code = code;
  }
}

/** Longest key. What is longer was meant to be hashed: a key is held in memory as often as it is told. */
const KEY_CHARS_MAX = 65_536;

/** Characters of a key that an error shows. */
const KEY_SHOWN = 100;

/** A key as errors name it. */
export function aboutKey(key: string): string {
  return `key "${key.length > KEY_SHOWN ? `${key.slice(0, KEY_SHOWN)}…` : key}"`;
}

/** What is wrong with a key, as an error; undefined when it can be one. */
export function keyProblem(key: unknown): CacheError | undefined {
  if (typeof key === "string" && key.length <= KEY_CHARS_MAX) return undefined;
  return new CacheError(
    "key-refused",
    typeof key === "string" ? `${key.length} characters` : `of type ${typeof key}`,
  );
}
