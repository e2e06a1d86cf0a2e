/** Sorted sets: members and scores. Ranges are in sorted-ranges.ts, unions and intersections in sorted-algebra.ts. */
import { formatDouble } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row, rowWithCount } from "../command.ts";
import { matchesGlob } from "../glob.ts";
import { TYPE } from "../keyspace.ts";
import { ERR } from "../replies.ts";
import { readScore, SortedSets } from "../values/sorted-sets.ts";
import { sample, sampleCount } from "./hashes.ts";
import { signalReady } from "./keys.ts";
import { mPopOptions } from "./lists.ts";
import { scanOptions } from "./scan-options.ts";

/** The sorted set of the present call. */
export const zset: SortedSets = new SortedSets();

/** Opens the sorted set at `place`: 0 when there is none, below after a wrong type was replied. */
export function openSorted(call: Call, place: number): number {
  const ref = call.expect(place, TYPE.zset);
  if (ref > 0) zset.open(call.space, ref);
  return ref;
}

interface AddOptions {
  nx: boolean;
  xx: boolean;
  gt: boolean;
  lt: boolean;
  ch: boolean;
  incr: boolean;
}

/** The words before the first score, and where that is. */
function addOptions(call: Call): { readonly options: AddOptions; readonly first: number } {
  const options: AddOptions = { nx: false, xx: false, gt: false, lt: false, ch: false, incr: false };
  let place = 2;
  for (; place < call.count; place++) {
    const word = call.word(place).toLowerCase();
    if (!(word in options)) break;
    options[word as keyof AddOptions] = true;
  }
  return { options, first: place };
}

function zAdd(call: Call): void {
  const { options, first } = addOptions(call);
  const rest = call.count - first;
  if (rest === 0 || rest % 2 !== 0) return call.fail(ERR.syntax);
  const { nx, xx, gt, lt, incr } = options;
  if (nx && xx) return call.fail("ERR XX and NX options at the same time are not compatible");
  if ((gt && nx) || (lt && nx) || (gt && lt))
    return call.fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  if (incr && rest > 2) return call.fail("ERR INCR option supports a single increment-element pair");
  const scores: number[] = [];
  for (let place = first; place < call.count; place += 2) {
    const score = call.double(place);
    if (score === undefined) return;
    scores.push(score);
  }
  addAll(call, options, first, scores);
}

function zIncrBy(call: Call): void {
  const by = call.double(2);
  if (by === undefined) return;
  addAll(call, { nx: false, xx: false, gt: false, lt: false, ch: false, incr: true }, 2, [by]);
}

function addAll(call: Call, options: AddOptions, first: number, scores: readonly number[]): void {
  const { space } = call;
  const ref = call.expectForWrite(1, TYPE.zset);
  if (ref < 0) return;
  if (ref === 0 && options.xx) return options.incr ? call.out.null() : call.out.integer(0);
  zset.open(space, ref === 0 ? space.addPacked(TYPE.zset, call.bytes, call.start(1), call.end(1)) : ref);
  let added = 0;
  let updated = 0;
  let last: number | undefined;
  for (const [i, score] of scores.entries()) {
    const place = first + i * 2 + 1;
    const outcome = addOne(call, options, score, place);
    if (outcome === "nan") {
      if (zset.length === 0) space.remove(zset.ref);
      return call.fail("ERR resulting score is not a number (NaN)");
    }
    if (outcome === "added") added++;
    if (outcome === "updated") updated++;
    if (outcome !== "skipped") last = zset.score;
  }
  if (zset.length === 0) space.remove(zset.ref);
  if (added + updated > 0) call.changed(1);
  if (options.incr) {
    if (last === undefined) call.out.null();
    else call.out.double(last);
    if (added + updated > 0 && last !== undefined)
      call.logAs("ZADD", call.copy(1), formatDouble(last), call.copy(first + 1));
  } else call.out.integer(options.ch ? added + updated : added);
  if (added > 0) signalReady(call, space, 1);
}

