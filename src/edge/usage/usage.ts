/**
 * What stored responses are used for: who takes how much of the memory, and how often it was asked for again.
 *
 * One look at each response, in portions, so that whoever looks can do other work between two of them. Keys are spread
 * over the buckets by their hash, so the first buckets of a store are a fair sample of all of them.
 */
import type { Entry, Store } from "../store/index.ts";
import { StoredResponse } from "../stored-response.ts";
import { contentTypeOf, foldersOf, isForm, OTHERS, type StoredUrl, sizeClassOf, urlOf } from "./groups.ts";

/** Folders, types and the like that are told apart by each of the ways to group; what comes later is "others". */
const GROUPS_MAX = 2000;

/** What responses of one group take and give. */
export interface Use {
  /** Compressed forms are not counted, their bytes and hits are. */
  readonly responses: number;
  /** Memory, keys and headers included. */
  readonly bytes: number;
  /** Clients that were sent one of them. */
  readonly hits: number;
  /** Bytes that those got, as if each took the whole. */
  readonly hitBytes: number;
  /** Responses that have been here for long enough to be judged. */
  readonly settled: number;
  /** Of those, the ones that nobody asked for again. */
  readonly unasked: number;
  /** The memory that they take. */
  readonly unaskedBytes: number;
  /** Hits and their bytes of those that are settled, per second: each by its own time here. */
  readonly hitsPerS: number;
  readonly hitBytesPerS: number;
}

/** The use of a group. */
export interface NamedUse extends Use {
  readonly name: string;
}

/** The use of a folder, and the rules whose responses it has. */
export interface FolderUse extends NamedUse {
  readonly rules: readonly string[];
}

/** The use of a whole store. Groups with most bytes first. */
export interface CacheUsage {
  /** Share of the store that was looked at, 0..1; the numbers are those of what was looked at. */
  readonly looked: number;
  /** Age from which on a response is settled, in seconds. */
  readonly settleS: number;
  readonly all: Use;
  readonly rules: readonly NamedUse[];
  readonly folders: readonly FolderUse[];
  readonly types: readonly NamedUse[];
  readonly sizes: readonly NamedUse[];
}

type Sums = { -readonly [K in keyof Use]: Use[K] };

/** Whose rule a response is, by its URL. */
export type RuleOf = (url: StoredUrl) => string;

/** The sums of one look, by every way to group. */
export class UsageTally {
  readonly #settleS: number;
  readonly #nowS: number;
  readonly #ruleOf: RuleOf;
  readonly #all = nothing();
  readonly #rules = new Map<string, Sums>();
  readonly #folders = new Map<string, Sums>();
  readonly #types = new Map<string, Sums>();
  readonly #sizes = new Map<string, Sums>();
  readonly #rulesOfFolder = new Map<string, Set<string>>();
  #buckets = 0;

  /** `nowS` is the time since the epoch. */
  constructor(settleS: number, nowS: number, ruleOf: RuleOf) {
    this.#settleS = settleS;
    this.#nowS = nowS;
    this.#ruleOf = ruleOf;
  }

  /** Looks at the next `buckets` of the store. False when all have been looked at. */
  look(store: Store, buckets: number): boolean {
    const from = this.#buckets;
    const to = Math.min(store.sizes.buckets, from + buckets);
    store.walk(
      (entry) => {
        if (!store.isForgotten) this.#add(entry);
      },
      from,
      to,
    );
    this.#buckets = to;
    return to < store.sizes.buckets;
  }

  /** What came of it. */
  usage({ sizes: { buckets } }: Store): CacheUsage {
    return {
      looked: this.#buckets / buckets,
      settleS: this.#settleS,
      all: { ...this.#all },
      rules: sorted(this.#rules),
      folders: sorted(this.#folders).map((use) => ({
        ...use,
        rules: [...(this.#rulesOfFolder.get(use.name) ?? [])].toSorted(),
      })),
      types: sorted(this.#types),
      sizes: sorted(this.#sizes),
    };
  }

  #add(entry: Entry): void {
    const use = this.#useOf(entry);
    const url = urlOf(entry);
    const rule = this.#ruleOf(url);
    add(this.#all, use);
    add(groupOf(this.#rules, rule), use);
    add(groupOf(this.#types, contentTypeOf(entry)), use);
    add(groupOf(this.#sizes, sizeClassOf(entry.bodyBytes)), use);
    for (const folder of foldersOf(url)) {
      add(groupOf(this.#folders, folder), use);
      if (!this.#folders.has(folder)) continue;
      const rules = this.#rulesOfFolder.get(folder) ?? new Set();
      this.#rulesOfFolder.set(folder, rules.add(rule));
    }
  }

  #useOf(entry: Entry): Use {
    const { hits, storedBytes, headBytes, bodyBytes } = entry;
    const isPlain = !isForm(entry);
    const ageS = this.#nowS - entry.firstStoredAtS;
    const isSettled = ageS >= this.#settleS;
    const isJudged = isPlain && isSettled;
    // Where clients get a compressed form the response itself has no hits, but it was looked up.
    const hasForms = entry.access > 0 && new StoredResponse(entry).isCompressible;
    const isUnasked = isJudged && hits === 0 && !hasForms;
    const hitBytes = hits * (headBytes + bodyBytes);
    return {
      responses: isPlain ? 1 : 0,
      bytes: storedBytes,
      hits,
      hitBytes,
      settled: isJudged ? 1 : 0,
      unasked: isUnasked ? 1 : 0,
      unaskedBytes: isUnasked ? storedBytes : 0,
      hitsPerS: isSettled ? hits / Math.max(1, ageS) : 0,
      hitBytesPerS: isSettled ? hitBytes / Math.max(1, ageS) : 0,
    };
  }
}

function nothing(): Sums {
  return {
    responses: 0,
    bytes: 0,
    hits: 0,
    hitBytes: 0,
    settled: 0,
    unasked: 0,
    unaskedBytes: 0,
    hitsPerS: 0,
    hitBytesPerS: 0,
  };
}

function groupOf(groups: Map<string, Sums>, wanted: string): Sums {
  const name = groups.has(wanted) || groups.size < GROUPS_MAX ? wanted : OTHERS;
  const found = groups.get(name) ?? nothing();
  groups.set(name, found);
  return found;
}

function add(sums: Sums, use: Use): void {
  for (const key of Object.keys(sums) as (keyof Use)[]) sums[key] += use[key];
}

function sorted(groups: ReadonlyMap<string, Sums>): NamedUse[] {
  return [...groups]
    .map(([name, sums]) => ({ name, ...sums }))
    .toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}
