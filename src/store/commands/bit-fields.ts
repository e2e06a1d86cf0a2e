/** BITFIELD: whole numbers of 1 to 64 bits anywhere in a string. */
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row } from "../command.ts";
import { int64 } from "../numbers.ts";
import { ERR } from "../replies.ts";
import { bytesAt, bytesForWrite } from "./bits.ts";

type Overflow = "WRAP" | "SAT" | "FAIL";

interface Operation {
  readonly kind: "GET" | "SET" | "INCRBY";
  readonly signed: boolean;
  readonly bits: number;
  readonly offset: number;
  readonly value: bigint;
  readonly overflow: Overflow;
}

const TYPE_ERROR =
  "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
const OFFSET_ERROR = "ERR bit offset is not an integer or out of range";

/** Words that are no more than the next ones' rule. */
const OVERFLOWS: readonly string[] = ["WRAP", "SAT", "FAIL"];

/** What is to be done, in order; undefined after an error was replied. */
function operationsOf(call: Call): Operation[] | undefined {
  const operations: Operation[] = [];
  let overflow: Overflow = "WRAP";
  for (let place = 2; place < call.count; ) {
    const kind = call.word(place);
    const left = call.count - place - 1;
    if (kind === "OVERFLOW" && left >= 1) {
      const rule = call.word(place + 1);
      if (!OVERFLOWS.includes(rule)) return fail(call, "ERR Invalid OVERFLOW type specified");
      overflow = rule as Overflow;
      place += 2;
      continue;
    }
    const takes = kind === "GET" ? 2 : kind === "SET" || kind === "INCRBY" ? 3 : left + 1;
    if (left < takes) return fail(call, ERR.syntax);
    const operation = operationAt(call, place, kind as Operation["kind"], overflow);
    if (operation === undefined) return undefined;
    operations.push(operation);
    place += takes + 1;
  }
  return operations;
}

function operationAt(
  call: Call,
  place: number,
  kind: Operation["kind"],
  overflow: Overflow,
): Operation | undefined {
  const type = /^([iu])([1-9]\d?)$/.exec(call.text(place + 1));
  const bits = Number(type?.[2]);
  const signed = type?.[1] === "i";
  if (type === null || bits > (signed ? 64 : 63)) return fail(call, TYPE_ERROR);
  const offset = offsetAt(call, place + 2, bits);
  if (offset === undefined) return fail(call, OFFSET_ERROR);
  if (kind === "GET") return { kind, signed, bits, offset, value: 0n, overflow };
  const value = int64(call.bytes, call.start(place + 3), call.end(place + 3));
  return value === undefined ? fail(call, ERR.notInteger) : { kind, signed, bits, offset, value, overflow };
}

/** "100" is a bit, "#3" the fourth number of this size. */
function offsetAt(call: Call, place: number, bits: number): number | undefined {
  const match = /^(#?)(\d{1,15})$/.exec(call.text(place));
  if (match === null) return undefined;
  const offset = Number(match[2]) * (match[1] === "#" ? bits : 1);
  return Math.floor((offset + bits - 1) / 8) < call.store.settings.argumentBytesMax ? offset : undefined;
}

function fail(call: Call, error: string): undefined {
  call.fail(error);
  return undefined;
}

function read(bytes: Uint8Array, { offset, bits, signed }: Operation): bigint {
  let value = 0n;
  for (let at = offset; at < offset + bits; at++)
    value = (value << 1n) | BigInt(((bytes[Math.floor(at / 8)] ?? 0) >> (7 - (at % 8))) & 1);
  return signed ? BigInt.asIntN(bits, value) : value;
}

function write(bytes: Uint8Array, { offset, bits }: Operation, value: bigint): void {
  let left = BigInt.asUintN(bits, value);
  for (let at = offset + bits - 1; at >= offset; at--) {
    const byte = Math.floor(at / 8);
    const mask = 1 << (7 - (at % 8));
    const present = bytes[byte] ?? 0;
    bytes[byte] = (left & 1n) === 1n ? present | mask : present & ~mask;
    left >>= 1n;
  }
}

/** The value as it fits, by the rule; undefined when the rule says that it does not. */
function fitted(value: bigint, { signed, bits, overflow }: Operation): bigint | undefined {
  const width = BigInt(bits);
  const max = signed ? 2n ** (width - 1n) - 1n : 2n ** width - 1n;
  const min = signed ? -(2n ** (width - 1n)) : 0n;
  if (value >= min && value <= max) return value;
  if (overflow === "FAIL") return undefined;
  if (overflow === "SAT") return value > max ? max : min;
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

function bitField(call: Call): void {
  const operations = operationsOf(call);
  if (operations === undefined) return;
  const writes = operations.filter(({ kind }) => kind !== "GET");
  if (!call.command.isWrite && writes.length > 0)
    return call.fail("ERR BITFIELD_RO only supports the GET subcommand");
  const needed = Math.max(0, ...writes.map(({ offset, bits }) => Math.floor((offset + bits - 1) / 8) + 1));
  const bytes = writes.length === 0 ? bytesAt(call, 1) : undefined;
  const target = writes.length === 0 ? bytes && { bytes, grew: false } : bytesForWrite(call, needed);
  if (target === undefined) return;
  call.out.array(operations.length);
  let changed = target.grew;
  for (const operation of operations) if (apply(call, target.bytes, operation)) changed = true;
  if (changed) call.changed(1);
}

/** Replies, and tells whether the string is another now. */
function apply({ out }: Call, bytes: Uint8Array, operation: Operation): boolean {
  const before = read(bytes, operation);
  if (operation.kind === "GET") {
    out.bigInteger(before);
    return false;
  }
  const isSum = operation.kind === "INCRBY";
  // A value that is set is taken as unsigned where the number is: -1 is the largest.
  const wanted = isSum ? before + operation.value : operation.value;
  const value = fitted(!isSum && !operation.signed ? BigInt.asUintN(64, wanted) : wanted, operation);
  if (value === undefined) {
    out.null();
    return false;
  }
  write(bytes, operation, value);
  out.bigInteger(isSum ? value : before);
  return value !== before;
}

/** Numbers in bits. */
export const BIT_FIELDS: CommandTable = {
  bitfield: row(-2, "write denyoom", ONE_KEY, "bitmap", bitField),
  bitfield_ro: row(-2, "readonly fast", ONE_KEY, "bitmap", bitField),
};
