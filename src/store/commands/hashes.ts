/** Hashes. */
import { bytesOf, latin1 } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type CommandTable, ONE_KEY, row } from "../command.ts";
import { matchesGlob } from "../glob.ts";
import { TYPE } from "../keyspace.ts";
import { addLongDoubles } from "../long-double.ts";
import { int64, isInt64, parseDouble } from "../numbers.ts";
import { ERR, wrongArity } from "../replies.ts";
import { Hashes } from "../values/hashes.ts";
import { scanOptions } from "./scan-options.ts";

const hash = new Hashes();

/** Opens the hash at the key; makes one when there is none. False after a wrong type was replied. */
function openForWrite(call: Call): boolean {
  const ref = call.expectForWrite(1, TYPE.hash);
  if (ref < 0) return false;
  hash.open(
    call.space,
    ref === 0 ? call.space.addPacked(TYPE.hash, call.bytes, call.start(1), call.end(1)) : ref,
  );
  return true;
}

/** Opens the hash at the key. 0 when there is none, below after a wrong type was replied. */
function open(call: Call): number {
  const ref = call.expect(1, TYPE.hash);
  if (ref > 0) hash.open(call.space, ref);
  return ref;
}

function set(call: Call, field: number, value: number): boolean {
  return hash.set(
    call.bytes,
    call.start(field),
    call.end(field),
    call.bytes,
    call.start(value),
    call.end(value),
  );
}

function hSet(call: Call): void {
  if (call.count % 2 !== 0) return call.fail(wrongArity(call.name));
  if (!openForWrite(call)) return;
  let added = 0;
  for (let place = 2; place < call.count; place += 2) if (set(call, place, place + 1)) added++;
  call.changed(1);
  if (call.name === "hmset") call.ok();
  else call.out.integer(added);
}

function hSetNx(call: Call): void {
  const ref = open(call);
  if (ref < 0) return;
  if (ref > 0 && hash.get(call.bytes, call.start(2), call.end(2))) return call.out.integer(0);
  if (!openForWrite(call)) return;
  set(call, 2, 3);
  call.changed(1);
  call.out.integer(1);
}

function replyField(call: Call, isThere: boolean): void {
  if (isThere) call.out.bulk(hash.bytes, hash.start, hash.end);
  else call.out.null();
}

function hGet(call: Call): void {
  const ref = open(call);
  if (ref >= 0) replyField(call, ref > 0 && hash.get(call.bytes, call.start(2), call.end(2)));
}

function hMGet(call: Call): void {
  const ref = open(call);
  if (ref < 0) return;
  call.out.array(call.count - 2);
  for (let place = 2; place < call.count; place++)
    replyField(call, ref > 0 && hash.get(call.bytes, call.start(place), call.end(place)));
}

function hDel(call: Call): void {
  const ref = call.expectForWrite(1, TYPE.hash);
  if (ref < 0) return;
  let removed = 0;
  if (ref > 0) {
    hash.open(call.space, ref);
    for (let place = 2; place < call.count; place++)
      if (hash.delete(call.bytes, call.start(place), call.end(place))) removed++;
    if (hash.length === 0) call.space.remove(hash.ref);
    if (removed > 0) call.changed(1);
  }
  call.out.integer(removed);
}

function hGetAll(call: Call, fields: boolean, values: boolean): void {
  const ref = open(call);
  if (ref < 0) return;
  const length = ref === 0 ? 0 : hash.length;
  const { out } = call;
  if (fields && values) out.map(length);
  else out.array(length);
  if (ref === 0) return;
  hash.each((bytes, fs, fe, vs, ve) => {
    if (fields) out.bulk(bytes, fs, fe);
    if (values) out.bulk(bytes, vs, ve);
  });
}

/** A number of a field, in the reply or after. */
function hIncrBy(call: Call): void {
  const by = int64(call.bytes, call.start(3), call.end(3));
  if (by === undefined) return call.fail(ERR.notInteger);
  const ref = open(call);
  if (ref < 0) return;
  const isThere = ref > 0 && hash.get(call.bytes, call.start(2), call.end(2));
  const value = isThere ? int64(hash.bytes, hash.start, hash.end) : 0n;
  if (value === undefined) return call.fail(ERR.hashNotInteger);
  const sum = value + by;
  if (!isInt64(sum)) return call.fail(ERR.overflow);
  store(call, sum.toString());
  call.out.bigInteger(sum);
}

function store(call: Call, text: string): void {
  if (!openForWrite(call)) return;
  const bytes = bytesOf(text);
  hash.set(call.bytes, call.start(2), call.end(2), bytes, 0, bytes.length);
  call.changed(1);
}

function hIncrByFloat(call: Call): void {
  const by = call.text(3);
  const step = parseDouble(by);
  if (step === undefined) return call.fail(ERR.notFloat);
  if (!Number.isFinite(step)) return call.fail("ERR value is NaN or Infinity");
  const ref = open(call);
  if (ref < 0) return;
  const isThere = ref > 0 && hash.get(call.bytes, call.start(2), call.end(2));
  const value = isThere ? latin1(hash.bytes, hash.start, hash.end) : "0";
  if (parseDouble(value) === undefined) return call.fail(ERR.hashNotFloat);
  const sum = addLongDoubles(value, by);
  if (sum === undefined) return call.fail(ERR.notFinite);
  store(call, sum);
  call.logAs("HSET", call.copy(1), call.copy(2), sum);
  call.out.bulkText(sum);
}