function addOne(
  call: Call,
  { nx, xx, gt, lt, incr }: AddOptions,
  by: number,
  place: number,
): "added" | "updated" | "same" | "skipped" | "nan" {
  const { bytes } = call;
  const start = call.start(place);
  const end = call.end(place);
  const isThere = zset.get(bytes, start, end);
  if (isThere ? nx : xx) return "skipped";
  const before = isThere ? zset.score : 0;
  const score = incr && isThere ? before + by : by;
  if (Number.isNaN(score)) return "nan";
  if (isThere && ((gt && score <= before) || (lt && score >= before))) return "skipped";
  if (isThere && score === before) return "same";
  zset.set(score, bytes, start, end);
  zset.score = score;
  return isThere ? "updated" : "added";
}

function zRem(call: Call): void {
  const ref = call.expectForWrite(1, TYPE.zset);
  if (ref < 0) return;
  let removed = 0;
  if (ref > 0) {
    zset.open(call.space, ref);
    for (let place = 2; place < call.count; place++)
      if (zset.delete(call.bytes, call.start(place), call.end(place))) removed++;
    if (zset.length === 0) call.space.remove(zset.ref);
    if (removed > 0) call.changed(1);
  }
  call.out.integer(removed);
}

function zCard(call: Call): void {
  const ref = openSorted(call, 1);
  if (ref >= 0) call.out.integer(ref === 0 ? 0 : zset.length);
}

function replyScore(call: Call, ref: number, place: number): void {
  if (ref > 0 && zset.get(call.bytes, call.start(place), call.end(place))) call.out.double(zset.score);
  else call.out.null();
}

function zScore(call: Call): void {
  const ref = openSorted(call, 1);
  if (ref >= 0) replyScore(call, ref, 2);
}

function zMScore(call: Call): void {
  const ref = openSorted(call, 1);
  if (ref < 0) return;
  call.out.array(call.count - 2);
  for (let place = 2; place < call.count; place++) replyScore(call, ref, place);
}

function zRank(call: Call, reverse: boolean): void {
  const ref = openSorted(call, 1);
  if (ref < 0) return;
  const rank = ref === 0 ? -1 : zset.rank(call.bytes, call.start(2), call.end(2));
  if (rank < 0) call.out.null();
  else call.out.integer(reverse ? zset.length - 1 - rank : rank);
}

// --- popping --------------------------------------------------------------------------------------------------

/** Takes `count` members from one end of the opened set and gives them; the key at `place` goes when it is empty. */
function take(
  call: Call,
  place: number,
  min: boolean,
  count: number,
): { member: Uint8Array; score: number }[] {
  const taken: { member: Uint8Array; score: number }[] = [];
  zset.each(min ? 0 : zset.length - 1, Math.min(count, zset.length), !min, (bytes, start, end, score) =>
    taken.push({ member: bytes.slice(start, end), score }),
  );
  for (const { member } of taken) zset.delete(member, 0, member.length);
  if (zset.length === 0) call.space.remove(zset.ref);
  if (taken.length > 0) {
    call.changed(place);
    call.logAs("ZREM", call.copy(place), ...taken.map(({ member }) => member));
  }
  return taken;
}

function zPop(call: Call, min: boolean): void {
  if (call.count > 3) return call.fail(ERR.syntax);
  const wanted = call.count === 3 ? call.integer(2, ERR.mustBePositive) : 1;
  if (wanted === undefined) return;
  if (wanted < 0) return call.fail(ERR.mustBePositive);
  const ref = call.expectForWrite(1, TYPE.zset);
  if (ref < 0) return;
  const { out } = call;
  if (ref === 0) return out.array(0);
  zset.open(call.space, ref);
  const taken = take(call, 1, min, wanted);
  const nested = out.protocol === 3 && call.count === 3;
  out.array(nested ? taken.length : taken.length * 2);
  for (const { member, score } of taken) {
    if (nested) out.array(2);
    out.bulk(member, 0, member.length);
    out.double(score);
  }
}

/** Pops from the first of the sets at `[first, last)` that is not empty, with its key. False when all are. */
export function popFirstSorted(
  call: Call,
  [first, last]: readonly [number, number],
  min: boolean,
  count: number,
): boolean {
  const { out } = call;
  for (let place = first; place < last; place++) {
    const ref = call.expectForWrite(place, TYPE.zset);
    if (ref < 0) return true;
    if (ref === 0) continue;
    zset.open(call.space, ref);
    const taken = take(call, place, min, Math.max(1, count));
    out.array(count === 0 ? 3 : 2);
    out.bulk(call.bytes, call.start(place), call.end(place));
    if (count > 0) out.array(taken.length);
    for (const { member, score } of taken) {
      if (count > 0) out.array(2);
      out.bulk(member, 0, member.length);
      out.double(score);
    }
    return true;
  }
  return false;
}

