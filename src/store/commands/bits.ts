/** Strings as rows of bits, the first bit the highest of the first byte. Numbers among them are in bit-fields.ts. */
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import { FLAG } from "../memory/dict.ts";
import { ERR } from "../replies.ts";

const OFFSET_ERROR = "ERR bit offset is not an integer or out of range";
const BIT_ERROR = "ERR bit is not an integer or out of range";

const EMPTY = new Uint8Array(0);

/** Where a bit is; replies the error and gives undefined when it is beyond the longest string. */
function bitOffset(call: Call, place: number): number | undefined {
  const offset = call.integer(place, OFFSET_ERROR);
  if (offset === undefined) return undefined;
  if (offset >= 0 && Math.floor(offset / 8) < call.store.settings.argumentBytesMax) return offset;
  call.fail(OFFSET_ERROR);
  return undefined;
}

/** The bytes of the string at `place`, lent; none for no key; undefined after a wrong type was replied. */
export function bytesAt(call: Call, place: number): Uint8Array | undefined {
  const ref = call.expect(place, TYPE.string);
  if (ref < 0) return undefined;
  const { dict } = call.space;
  return ref === 0 ? EMPTY : dict.bytes.subarray(dict.valueStart, dict.valueEnd);
}

/**
 * The bytes of the string at the first key for changing, at least `length` of them, zeros where there were none; undefined
 * after a wrong type was replied. Lent until the next call of the keyspace.
 */
export function bytesForWrite(
  call: Call,
  length: number,
): { readonly bytes: Uint8Array; readonly grew: boolean } | undefined {
  const { space } = call;
  const { dict } = space;
  let ref = call.expectForWrite(1, TYPE.string);
  if (ref < 0) return undefined;
  const before = ref === 0 ? 0 : dict.valueEnd - dict.valueStart;
  const needed = Math.max(before, length);
  if (ref === 0) ref = space.add(TYPE.string, call.bytes, call.start(1), call.end(1), needed);
  else if (needed > before) ref = dict.resize(ref, needed);
  dict.bytes.fill(0, dict.valueStart + before, dict.valueEnd);
  dict.setFlag(ref, FLAG.raw, true);
  return { bytes: dict.bytes.subarray(dict.valueStart, dict.valueEnd), grew: needed > before };
}

function bitOf(bytes: Uint8Array, offset: number): number {
  return ((bytes[Math.floor(offset / 8)] ?? 0) >> (7 - (offset % 8))) & 1;
}

function getBit(call: Call): void {
  const offset = bitOffset(call, 2);
  if (offset === undefined) return;
  const bytes = bytesAt(call, 1);
  if (bytes !== undefined) call.out.integer(bitOf(bytes, offset));
}

function setBit(call: Call): void {
  const offset = bitOffset(call, 2);
  if (offset === undefined) return;
  const bit = call.integer(3, BIT_ERROR);
  if (bit === undefined) return;
  if (bit !== 0 && bit !== 1) return call.fail(BIT_ERROR);
  const at = Math.floor(offset / 8);
  const target = bytesForWrite(call, at + 1);
  if (target === undefined) return;
  const before = bitOf(target.bytes, offset);
  const mask = 1 << (7 - (offset % 8));
  const byte = target.bytes[at] ?? 0;
  target.bytes[at] = bit === 1 ? byte | mask : byte & ~mask;
  if (target.grew || before !== bit) call.changed(1);
  call.out.integer(before);
}

/** Bits from `first` to `last`, both among them; `first` behind `last` for none. */
interface BitRange {
  readonly first: number;
  readonly last: number;
}

/** Start and end at `place` and behind it, with their unit; undefined after an error was replied. */
function bitRange(call: Call, place: number, byteLength: number): BitRange | undefined {
  if (call.count <= place) return { first: 0, last: byteLength * 8 - 1 };
  const from = call.integer(place);
  if (from === undefined) return undefined;
  const to = call.count > place + 1 ? call.integer(place + 1) : -1;
  if (to === undefined) return undefined;
  const nothing = { first: 0, last: -1 };
  const isReversed = from < 0 && to < 0 && from > to;
  // BITCOUNT does not look at the unit then.
  if (isReversed && place === 2) return nothing;
  const unit = call.count > place + 2 ? call.word(place + 2) : "BYTE";
  if ((unit !== "BYTE" && unit !== "BIT") || call.count > place + 3) {
    call.fail(ERR.syntax);
    return undefined;
  }
  const bits = unit === "BYTE" ? 8 : 1;
  const total = (byteLength * 8) / bits;
  if (isReversed) return nothing;
  const first = Math.max(0, from < 0 ? total + from : from);
  const last = Math.min(total - 1, Math.max(0, to < 0 ? total + to : to));
  return first > last ? nothing : { first: first * bits, last: (last + 1) * bits - 1 };
}

