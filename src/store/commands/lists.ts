/** Lists. Those that wait are in blocking.ts. */
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row, rowWithCount, TWO_KEYS } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import { ERR } from "../replies.ts";
import { Lists } from "../values/lists.ts";
import { signalReady } from "./keys.ts";

const list = new Lists();

function open(call: Call, place: number): number {
  const ref = call.expect(place, TYPE.list);
  if (ref > 0) list.open(call.space, ref);
  return ref;
}

function push(call: Call, head: boolean, onlyExisting: boolean): void {
  const { space, bytes } = call;
  const ref = call.expectForWrite(1, TYPE.list);
  if (ref < 0) return;
  if (ref === 0 && onlyExisting) return call.out.integer(0);
  list.open(space, ref === 0 ? space.addPacked(TYPE.list, bytes, call.start(1), call.end(1)) : ref);
  for (let place = 2; place < call.count; place++) list.push(head, bytes, call.start(place), call.end(place));
  call.changed(1);
  call.out.integer(list.length);
  signalReady(call, space, 1);
}

function pop(call: Call, head: boolean): void {
  if (call.count > 3) return call.fail(`ERR wrong number of arguments for '${call.name}' command`);
  const wanted = call.count === 3 ? call.integer(2, ERR.mustBePositive) : 1;
  if (wanted === undefined) return;
  if (wanted < 0) return call.fail(ERR.mustBePositive);
  const ref = call.expectForWrite(1, TYPE.list);
  if (ref < 0) return;
  const { out } = call;
  if (ref === 0) return call.count === 3 ? out.nullArray() : out.null();
  list.open(call.space, ref);
  if (call.count === 3) out.array(Math.min(wanted, list.length));
  if (wanted > 0) popSome(call, 1, head, wanted);
}

/** Pops up to `count` elements of the opened list and replies them; the key at `place` goes when it is empty. */
function popSome(call: Call, place: number, head: boolean, count: number): void {
  for (let i = 0; i < count && list.pop(head); i++) call.out.bulk(list.bytes, list.start, list.end);
  if (list.length === 0) call.space.remove(list.ref);
  call.changed(place);
}

function lLen(call: Call): void {
  const ref = open(call, 1);
  if (ref >= 0) call.out.integer(ref === 0 ? 0 : list.length);
}

function lRange(call: Call): void {
  const from = call.integer(2);
  if (from === undefined) return;
  const to = call.integer(3);
  if (to === undefined) return;
  const ref = open(call, 1);
  if (ref < 0) return;
  const { out } = call;
  const [first, end] = ref === 0 ? [0, 0] : range(from, to, list.length);
  out.array(end - first);
  if (end > first)
    list.each(first, end - first, (bytes, start, stop) => {
      out.bulk(bytes, start, stop);
      return true;
    });
}

/** `[first, end)` of a range that may count from the end. */
export function range(from: number, to: number, length: number): readonly [number, number] {
  const first = Math.max(0, from < 0 ? length + from : from);
  const end = Math.min(length, (to < 0 ? length + to : to) + 1);
  return first < end ? [first, end] : [0, 0];
}

function lIndex(call: Call): void {
  const index = call.integer(2);
  if (index === undefined) return;
  const ref = open(call, 1);
  if (ref < 0) return;
  if (ref > 0 && list.at(index < 0 ? list.length + index : index))
    call.out.bulk(list.bytes, list.start, list.end);
  else call.out.null();
}

function lSet(call: Call): void {
  const ref = call.expectForWrite(1, TYPE.list);
  if (ref < 0) return;
  if (ref === 0) return call.fail(ERR.noKey);
  const index = call.integer(2);
  if (index === undefined) return;
  list.open(call.space, ref);
  const at = index < 0 ? list.length + index : index;
  if (at < 0 || at >= list.length) return call.fail(ERR.index);
  list.set(at, call.bytes, call.start(3), call.end(3));
  call.changed(1);
  call.ok();
}

function isArgument(call: Call, place: number, bytes: Uint8Array, start: number, end: number): boolean {
  const from = call.start(place);
  if (end - start !== call.end(place) - from) return false;
  for (let i = 0; i < end - start; i++) if (bytes[start + i] !== call.bytes[from + i]) return false;
  return true;
}

function lInsert(call: Call): void {
  const where = call.word(2);
  if (where !== "BEFORE" && where !== "AFTER") return call.fail(ERR.syntax);
  const ref = call.expectForWrite(1, TYPE.list);
  if (ref < 0) return;
  if (ref === 0) return call.out.integer(0);
  list.open(call.space, ref);
  let index = -1;
  let at = 0;
  list.each(0, list.length, (bytes, start, end) => {
    if (isArgument(call, 3, bytes, start, end)) index = at;
    at++;
    return index < 0;
  });
  if (index < 0) return call.out.integer(-1);
  list.insert(where === "AFTER" ? index + 1 : index, call.bytes, call.start(4), call.end(4));
  call.changed(1);
  call.out.integer(list.length);
}

