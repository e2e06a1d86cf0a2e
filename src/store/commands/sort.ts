/** SORT: lists, sets and sorted sets, by themselves or by what other keys hold. */
import { bytesOf, latin1 } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type Command, type CommandTable, ONE_KEY, row } from "../command.ts";
import { type Keyspace, TYPE } from "../keyspace.ts";
import { parseDouble } from "../numbers.ts";
import { ERR } from "../replies.ts";
import { Hashes } from "../values/hashes.ts";
import { Lists } from "../values/lists.ts";
import { Sets } from "../values/sets.ts";
import { SortedSets } from "../values/sorted-sets.ts";
import { signalReady } from "./keys.ts";

const list = new Lists();
const set = new Sets();
const zset = new SortedSets();
const hash = new Hashes();

interface SortOptions {
  by: string | undefined;
  readonly gets: string[];
  first: number;
  /** Below zero: all. */
  count: number;
  descending: boolean;
  alpha: boolean;
  /** Place of the key that takes the result; 0 for none. */
  store: number;
}

/** Words that take arguments, and how many. */
const TAKES: Readonly<Record<string, number>> = { BY: 1, GET: 1, STORE: 1, LIMIT: 2 };

function sortOptions(call: Call): SortOptions | undefined {
  const options: SortOptions = {
    by: undefined,
    gets: [],
    first: 0,
    count: -1,
    descending: false,
    alpha: false,
    store: 0,
  };
  for (let place = 2; place < call.count; place++) {
    const word = call.word(place);
    const takes = TAKES[word] ?? 0;
    if (word === "ASC") options.descending = false;
    else if (word === "DESC") options.descending = true;
    else if (word === "ALPHA") options.alpha = true;
    else if (takes === 0 || place + takes >= call.count || (word === "STORE" && !call.command.isWrite))
      return fail(call, ERR.syntax);
    else if (!takeOption(call, options, word, place + 1)) return undefined;
    place += takes;
  }
  return options;
}

/** False after an error was replied. */
function takeOption(call: Call, options: SortOptions, word: string, place: number): boolean {
  if (word === "LIMIT") {
    const [first, count] = [call.integer(place), call.integer(place + 1)];
    if (first === undefined || count === undefined) return false;
    Object.assign(options, { first, count });
    return true;
  }
  if (word === "STORE") {
    options.store = place;
    return true;
  }
  // Whoever may not read every key could read any by a pattern.
  if (call.session.user?.allKeys === false) {
    call.fail(`ERR ${word} option of SORT denied due to insufficient ACL permissions`);
    return false;
  }
  if (word === "BY") options.by = call.text(place);
  else options.gets.push(call.text(place));
  return true;
}

function fail(call: Call, error: string): undefined {
  call.fail(error);
  return undefined;
}

/** The elements in the order of their value; undefined after an error was replied. */
function elements(call: Call, { by, descending }: SortOptions): string[] | undefined {
  const { space } = call;
  const ref = call.find(1);
  const found: string[] = [];
  if (ref === 0) return found;
  const take = (bytes: Uint8Array, start: number, end: number): true => {
    found.push(latin1(bytes, start, end));
    return true;
  };
  switch (space.typeOf(ref)) {
    case TYPE.list:
      list.open(space, ref).each(0, list.length, take);
      return descending && by?.includes("*") === false ? found.toReversed() : found;
    case TYPE.set:
      set.open(space, ref).each(take);
      return found;
    case TYPE.zset:
      zset.open(space, ref);
      zset.each(descending ? zset.length - 1 : 0, zset.length, descending, take);
      return found;
    default:
      return fail(call, ERR.wrongType);
  }
}

/** What a pattern names for an element: "#" itself, "weight_*" a string, "object_*->field" of a hash; undefined for nothing. */
function lookUp(space: Keyspace, pattern: string, element: string): string | undefined {
  if (pattern === "#") return element;
  const star = pattern.indexOf("*");
  if (star < 0) return undefined;
  const arrow = pattern.indexOf("->", star + 1);
  const hasField = arrow >= 0 && arrow + 2 < pattern.length;
  const end = hasField ? arrow : pattern.length;
  const key = bytesOf(pattern.slice(0, star) + element + pattern.slice(star + 1, end));
  const ref = space.peek(key, 0, key.length);
  if (ref === 0 || space.typeOf(ref) !== (hasField ? TYPE.hash : TYPE.string)) return undefined;
  if (hasField) {
    const field = bytesOf(pattern.slice(arrow + 2));
    hash.open(space, ref);
    return hash.get(field, 0, field.length) ? latin1(hash.bytes, hash.start, hash.end) : undefined;
  }
  const { dict } = space;
  dict.open(ref);
  return latin1(dict.bytes, dict.valueStart, dict.valueEnd);
}

