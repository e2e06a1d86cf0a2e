/** Strings that hold numbers. */
import { bytesOf, latin1, putInteger } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import { addLongDoubles } from "../long-double.ts";
import { FLAG } from "../memory/dict.ts";
import { canonicalInteger, int64, isInt64, parseDouble } from "../numbers.ts";
import { ERR } from "../replies.ts";

/** The digits of a new value. */
const digits = new Uint8Array(24);

/** Up to here sums of doubles are whole. */
const SAFE = Number.MAX_SAFE_INTEGER;

/** Adds to the number at the key; `by` is whole and safe. */
function addSmall(call: Call, by: number): void {
  const ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  const { dict } = call.space;
  let value = 0;
  if (ref !== 0) {
    value = canonicalInteger(dict.bytes, dict.valueStart, dict.valueEnd);
    if (Number.isNaN(value)) return addLarge(call, ref, BigInt(by));
  }
  const sum = value + by;
  if (Math.abs(sum) > SAFE) return addLarge(call, ref, BigInt(by));
  store(call, ref, digits, putInteger(sum, digits, 0));
  call.out.integer(sum);
}

function addLarge(call: Call, ref: number, by: bigint): void {
  const { dict } = call.space;
  const value = ref === 0 ? 0n : int64(dict.bytes, dict.valueStart, dict.valueEnd);
  if (value === undefined) return call.fail(ERR.notInteger);
  const sum = value + by;
  if (!isInt64(sum)) return call.fail(ERR.overflow);
  const text = bytesOf(sum.toString());
  store(call, ref, text, text.length);
  call.out.bigInteger(sum);
}

function store(call: Call, ref: number, text: Uint8Array, length: number): number {
  const stored = call.space.putString(ref, call.bytes, call.start(1), call.end(1), text, 0, length, true);
  call.changed(1);
  return stored;
}

function addArgument(call: Call, sign: 1 | -1): void {
  const by = canonicalInteger(call.bytes, call.start(2), call.end(2));
  if (!Number.isNaN(by)) return addSmall(call, by * sign);
  const large = int64(call.bytes, call.start(2), call.end(2));
  if (large === undefined) return call.fail(ERR.notInteger);
  if (sign < 0 && large === -(2n ** 63n)) return call.fail("ERR decrement would overflow");
  const ref = call.expect(1, TYPE.string);
  if (ref >= 0) addLarge(call, ref, large * BigInt(sign));
}

function incrByFloat(call: Call): void {
  const ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  const { dict } = call.space;
  const value = ref === 0 ? "0" : latin1(dict.bytes, dict.valueStart, dict.valueEnd);
  const by = call.text(2);
  if (parseDouble(value) === undefined || parseDouble(by) === undefined) return call.fail(ERR.notFloat);
  const sum = addLongDoubles(value, by);
  if (sum === undefined) return call.fail(ERR.notFinite);
  const text = bytesOf(sum);
  call.space.dict.setFlag(store(call, ref, text, text.length), FLAG.text, true);
  call.logAs("SET", call.copy(1), sum, "KEEPTTL");
  call.out.bulkText(sum);
}

/** Strings that count. */
export const COUNTERS: CommandTable = {
  incr: row(2, "write denyoom fast", ONE_KEY, "string", (call) => addSmall(call, 1)),
  decr: row(2, "write denyoom fast", ONE_KEY, "string", (call) => addSmall(call, -1)),
  incrby: row(3, "write denyoom fast", ONE_KEY, "string", (call) => addArgument(call, 1)),
  decrby: row(3, "write denyoom fast", ONE_KEY, "string", (call) => addArgument(call, -1)),
  incrbyfloat: row(3, "write denyoom fast", ONE_KEY, "string", incrByFloat),
};