function lRem(call: Call): void {
  const wanted = call.integer(2);
  if (wanted === undefined) return;
  const ref = call.expectForWrite(1, TYPE.list);
  if (ref < 0) return;
  if (ref === 0) return call.out.integer(0);
  list.open(call.space, ref);
  const found: number[] = [];
  const { length } = list;
  let at = wanted < 0 ? length - 1 : 0;
  const look = (bytes: Uint8Array, start: number, end: number): boolean => {
    if (isArgument(call, 3, bytes, start, end)) found.push(at);
    at += wanted < 0 ? -1 : 1;
    return wanted === 0 || found.length < Math.abs(wanted);
  };
  if (wanted < 0) list.eachBackwards(look);
  else list.each(0, length, look);
  for (const index of found.toSorted((a, b) => b - a)) list.removeAt(index);
  if (found.length > 0) call.changed(1);
  if (list.length === 0) call.space.remove(list.ref);
  call.out.integer(found.length);
}

function lTrim(call: Call): void {
  const from = call.integer(2);
  if (from === undefined) return;
  const to = call.integer(3);
  if (to === undefined) return;
  const ref = call.expectForWrite(1, TYPE.list);
  if (ref < 0) return;
  if (ref > 0) {
    list.open(call.space, ref);
    const [first, end] = range(from, to, list.length);
    if (first === end) call.space.remove(ref);
    else list.trim(first, end);
    call.changed(1);
  }
  call.ok();
}

function lPos(call: Call): void {
  const options = { RANK: 1, COUNT: -1, MAXLEN: 0 };
  for (let place = 3; place < call.count; place += 2) {
    const word = call.word(place);
    if (!(word in options) || place + 1 >= call.count) return call.fail(ERR.syntax);
    const value = call.integer(place + 1);
    if (value === undefined) return;
    if (word === "RANK" && value === 0)
      return call.fail(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
      );
    if (word !== "RANK" && value < 0) return call.fail(`ERR ${word} can't be negative`);
    options[word as keyof typeof options] = value;
  }
  const ref = open(call, 1);
  if (ref < 0) return;
  const found = ref === 0 ? [] : positions(call, options.RANK, options.COUNT, options.MAXLEN);
  if (options.COUNT < 0) {
    if (found[0] === undefined) call.out.null();
    else call.out.integer(found[0]);
    return;
  }
  call.out.array(found.length);
  for (const position of found) call.out.integer(position);
}

function positions(call: Call, rank: number, count: number, lengthMax: number): number[] {
  const found: number[] = [];
  const backwards = rank < 0;
  const wanted = count < 0 ? 1 : count === 0 ? Number.POSITIVE_INFINITY : count;
  let skip = Math.abs(rank) - 1;
  let looked = 0;
  const look = (bytes: Uint8Array, start: number, end: number): boolean => {
    if (isArgument(call, 2, bytes, start, end) && skip-- <= 0)
      found.push(backwards ? list.length - 1 - looked : looked);
    looked++;
    return found.length < wanted && (lengthMax === 0 || looked < lengthMax);
  };
  if (backwards) list.eachBackwards(look);
  else list.each(0, list.length, look);
  return found;
}

/** LEFT or RIGHT as whether it is the head; undefined after the error was replied. */
export function side(call: Call, place: number): boolean | undefined {
  const word = call.word(place);
  if (word === "LEFT" || word === "RIGHT") return word === "LEFT";
  call.fail(ERR.syntax);
  return undefined;
}

/** Moves an element from the list at 1 to the list at 2 and replies it. False when there is none, or after an error. */
export function moveElement(call: Call, fromHead: boolean, toHead: boolean): boolean {
  const { space } = call;
  const from = call.expectForWrite(1, TYPE.list);
  if (from <= 0) return from < 0;
  const to = call.expectForWrite(2, TYPE.list);
  if (to < 0) return true;
  list.open(space, call.find(1));
  list.pop(fromHead);
  const element = list.bytes.slice(list.start, list.end);
  const isSame = call.text(1) === call.text(2);
  if (list.length === 0 && !isSame) space.remove(list.ref);
  if (!isSame) {
    const target = call.find(2);
    list.open(
      space,
      target === 0 ? space.addPacked(TYPE.list, call.bytes, call.start(2), call.end(2)) : target,
    );
  }
  list.push(toHead, element, 0, element.length);
  call.changed(1);
  if (!isSame) call.changed(2);
  call.logAs("LMOVE", call.copy(1), call.copy(2), fromHead ? "LEFT" : "RIGHT", toHead ? "LEFT" : "RIGHT");
  call.out.bulk(element, 0, element.length);
  signalReady(call, space, 2);
  return true;
}