interface Weighed {
  readonly element: string;
  readonly text: string | undefined;
  readonly score: number;
}

/** As C's strtod: a zero byte ends a text, and nothing is zero. */
function scoreOf(text: string | undefined): number | undefined {
  const trimmed = text?.split("\0", 1)[0]?.trimStart() ?? "";
  return trimmed === "" ? 0 : parseDouble(trimmed);
}

function inOrder(call: Call, found: readonly string[], options: SortOptions): string[] | undefined {
  const { by, alpha, descending } = options;
  const weighed: Weighed[] = [];
  for (const element of found) {
    const text = by === undefined ? element : lookUp(call.space, by, element);
    const score = alpha ? 0 : scoreOf(text);
    if (score === undefined) return fail(call, "ERR One or more scores can't be converted into double");
    weighed.push({ element, text, score });
  }
  const sign = descending ? -1 : 1;
  const compare = (a: Weighed, b: Weighed): number => {
    if (alpha) return sign * compareTexts(a.text, b.text);
    return sign * (a.score === b.score ? compareTexts(a.element, b.element) : a.score < b.score ? -1 : 1);
  };
  return weighed.toSorted(compare).map(({ element }) => element);
}

/** Byte by byte; what is missing comes first. */
function compareTexts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  return a < b ? -1 : 1;
}

function sort(call: Call): void {
  const options = sortOptions(call);
  if (options === undefined) return;
  const found = elements(call, options);
  if (found === undefined) return;
  const isSet = call.find(1) !== 0 && call.space.typeOf(call.find(1)) === TYPE.set;
  // A pattern without a star asks for no order. A set has none, and what is stored must be the same when the log is read again.
  const unordered = options.by !== undefined && !options.by.includes("*");
  const needsOrder = unordered && isSet && options.store > 0;
  const sorted =
    unordered && !needsOrder
      ? found
      : inOrder(call, found, needsOrder ? { ...options, by: undefined, alpha: true } : options);
  if (sorted === undefined) return;
  const first = Math.min(Math.max(options.first, 0), sorted.length);
  const chosen = sorted.slice(first, options.count < 0 ? undefined : first + options.count);
  const { gets } = options;
  const results =
    gets.length === 0
      ? chosen
      : chosen.flatMap((element) => gets.map((pattern) => lookUp(call.space, pattern, element)));
  if (options.store > 0) return storeResults(call, options.store, results);
  call.out.array(results.length);
  for (const result of results) {
    if (result === undefined) call.out.null();
    else call.out.bulkText(result);
  }
}

function storeResults(call: Call, place: number, results: readonly (string | undefined)[]): void {
  const { space, bytes } = call;
  const existing = call.find(place);
  if (existing !== 0) space.remove(existing);
  if (results.length > 0) {
    call.find(place);
    list.open(space, space.addPacked(TYPE.list, bytes, call.start(place), call.end(place)));
    for (const result of results) {
      const value = bytesOf(result ?? "");
      list.push(false, value, 0, value.length);
    }
    signalReady(call, space, place);
  }
  if (existing !== 0 || results.length > 0) call.changed(place);
  call.out.integer(results.length);
}

/** The key that is sorted, and the one that STORE names. */
function keysOf(call: Call): readonly number[] {
  let store = 0;
  for (let place = 2; place < call.count; place++) {
    const word = call.word(place);
    if (word === "STORE" && place + 1 < call.count) store = place + 1;
    place += TAKES[word] ?? 0;
  }
  return store === 0 ? [1] : [1, store];
}

const SORT_ROW: Command = row(-2, "write denyoom movablekeys", ONE_KEY, "set sortedset list dangerous", sort);

/** SORT and SORT_RO. */
export const SORT: CommandTable = {
  sort: { ...SORT_ROW, keysOf },
  sort_ro: row(-2, "readonly movablekeys", ONE_KEY, "set sortedset list dangerous", sort),
};
