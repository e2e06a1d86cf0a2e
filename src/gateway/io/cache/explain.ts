/**
 * What the cache would do with a request now, and why: by the very code that workers decide with, on what stands in the
 * store at this moment. Changes nothing; without a store it is what the config says alone.
 */
import {
  ageMs,
  type Decision,
  decide,
  FLAG,
  freshForMs,
  type KeyPlace,
  matchesVariant,
  NOT_KEPT,
  type NotKept,
  type Store,
  StoredResponse,
  writeKey,
} from "../../../edge/index.ts";
import { text } from "../../../http/index.ts";
import type { RequestView } from "../../route.ts";
import { KEY_BYTES_MAX } from "./edge.ts";
import { aloneReason, ViewedRequest } from "./messages.ts";
import type { RuleCache } from "./rule-cache.ts";

/** Looks at a store that others write to, of which two must agree. */
const LOOKS_MAX = 5;

/** A stored response in figures. */
export interface StoredFacts {
  readonly status: number;
  readonly bodyBytes: number;
  readonly ageMs: number;
  /** Negative once it is stale. */
  readonly freshForMs: number;
  /** For how long past its time it is served while a fresh one is fetched, and in place of an error. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** The response says nothing of its freshness: it is a guess from Last-Modified. */
  readonly isGuess: boolean;
  readonly tags: number;
  /** Names in its Vary, with "," between; empty for none. */
  readonly vary: string;
}

/** What the cache would do. */
export interface CacheExplanation {
  /** "http://shop.example/news?page=2", and "accept-language: de" … where more than the URL counts. */
  readonly key: { readonly url: string; readonly parts: readonly string[] };
  readonly decision: {
    readonly kind: Decision["kind"];
    /** The same word as in metrics, log and Cache-Status. */
    readonly reason: string;
  };
  /** Whether there was a store to look into. */
  readonly hasLooked: boolean;
  /** What is stored for this request; absent when nothing is. */
  readonly stored?: StoredFacts;
  /** Responses stored for the key, for whatever values of the fields in Vary. */
  readonly variants: number;
  /** Why the last response was not kept, if that was in the last two minutes. */
  readonly notKept?: NotKept;
}

/** What is asked about. */
export interface CacheQuestion {
  readonly view: RequestView;
  readonly cache: RuleCache;
  /** A store that is only looked into (see `observeStore`). */
  readonly store: Store | undefined;
  readonly nowMs: number;
}

/** Explains. Undefined for an upgrade, which the cache has nothing to do with. */
export function explainCache(question: CacheQuestion): CacheExplanation | undefined {
  if (question.view.head.upgrade) return undefined;
  // Nothing that an observer sees is held for it: what two looks show alike was there.
  let last = explainOnce(question);
  for (let looks = 1; looks < LOOKS_MAX; looks++) {
    const again = explainOnce(question);
    if (Bun.deepEquals(last, again)) return again;
    last = again;
  }
  return last;
}

function explainOnce({ view, cache, store, nowMs }: CacheQuestion): CacheExplanation {
  const viewed = new ViewedRequest(view);
  const bytes = new Uint8Array(KEY_BYTES_MAX);
  const place = { urlStart: 0, pathEnd: 0, urlEnd: 0 };
  const end = writeKey(viewed, cache.key, bytes, place);
  const base = { key: wordsOf(bytes, place, end), hasLooked: store !== undefined, variants: 0 };
  if (hasBody(view)) return { ...base, decision: { kind: "bypass", reason: "request-body" } };
  if (end < 0) return { ...base, decision: { kind: "bypass", reason: "key-too-long" } };
  const seen = store === undefined ? NOTHING : lookInto(store, bytes, end, viewed, nowMs);
  const decision = seen.decide?.(cache) ?? decide(viewed, undefined, cache.policy, nowMs);
  store?.release();
  const alone = decision.kind === "miss" ? aloneReason(viewed, cache) : undefined;
  const { stored, variants, notKept } = seen;
  return {
    ...base,
    variants,
    decision: { kind: decision.kind, reason: alone ?? decision.reason },
    ...(stored === undefined ? {} : { stored }),
    ...(notKept === undefined ? {} : { notKept }),
  };
}

function hasBody({ head }: RequestView): boolean {
  return head.bodyKind === "chunked" || (head.bodyKind === "length" && head.contentLength > 0);
}

/** What a look showed; `decide` reads what is shown last. */
interface Seen {
  readonly variants: number;
  readonly stored?: StoredFacts;
  readonly notKept: NotKept | undefined;
  readonly decide?: (cache: RuleCache) => Decision;
}

const NOTHING: Seen = { variants: 0, notKept: undefined };

// oxlint-disable-next-line max-params -- a key of three parts, who asks, and when
function lookInto(store: Store, key: Uint8Array, end: number, viewed: ViewedRequest, nowMs: number): Seen {
  const hashHi = store.hashHigh(key, 0, end);
  const hashLo = store.hashLow(key, 0, end);
  const find = () => store.find(hashHi, hashLo, key, 0, end);
  const marked = store.markers.reasonOf(hashHi, hashLo, Math.floor(nowMs / 1000));
  const notKept = marked === undefined ? undefined : NOT_KEPT[marked];
  let variants = 0;
  for (let entry = find(); entry !== undefined; entry = store.next()) variants++;
  for (let entry = find(); entry !== undefined; entry = store.next()) {
    const shown = new StoredResponse(entry);
    if (!matchesVariant(shown, viewed)) continue;
    const decideNow = (cache: RuleCache): Decision => decide(viewed, shown, cache.policy, nowMs);
    return { variants, notKept, stored: factsOf(shown, nowMs), decide: decideNow };
  }
  return { variants, notKept };
}

function factsOf(stored: StoredResponse, nowMs: number): StoredFacts {
  return {
    status: stored.status,
    bodyBytes: stored.entry.bodyBytes,
    ageMs: ageMs(stored, nowMs),
    freshForMs: freshForMs(stored, nowMs),
    staleWhileRevalidateMs: stored.staleWhileRevalidateMs,
    staleIfErrorMs: stored.staleIfErrorMs,
    isGuess: (stored.flags & FLAG.heuristic) !== 0,
    tags: stored.entry.tagCount,
    vary: stored.varyNames,
  };
}

/** The parts that a key has beside its URL (see `writeKey`). */
const PART_WORDS: Readonly<Record<string, string>> = { h: "", c: "cookie ", d: "device", l: "language" };

/** The key as a person reads it. */
function wordsOf(bytes: Uint8Array, place: KeyPlace, end: number): CacheExplanation["key"] {
  const [scheme = ""] = text(bytes, 0, place.urlStart).split("\0");
  const url = text(bytes, place.urlStart, place.urlEnd).replace("\0", "");
  const parts = text(bytes, place.urlEnd, Math.max(end, place.urlEnd)).split("\0").slice(1);
  return { url: `${scheme}://${url}`, parts: parts.map(partWords) };
}

/** "h:accept=text/html" -> "accept: text/html"; "c:theme" -> "cookie theme: none"; "l:de" -> "language: de". */
function partWords(part: string): string {
  const kind = part.slice(0, 1);
  const rest = part.slice(2);
  const isNamed = kind === "h" || kind === "c";
  const [name = "", ...value] = isNamed ? rest.split("=") : ["", rest];
  return `${PART_WORDS[kind] ?? ""}${name}: ${value.length === 0 ? "none" : value.join("=")}`;
}
