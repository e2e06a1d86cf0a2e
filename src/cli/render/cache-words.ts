/** What the cache's results and reasons mean, for who meets them for the first time. A reason is a row. */
import type { CacheResult, DiskMiss, DiskRefusal, NotKept, ReasonOf } from "../../edge/index.ts";

type Words = Readonly<Record<string, string | undefined>>;

const RESULT_WORDS: Readonly<Record<CacheResult, string>> = {
  hit: "from the cache",
  stale: "from the cache, though past its time",
  revalidated: "from the cache, after the app said that it has not changed",
  miss: "by the app",
  collapsed: "with what the app sent to another client that asked at the same time",
  bypass: "around the cache",
};

const REASON_WORDS: Readonly<Record<ReasonOf<CacheResult>, string>> = {
  fresh: "It is fresh.",
  disk: "It is fresh, and was on disk.",
  "stale-while-revalidate": "Its time is over, and a fresh one is fetched meanwhile.",
  "request-max-stale": "Its time is over, and the client takes that (max-stale).",
  "stale-if-error": "The app failed or was slow, and an older one stood in.",
  grace: "No target was healthy, and an older one stood in.",
  expired: "Its time is over, so the app is asked whether it has changed.",
  "must-revalidate": "Its time is over, and the app wants to be asked then (must-revalidate).",
  "no-cache": "The app wants to be asked each time (no-cache).",
  "request-no-cache": "The client wants the app to be asked (no-cache), as a forced reload does.",
  "request-max-age": "The client wants a younger one (max-age), as a reload does.",
  "request-min-fresh": "The client wants one that stays fresh for longer (min-fresh).",
  purged: "It was purged softly, so the app is asked first.",
  invalidated: "A change of the page made it out of date.",
  absent: "Nothing is kept for it.",
  authorization: "The client logged in, and what is kept may not be for it.",
  head: "It is a HEAD, whose answer has no body to keep.",
  range: "The client wants a part, and the whole is not there.",
  "unkeyed-header": "It has a header that may change the answer and is not in the key.",
  "waited-too-long": "The fetch of another request took too long.",
  "too-many-waiters": "As many as may wait for the fetch of another request did (`waitersMax`).",
  method: "Only GET and HEAD are answered from the cache.",
  "request-no-store": "The client wants nothing kept (no-store).",
  precondition: "Only the app can judge its condition (If-Match, If-Unmodified-Since).",
  "only-if-cached": "The client wants no fetch (only-if-cached), and nothing fit for it is kept: 504.",
  "request-body": "A request with a body is not looked up.",
  "key-too-long": "Its URL is too long for a key.",
  "too-many-looks": "It waited for other fetches again and again.",
  "too-many-slow-clients": "It is large, and too many clients are slow to take such ones.",
  lost: "It left the cache at that very moment.",
};

const NOT_KEPT_WORDS: Readonly<Record<NotKept, string>> = {
  method: "It answered a method other than GET.",
  "request-no-store": "The client wanted nothing kept (no-store).",
  partial: "It was a part of a whole (206).",
  "status-not-cacheable": "Its status means nothing without its request.",
  "must-understand": "Its status is not known here, and the app asks for that (must-understand).",
  "no-store": "The app says not to keep it (Cache-Control: no-store).",
  private: "The app says it is for one client alone (Cache-Control: private).",
  authorization: "The client logged in, and the app does not say that it is for all (public).",
  "set-cookie": "It sets a cookie, which all clients would get; `setCookie: true` allows that.",
  "vary-star": "The app says that each request has its own (Vary: *).",
  "vary-too-long": "Its Vary names too many fields.",
  "too-large": "It is larger than `objectMax`.",
  deception: "It is a page or data at a path that ends like a file.",
  "no-freshness": "The app does not say for how long it is fresh; `defaultTtl` would.",
  "no-cache": "The app wants to be asked each time, and gave no ETag or Last-Modified to ask with.",
  "already-stale":
    "It was stale when it came: a cache before this one says so, or it had no ETag or Last-Modified to ask with.",
  "head-too-long": "Its head is too long.",
  "slice-no-validator":
    "It has no strong ETag or Last-Modified, without which slices cannot be told to be of one body.",
  "slice-mismatch":
    "The app answered a request for a slice with another range, or another length, than it says.",
  "slice-changed": "It changed while it was being sent in slices.",
  "slice-unsatisfiable": "It ends before the part that was asked for (416).",
  "slice-failed": "The app answered the request for one of its later slices with an error.",
  "key-too-long": "Its URL is too long for a key.",
  "too-many-tags": "It has too many tags.",
  busy: "Other workers were storing just then; it is tried again.",
  pinned: "What lies in its place is still being sent.",
  "no-pins": "Too many were being stored at once.",
  purged: "It was purged while it came.",
  recovering: "The cache was emptied just then, after the death of a worker.",
};

const EVICTION_WORDS: Words = {
  "not-used-again": "Nobody asked for it a second time.",
  "least-used": "Others were asked for more often.",
  expired: "Its time was long over.",
  purge: "It was purged.",
  replaced: "A newer one took its place.",
  removed: "It was out of date.",
  variants: "Its URL had too many variants.",
  "bucket-full": "Too many keys fell together.",
};

/** How a request was answered, as the end of "answered …". */
export function resultWords(result: string): string {
  return (RESULT_WORDS as Words)[result] ?? result;
}

/** A sentence: why it was answered so. */
export function reasonWords(reason: string): string {
  return (REASON_WORDS as Words)[reason] ?? reason;
}

/** A sentence: why a response was not kept. */
export function notKeptWords(reason: string): string {
  return (NOT_KEPT_WORDS as Words)[reason] ?? reason;
}

/** A sentence: why a response left. */
export function evictionWords(reason: string): string {
  return EVICTION_WORDS[reason] ?? reason;
}

const DISK_MISS_WORDS: Readonly<Record<DiskMiss, string>> = {
  absent: "It is not on disk either.",
  other: "What is there is for other requests (Vary).",
  purged: "It was purged while it lay there.",
  torn: "It was not written to its end.",
  corrupt: "Its bytes are not those that were written.",
  gone: "Its file is not there any more.",
  busy: "Too many were being read at once.",
  late: "The disk took too long.",
  "io-error": "The disk reported an error.",
  stopped: "The worker was stopping.",
};

const DISK_REFUSAL_WORDS: Readonly<Record<DiskRefusal, string>> = {
  "not-used-again": "Nobody asked for it a second time.",
  "already-there": "It is there as it is.",
  "too-large": "It is larger than half a segment.",
  "key-too-long": "Its URL is too long for a key.",
  "too-many-tags": "It has too many tags.",
  rate: "More than 16MiB a second would have been written.",
  busy: "Too much was waiting for the disk.",
  "no-segment": "All segments were in use.",
  "disk-full": "The disk is full.",
  unwritable: "The folder cannot be written.",
  "io-error": "The disk reported an error.",
  stopped: "The worker was stopping.",
};

const wordsIn =
  (words: Words) =>
  (reason: string): string =>
    words[reason] ?? "";

/** Why the disk did not have a response, in a sentence. */
export const diskMissWords: (reason: string) => string = wordsIn(DISK_MISS_WORDS);

/** Why a response that left memory was not written to disk. */
export const diskRefusalWords: (reason: string) => string = wordsIn(DISK_REFUSAL_WORDS);