/** Byte -> ones in it. */
const ONES: Uint8Array = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll("0", "").length,
);

function bitCount(call: Call): void {
  const bytes = bytesAt(call, 1);
  if (bytes === undefined) return;
  if (call.space.peek(call.bytes, call.start(1), call.end(1)) === 0) return call.out.integer(0);
  if (call.count === 3) return call.fail(ERR.syntax);
  const range = bitRange(call, 2, bytes.length);
  if (range === undefined) return;
  let ones = 0;
  let at = range.first;
  for (; at <= range.last && at % 8 !== 0; at++) ones += bitOf(bytes, at);
  for (; at + 7 <= range.last; at += 8) ones += ONES[bytes[at / 8] ?? 0] ?? 0;
  for (; at <= range.last; at++) ones += bitOf(bytes, at);
  call.out.integer(ones);
}

function bitPos(call: Call): void {
  const bit = call.integer(2);
  if (bit === undefined) return;
  if (bit !== 0 && bit !== 1) return call.fail("ERR The bit argument must be 1 or 0.");
  const bytes = bytesAt(call, 1);
  if (bytes === undefined) return;
  if (call.space.peek(call.bytes, call.start(1), call.end(1)) === 0)
    return call.out.integer(bit === 1 ? -1 : 0);
  const range = bitRange(call, 3, bytes.length);
  if (range === undefined) return;
  const found = findBit(bytes, bit, range);
  // Behind a string there are zeros without end, unless an end was given.
  const isBehind = found < 0 && bit === 0 && call.count < 5 && range.first <= range.last;
  call.out.integer(isBehind ? bytes.length * 8 : found);
}

function findBit(bytes: Uint8Array, bit: number, { first, last }: BitRange): number {
  const dull = bit === 1 ? 0 : 255;
  for (let at = first; at <= last; at++) {
    if (at % 8 === 0 && bytes[at / 8] === dull) at += 7;
    else if (bitOf(bytes, at) === bit) return at;
  }
  return -1;
}

/** Name -> two bytes made one. */
const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  AND: (a, b) => a & b,
  OR: (a, b) => a | b,
  XOR: (a, b) => a ^ b,
  NOT: (a) => ~a & 255,
};

function bitOp(call: Call): void {
  const operation = OPERATIONS[call.word(1)];
  if (operation === undefined) return call.fail(ERR.syntax);
  const isNot = call.word(1) === "NOT";
  if (isNot && call.count !== 4) return call.fail("ERR BITOP NOT must be called with a single source key.");
  let result: Uint8Array = EMPTY;
  for (let place = 3; place < call.count; place++) {
    const bytes = bytesAt(call, place);
    if (bytes === undefined) return;
    result = place === 3 ? bytes.slice() : combine(result, bytes, operation);
  }
  if (isNot) result = result.map((byte) => operation(byte, 0));
  const existing = call.find(2);
  if (result.length === 0) {
    if (existing !== 0) {
      call.space.remove(existing);
      call.changed(2);
    }
  } else {
    const key: readonly [number, number] = [call.start(2), call.end(2)];
    const ref = call.space.setString(call.bytes, key, result, [0, result.length], false);
    call.space.dict.setFlag(ref, FLAG.raw, true);
    call.changed(2);
  }
  call.out.integer(result.length);
}

/** The shorter one goes on with zeros. */
function combine(a: Uint8Array, b: Uint8Array, operation: (a: number, b: number) => number): Uint8Array {
  const both = new Uint8Array(Math.max(a.length, b.length));
  for (let at = 0; at < both.length; at++) both[at] = operation(a[at] ?? 0, b[at] ?? 0);
  return both;
}

/** Bits. */
export const BITS: CommandTable = {
  getbit: row(3, "readonly fast", ONE_KEY, "bitmap", getBit),
  setbit: row(4, "write denyoom", ONE_KEY, "bitmap", setBit),
  bitcount: row(-2, "readonly", ONE_KEY, "bitmap", bitCount),
  bitpos: row(-3, "readonly", ONE_KEY, "bitmap", bitPos),
  bitop: row(-4, "write denyoom", [2, -1, 1], "bitmap", bitOp),
};