function hStrLen(call: Call): void {
  const ref = open(call);
  if (ref < 0) return;
  const isThere = ref > 0 && hash.get(call.bytes, call.start(2), call.end(2));
  call.out.integer(isThere ? hash.end - hash.start : 0);
}

function hExists(call: Call): void {
  const ref = open(call);
  if (ref >= 0) call.out.integer(ref > 0 && hash.get(call.bytes, call.start(2), call.end(2)) ? 1 : 0);
}

function hLen(call: Call): void {
  const ref = open(call);
  if (ref >= 0) call.out.integer(ref === 0 ? 0 : hash.length);
}

function hScan(call: Call): void {
  const options = scanOptions(call, 2);
  if (options === undefined) return;
  const ref = open(call);
  if (ref < 0) return;
  const found: Uint8Array[] = [];
  const take = (bytes: Uint8Array, fs: number, fe: number, vs: number, ve: number): void => {
    const { pattern } = options;
    if (pattern === undefined || matchesGlob(pattern, bytes, fs, fe))
      found.push(bytes.slice(fs, fe), bytes.slice(vs, ve));
  };
  let next = 0;
  const table = ref > 0 ? hash.table : undefined;
  if (table !== undefined) {
    next = table.scan(options.cursor, options.count, (entry) => {
      table.open(entry);
      take(table.bytes, table.keyStart, table.valueStart, table.valueStart, table.valueEnd);
    });
  } else if (ref > 0) hash.each(take);
  call.out.array(2);
  call.out.bulkText(String(next));
  call.out.array(found.length);
  for (const bytes of found) call.out.bulk(bytes, 0, bytes.length);
}

function hRandField(call: Call): void {
  const wanted = sampleCount(call);
  if (wanted === undefined) return;
  const withValues = call.count === 4 && call.word(3) === "WITHVALUES";
  if (call.count > 4 || (call.count === 4 && !withValues)) return call.fail(ERR.syntax);
  const ref = open(call);
  if (ref < 0) return;
  const { out } = call;
  if (ref === 0) return call.count === 2 ? out.null() : out.array(0);
  const pairs: [Uint8Array, Uint8Array][] = [];
  hash.each((bytes, fs, fe, vs, ve) => pairs.push([bytes.slice(fs, fe), bytes.slice(vs, ve)]));
  const chosen = sample(pairs, wanted, call);
  if (call.count === 2) return out.bulk(chosen[0]?.[0] ?? new Uint8Array(0), 0, chosen[0]?.[0].length ?? 0);
  const nested = withValues && out.protocol === 3;
  out.array(withValues && !nested ? chosen.length * 2 : chosen.length);
  for (const [field, value] of chosen) {
    if (nested) out.array(2);
    out.bulk(field, 0, field.length);
    if (withValues) out.bulk(value, 0, value.length);
  }
}

/** With repetition, a reply is made in memory: no more elements than these. Redis sends for as long as it takes. */
const REPEATED_MAX = 10_000_000;

/** How many random elements are asked for, 1 unless said; undefined after the error was replied. */
export function sampleCount(call: Call): number | undefined {
  const wanted = call.count > 2 ? call.integer(2) : 1;
  if (wanted === undefined || wanted >= -REPEATED_MAX) return wanted;
  call.fail(ERR.outOfRange);
  return undefined;
}

/** `wanted` different ones, or, below zero, as many with repetition. */
export function sample<T>(items: readonly T[], wanted: number, call: Call): T[] {
  const { random } = call.store.parts;
  if (items.length === 0) return [];
  if (wanted < 0)
    return Array.from({ length: -wanted }, () => items[Math.floor(random() * items.length)] as T);
  const pool = [...items];
  const count = Math.min(wanted, pool.length);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random() * (pool.length - i));
    const item = pool[i] as T;
    pool[i] = pool[other] as T;
    pool[other] = item;
  }
  return pool.slice(0, count);
}

/** Commands on hashes. */
export const HASHES: CommandTable = {
  hset: row(-4, "write denyoom fast", ONE_KEY, "hash", hSet),
  hmset: row(-4, "write denyoom fast", ONE_KEY, "hash", hSet),
  hsetnx: row(4, "write denyoom fast", ONE_KEY, "hash", hSetNx),
  hget: row(3, "readonly fast", ONE_KEY, "hash", hGet),
  hmget: row(-3, "readonly fast", ONE_KEY, "hash", hMGet),
  hdel: row(-3, "write fast", ONE_KEY, "hash", hDel),
  hlen: row(2, "readonly fast", ONE_KEY, "hash", hLen),
  hstrlen: row(3, "readonly fast", ONE_KEY, "hash", hStrLen),
  hexists: row(3, "readonly fast", ONE_KEY, "hash", hExists),
  hgetall: row(2, "readonly", ONE_KEY, "hash", (call) => hGetAll(call, true, true)),
  hkeys: row(2, "readonly", ONE_KEY, "hash", (call) => hGetAll(call, true, false)),
  hvals: row(2, "readonly", ONE_KEY, "hash", (call) => hGetAll(call, false, true)),
  hincrby: row(4, "write denyoom fast", ONE_KEY, "hash", hIncrBy),
  hincrbyfloat: row(4, "write denyoom fast", ONE_KEY, "hash", hIncrByFloat),
  hscan: row(-3, "readonly", ONE_KEY, "hash", hScan),
  hrandfield: row(-2, "readonly", ONE_KEY, "hash", hRandField),
};
