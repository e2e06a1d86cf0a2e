/** Ranges of sorted sets: by rank, by score, by member. */
import { bytesOf } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row, TWO_KEYS } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import { parseDouble } from "../numbers.ts";
import { ERR } from "../replies.ts";
import { compareBytes } from "../values/sorted-sets.ts";
import { signalReady } from "./keys.ts";
import { range } from "./lists.ts";
import { openSorted, zset } from "./sorted-sets.ts";

type By = "rank" | "score" | "lex";

/** Which part of the opened set: `[first, end)` in ascending order. */
type Span = readonly [first: number, end: number];

interface ScoreBound {
  readonly score: number;
  readonly isOpen: boolean;
}

function scoreBound(text: string): ScoreBound | undefined {
  const isOpen = text.startsWith("(");
  const score = parseDouble(isOpen ? text.slice(1) : text);
  return score === undefined ? undefined : { score, isOpen };
}

/** The span of scores between the arguments at `min` and `max`; undefined after the error was replied. */
function scoreSpan(call: Call, min: number, max: number): (() => Span) | undefined {
  const [from, to] = [scoreBound(call.text(min)), scoreBound(call.text(max))];
  if (from === undefined || to === undefined) {
    call.fail(ERR.minMax);
    return undefined;
  }
  return () => [
    zset.countWhile((score) => (from.isOpen ? score <= from.score : score < from.score)),
    zset.countWhile((score) => (to.isOpen ? score < to.score : score <= to.score)),
  ];
}

interface LexBound {
  readonly text: Uint8Array;
  /** Compared with a member: -1 stands before all, 1 behind all, 0 where its text does. */
  readonly end: -1 | 0 | 1;
  readonly isOpen: boolean;
}

function lexBound(text: string): LexBound | undefined {
  if (text === "-" || text === "+") return { text: bytesOf(""), end: text === "-" ? -1 : 1, isOpen: false };
  if (!text.startsWith("[") && !text.startsWith("(")) return undefined;
  return { text: bytesOf(text.slice(1)), end: 0, isOpen: text.startsWith("(") };
}

function lexSpan(call: Call, min: number, max: number): (() => Span) | undefined {
  const [from, to] = [lexBound(call.text(min)), lexBound(call.text(max))];
  if (from === undefined || to === undefined) {
    call.fail(ERR.lexRange);
    return undefined;
  }
  const compare = (bytes: Uint8Array, start: number, end: number, bound: LexBound): number =>
    bound.end === 0 ? compareBytes(bytes, start, end, bound.text, 0, bound.text.length) : -bound.end;
  return () => [
    zset.countWhile((_, bytes, start, end) => {
      const order = compare(bytes, start, end, from);
      return order < 0 || (order === 0 && from.isOpen);
    }),
    zset.countWhile((_, bytes, start, end) => {
      const order = compare(bytes, start, end, to);
      return order < 0 || (order === 0 && !to.isOpen);
    }),
  ];
}

function rankSpan(call: Call, from: number, to: number): ((reverse: boolean) => Span) | undefined {
  const first = call.integer(from);
  if (first === undefined) return undefined;
  const last = call.integer(to);
  if (last === undefined) return undefined;
  return (reverse) => {
    const { length } = zset;
    const [start, end] = range(first, last, length);
    return reverse ? [length - end, length - start] : [start, end];
  };
}

interface RangeOptions {
  by: By;
  reverse: boolean;
  withScores: boolean;
  offset: number;
  limit: number;
}