function zMPop(call: Call): void {
  const options = mPopOptions(call, 1, ["MIN", "MAX"]);
  if (options !== undefined && !popFirstSorted(call, options.keys, options.isFirst, options.count))
    call.out.nullArray();
}

// --- looking around -------------------------------------------------------------------------------------------

function zScan(call: Call): void {
  const options = scanOptions(call, 2);
  if (options === undefined) return;
  const ref = openSorted(call, 1);
  if (ref < 0) return;
  const found: { member: Uint8Array; score: number }[] = [];
  const look = (bytes: Uint8Array, start: number, end: number, score: number): void => {
    if (options.pattern === undefined || matchesGlob(options.pattern, bytes, start, end))
      found.push({ member: bytes.slice(start, end), score });
  };
  let next = 0;
  const table = ref > 0 ? zset.table : undefined;
  if (table !== undefined) {
    next = table.scan(options.cursor, options.count, (entry) => {
      table.open(entry);
      look(table.bytes, table.keyStart, table.valueStart, readScore(table.bytes, table.valueStart));
    });
  } else if (ref > 0) zset.each(0, zset.length, false, look);
  call.out.array(2);
  call.out.bulkText(String(next));
  call.out.array(found.length * 2);
  for (const { member, score } of found) {
    call.out.bulk(member, 0, member.length);
    call.out.bulkText(formatDouble(score));
  }
}

function zRandMember(call: Call): void {
  const wanted = sampleCount(call);
  if (wanted === undefined) return;
  const withScores = call.count === 4 && call.word(3) === "WITHSCORES";
  if (call.count > 4 || (call.count === 4 && !withScores)) return call.fail(ERR.syntax);
  const ref = openSorted(call, 1);
  if (ref < 0) return;
  const { out } = call;
  const all: { member: Uint8Array; score: number }[] = [];
  if (ref > 0)
    zset.each(0, zset.length, false, (bytes, start, end, score) =>
      all.push({ member: bytes.slice(start, end), score }),
    );
  const chosen = sample(all, wanted, call);
  if (call.count === 2) {
    const member = chosen[0]?.member;
    if (member === undefined) return out.null();
    return out.bulk(member, 0, member.length);
  }
  const nested = withScores && out.protocol === 3;
  out.array(withScores && !nested ? chosen.length * 2 : chosen.length);
  for (const { member, score } of chosen) {
    if (nested) out.array(2);
    out.bulk(member, 0, member.length);
    if (withScores) out.double(score);
  }
}

/** Commands on sorted sets. */
export const SORTED_SETS: CommandTable = {
  zadd: row(-4, "write denyoom fast", ONE_KEY, "sortedset", zAdd),
  zincrby: row(4, "write denyoom fast", ONE_KEY, "sortedset", zIncrBy),
  zrem: row(-3, "write fast", ONE_KEY, "sortedset", zRem),
  zcard: row(2, "readonly fast", ONE_KEY, "sortedset", zCard),
  zscore: row(3, "readonly fast", ONE_KEY, "sortedset", zScore),
  zmscore: row(-3, "readonly fast", ONE_KEY, "sortedset", zMScore),
  zrank: row(3, "readonly fast", ONE_KEY, "sortedset", (call) => zRank(call, false)),
  zrevrank: row(3, "readonly fast", ONE_KEY, "sortedset", (call) => zRank(call, true)),
  zpopmin: row(-2, "write fast", ONE_KEY, "sortedset", (call) => zPop(call, true)),
  zpopmax: row(-2, "write fast", ONE_KEY, "sortedset", (call) => zPop(call, false)),
  zmpop: rowWithCount(-4, "write", 1, [], "sortedset", zMPop),
  zscan: row(-3, "readonly", ONE_KEY, "sortedset", zScan),
  zrandmember: row(-2, "readonly", ONE_KEY, "sortedset", zRandMember),
};