function lMove(call: Call): void {
  const fromHead = side(call, 3);
  if (fromHead === undefined) return;
  const toHead = side(call, 4);
  if (toHead === undefined) return;
  if (!moveElement(call, fromHead, toHead)) call.out.null();
}

function rPopLPush(call: Call): void {
  if (!moveElement(call, false, true)) call.out.null();
}

/** Pops from the first of the lists at `[first, last)` that is not empty. False when all are, true after an error too. */
export function popFirst(
  call: Call,
  [first, last]: readonly [number, number],
  head: boolean,
  count: number,
): boolean {
  for (let place = first; place < last; place++) {
    const ref = call.expectForWrite(place, TYPE.list);
    if (ref < 0) return true;
    if (ref === 0) continue;
    list.open(call.space, ref);
    call.out.array(2);
    call.out.bulk(call.bytes, call.start(place), call.end(place));
    const popped = Math.min(count, list.length);
    if (count > 0) call.out.array(popped);
    popSome(call, place, head, Math.max(1, popped));
    call.logAs(head ? "LPOP" : "RPOP", call.copy(place), String(Math.max(1, popped)));
    return true;
  }
  return false;
}

/** `numkeys key … LEFT|RIGHT [COUNT n]` from `at` on; undefined after the error was replied. */
export function mPopOptions(
  call: Call,
  at: number,
  words: readonly [string, string],
):
  | { readonly keys: readonly [number, number]; readonly isFirst: boolean; readonly count: number }
  | undefined {
  const numberOfKeys = call.integerOrNaN(at);
  if (Number.isNaN(numberOfKeys) || numberOfKeys <= 0) {
    call.fail("ERR numkeys should be greater than 0");
    return undefined;
  }
  const sideAt = at + 1 + numberOfKeys;
  const word = sideAt < call.count ? call.word(sideAt) : "";
  const rest = call.count - sideAt - 1;
  if (
    !words.includes(word) ||
    (rest !== 0 && rest !== 2) ||
    (rest === 2 && call.word(sideAt + 1) !== "COUNT")
  ) {
    call.fail(ERR.syntax);
    return undefined;
  }
  const count = rest === 2 ? call.integerOrNaN(sideAt + 2) : 1;
  if (Number.isNaN(count) || count <= 0) {
    call.fail("ERR count should be greater than 0");
    return undefined;
  }
  return { keys: [at + 1, sideAt], isFirst: word === words[0], count };
}

function lMPop(call: Call): void {
  const options = mPopOptions(call, 1, ["LEFT", "RIGHT"]);
  if (options !== undefined && !popFirst(call, options.keys, options.isFirst, options.count))
    call.out.nullArray();
}

/** Commands on lists. */
export const LISTS: CommandTable = {
  lpush: row(-3, "write denyoom fast", ONE_KEY, "list", (call) => push(call, true, false)),
  rpush: row(-3, "write denyoom fast", ONE_KEY, "list", (call) => push(call, false, false)),
  lpushx: row(-3, "write denyoom fast", ONE_KEY, "list", (call) => push(call, true, true)),
  rpushx: row(-3, "write denyoom fast", ONE_KEY, "list", (call) => push(call, false, true)),
  lpop: row(-2, "write fast", ONE_KEY, "list", (call) => pop(call, true)),
  rpop: row(-2, "write fast", ONE_KEY, "list", (call) => pop(call, false)),
  llen: row(2, "readonly fast", ONE_KEY, "list", lLen),
  lrange: row(4, "readonly", ONE_KEY, "list", lRange),
  lindex: row(3, "readonly", ONE_KEY, "list", lIndex),
  lset: row(4, "write denyoom", ONE_KEY, "list", lSet),
  linsert: row(5, "write denyoom", ONE_KEY, "list", lInsert),
  lrem: row(4, "write", ONE_KEY, "list", lRem),
  ltrim: row(4, "write", ONE_KEY, "list", lTrim),
  lpos: row(-3, "readonly", ONE_KEY, "list", lPos),
  lmove: row(5, "write denyoom", TWO_KEYS, "list", lMove),
  rpoplpush: row(3, "write denyoom", TWO_KEYS, "list", rPopLPush),
  lmpop: rowWithCount(-4, "write", 1, [], "list", lMPop),
};
