/** Commands that wait until a list or a sorted set has something. Inside a transaction they do not wait. */
import type { Call } from "../call.ts";
import { type CommandTable, row, rowWithCount, TWO_KEYS } from "../command.ts";
import { parseDouble } from "../numbers.ts";
import { ERR } from "../replies.ts";
import { moveElement, mPopOptions, popFirst, side } from "./lists.ts";
import { popFirstSorted } from "./sorted-sets.ts";

/** Longest wait, 2^53 ms: longer ones are refused as Redis refuses what does not fit its clock. */
const SECONDS_MAX = Number.MAX_SAFE_INTEGER / 1000;

/** Seconds to wait, 0 for ever; undefined after the error was replied. */
function timeout(call: Call, place: number): number | undefined {
  const seconds = parseDouble(call.text(place));
  if (seconds === undefined || seconds > SECONDS_MAX) call.fail(ERR.timeoutNotFloat);
  else if (seconds < 0) call.fail(ERR.timeoutNegative);
  else return seconds;
  return undefined;
}

/** Waits, or replies at once that there is nothing. */
function waitFor(call: Call, keys: readonly number[], seconds: number, nothing: () => void): void {
  if (call.mayBlock) call.store.wait(call, keys, seconds, nothing);
  else nothing();
}

function places(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

function popOrWait(call: Call, pop: (keys: readonly [number, number]) => boolean): void {
  const seconds = timeout(call, call.count - 1);
  if (seconds === undefined) return;
  if (!pop([1, call.count - 1]))
    waitFor(call, places(1, call.count - 1), seconds, () => call.out.nullArray());
}

function moveOrWait(call: Call, seconds: number, fromHead: boolean, toHead: boolean): void {
  if (!moveElement(call, fromHead, toHead)) waitFor(call, [1], seconds, () => call.out.null());
}

function bLMove(call: Call): void {
  const fromHead = side(call, 3);
  if (fromHead === undefined) return;
  const toHead = side(call, 4);
  if (toHead === undefined) return;
  const seconds = timeout(call, 5);
  if (seconds !== undefined) moveOrWait(call, seconds, fromHead, toHead);
}

function bRPopLPush(call: Call): void {
  const seconds = timeout(call, 3);
  if (seconds !== undefined) moveOrWait(call, seconds, false, true);
}

function mPopOrWait(
  call: Call,
  words: readonly [string, string],
  pop: (keys: readonly [number, number], isFirst: boolean, count: number) => boolean,
): void {
  const seconds = timeout(call, 1);
  if (seconds === undefined) return;
  const options = mPopOptions(call, 2, words);
  if (options === undefined || pop(options.keys, options.isFirst, options.count)) return;
  waitFor(call, places(...options.keys), seconds, () => call.out.nullArray());
}

const KEYS_BEFORE_TIMEOUT = [1, -2, 1] as const;

/** Commands that may wait. */
export const BLOCKING: CommandTable = {
  blpop: row(-3, "write blocking", KEYS_BEFORE_TIMEOUT, "list", (call) =>
    popOrWait(call, (keys) => popFirst(call, keys, true, 0)),
  ),
  brpop: row(-3, "write blocking", KEYS_BEFORE_TIMEOUT, "list", (call) =>
    popOrWait(call, (keys) => popFirst(call, keys, false, 0)),
  ),
  blmove: row(6, "write denyoom blocking", TWO_KEYS, "list", bLMove),
  brpoplpush: row(4, "write denyoom blocking", TWO_KEYS, "list", bRPopLPush),
  blmpop: rowWithCount(-5, "write blocking", 2, [], "list", (call) =>
    mPopOrWait(call, ["LEFT", "RIGHT"], (keys, isFirst, count) => popFirst(call, keys, isFirst, count)),
  ),
  bzpopmin: row(-3, "write blocking fast", KEYS_BEFORE_TIMEOUT, "sortedset", (call) =>
    popOrWait(call, (keys) => popFirstSorted(call, keys, true, 0)),
  ),
  bzpopmax: row(-3, "write blocking fast", KEYS_BEFORE_TIMEOUT, "sortedset", (call) =>
    popOrWait(call, (keys) => popFirstSorted(call, keys, false, 0)),
  ),
  bzmpop: rowWithCount(-5, "write blocking", 2, [], "sortedset", (call) =>
    mPopOrWait(call, ["MIN", "MAX"], (keys, isFirst, count) => popFirstSorted(call, keys, isFirst, count)),
  ),
};