/** The words from `place` on; undefined after the error was replied. */
function rangeOptions(call: Call, place: number, given: Partial<RangeOptions>): RangeOptions | undefined {
  const options: RangeOptions = {
    by: "rank",
    reverse: false,
    withScores: false,
    offset: 0,
    limit: -1,
    ...given,
  };
  const isOpen = given.by === undefined && given.reverse === undefined;
  let limited = false;
  for (let at = place; at < call.count; at++) {
    const word = call.word(at);
    if (word === "WITHSCORES") options.withScores = true;
    else if (word === "BYSCORE" && isOpen) options.by = "score";
    else if (word === "BYLEX" && isOpen) options.by = "lex";
    else if (word === "REV" && isOpen) options.reverse = true;
    else if (word === "LIMIT" && at + 2 < call.count) {
      const offset = call.integer(at + 1);
      if (offset === undefined) return undefined;
      const limit = call.integer(at + 2);
      if (limit === undefined) return undefined;
      options.offset = offset;
      options.limit = limit;
      limited = true;
      at += 2;
    } else return fail(call, ERR.syntax);
  }
  if (limited && options.by === "rank")
    return fail(
      call,
      "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    );
  if (options.withScores && options.by === "lex")
    return fail(call, "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  return options;
}

function fail(call: Call, error: string): undefined {
  call.fail(error);
  return undefined;
}

/** Visits what a range command asks for, in its order; gives how many, undefined after an error was replied. */
interface Found {
  readonly options: RangeOptions;
  readonly ref: number;
  readonly first: number;
  readonly count: number;
}

/** Finds the range of the set at `key`, whose bounds are at `key + 1` and `key + 2`. */
function findRange(call: Call, key: number, given: Partial<RangeOptions>): Found | undefined {
  const options = rangeOptions(call, key + 3, given);
  if (options === undefined) return undefined;
  const { by, reverse, offset, limit } = options;
  // By score and by member the bounds are given in the order of the walk.
  const [min, max] = reverse && by !== "rank" ? [key + 2, key + 1] : [key + 1, key + 2];
  const rank = by === "rank" ? rankSpan(call, min, max) : undefined;
  const other =
    by === "rank" ? undefined : by === "score" ? scoreSpan(call, min, max) : lexSpan(call, min, max);
  const span = rank ?? other;
  if (span === undefined) return undefined;
  const ref = openSorted(call, key);
  if (ref < 0) return undefined;
  if (ref === 0 || offset < 0) return { options, ref, first: 0, count: 0 };
  const [start, end] = span(reverse);
  const left = Math.max(0, end - start - offset);
  const count = limit < 0 ? left : Math.min(left, limit);
  return { options, ref, first: reverse ? end - 1 - offset : start + offset, count };
}

function zRange(call: Call, given: Partial<RangeOptions>): void {
  const found = findRange(call, 1, given);
  if (found === undefined) return;
  const { options, first, count } = found;
  const { out } = call;
  const nested = options.withScores && out.protocol === 3;
  out.array(options.withScores && !nested ? count * 2 : count);
  if (count === 0) return;
  zset.each(first, count, options.reverse, (bytes, start, end, score) => {
    if (nested) out.array(2);
    out.bulk(bytes, start, end);
    if (options.withScores) out.double(score);
  });
}

/** A member and its score. */
export type Scored = readonly [member: Uint8Array, score: number];

/** Makes the key at `place` hold these members, or none at all. */
export function storeSorted(call: Call, place: number, members: readonly Scored[]): void {
  const { space } = call;
  const existing = call.find(place);
  if (existing !== 0) space.remove(existing);
  if (members.length > 0) {
    call.find(place);
    zset.open(space, space.addPacked(TYPE.zset, call.bytes, call.start(place), call.end(place)));
    for (const [member, score] of members) zset.set(score, member, 0, member.length);
    signalReady(call, space, place);
  }
  if (existing !== 0 || members.length > 0) call.changed(place);
  call.out.integer(members.length);
}

function zRangeStore(call: Call): void {
  for (let place = 5; place < call.count; place++)
    if (call.word(place) === "WITHSCORES") return call.fail(ERR.syntax);
  const found = findRange(call, 2, {});
  if (found === undefined) return;
  const members: Scored[] = [];
  if (found.count > 0)
    zset.each(found.first, found.count, found.options.reverse, (bytes, start, end, score) =>
      members.push([bytes.slice(start, end), score]),
    );
  storeSorted(call, 1, members);
}

function zCount(call: Call, by: "score" | "lex"): void {
  const span = by === "score" ? scoreSpan(call, 2, 3) : lexSpan(call, 2, 3);
  if (span === undefined) return;
  const ref = openSorted(call, 1);
  if (ref < 0) return;
  const [start, end] = ref === 0 ? [0, 0] : span();
  call.out.integer(Math.max(0, end - start));
}

function zRemRange(call: Call, by: By): void {
  const rank = by === "rank" ? rankSpan(call, 2, 3) : undefined;
  const other = by === "rank" ? undefined : by === "score" ? scoreSpan(call, 2, 3) : lexSpan(call, 2, 3);
  const span = rank ?? other;
  if (span === undefined) return;
  const ref = call.expectForWrite(1, TYPE.zset);
  if (ref < 0) return;
  if (ref === 0) return call.out.integer(0);
  zset.open(call.space, ref);
  const [start, end] = span(false);
  const members: Uint8Array[] = [];
  zset.each(start, end - start, false, (bytes, from, to) => members.push(bytes.slice(from, to)));
  for (const member of members) zset.delete(member, 0, member.length);
  if (zset.length === 0) call.space.remove(zset.ref);
  if (members.length > 0) call.changed(1);
  call.out.integer(members.length);
}

const read = (arity: number, run: (call: Call) => void): ReturnType<typeof row> =>
  row(arity, "readonly", ONE_KEY, "sortedset", run);
const write = (run: (call: Call) => void): ReturnType<typeof row> =>
  row(4, "write", ONE_KEY, "sortedset", run);

/** Commands on ranges of sorted sets. */
export const SORTED_RANGES: CommandTable = {
  zrange: read(-4, (call) => zRange(call, {})),
  zrevrange: read(-4, (call) => zRange(call, { by: "rank", reverse: true })),
  zrangebyscore: read(-4, (call) => zRange(call, { by: "score", reverse: false })),
  zrevrangebyscore: read(-4, (call) => zRange(call, { by: "score", reverse: true })),
  zrangebylex: read(-4, (call) => zRange(call, { by: "lex", reverse: false })),
  zrevrangebylex: read(-4, (call) => zRange(call, { by: "lex", reverse: true })),
  zrangestore: row(-5, "write denyoom", TWO_KEYS, "sortedset", zRangeStore),
  zcount: row(4, "readonly fast", ONE_KEY, "sortedset", (call) => zCount(call, "score")),
  zlexcount: row(4, "readonly fast", ONE_KEY, "sortedset", (call) => zCount(call, "lex")),
  zremrangebyrank: write((call) => zRemRange(call, "rank")),
  zremrangebyscore: write((call) => zRemRange(call, "score")),
  zremrangebylex: write((call) => zRemRange(call, "lex")),
};
