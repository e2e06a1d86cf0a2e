/** Commands on keys of any type. Expiry is in expiry.ts. */
import { parseInteger } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import {
  ALL_KEYS,
  type CommandTable,
  NO_KEYS,
  ONE_KEY,
  row,
  rowOfMany,
  type Subcommands,
  TWO_KEYS,
} from "../command.ts";
import { matchesGlob } from "../glob.ts";
import { DATABASES, type Keyspace, TYPE, TYPE_NAMES } from "../keyspace.ts";
import { FLAG } from "../memory/dict.ts";
import { int64 } from "../numbers.ts";
import { ERR } from "../replies.ts";
import { rebuild } from "./rebuild.ts";
import { scanOptions } from "./scan-options.ts";

function del(call: Call): void {
  let removed = 0;
  for (let place = 1; place < call.count; place++) {
    const ref = call.find(place);
    if (ref === 0) continue;
    call.space.remove(ref);
    call.changed(place);
    removed++;
  }
  call.out.integer(removed);
}

function exists(call: Call): void {
  let found = 0;
  for (let place = 1; place < call.count; place++) if (call.find(place) !== 0) found++;
  call.out.integer(found);
}

function type(call: Call): void {
  const ref = call.space.peek(call.bytes, call.start(1), call.end(1));
  call.out.simple(TYPE_NAMES[ref === 0 ? 0 : call.space.typeOf(ref)] ?? "none");
}

function rename(call: Call, onlyNew: boolean): void {
  const { space } = call;
  const from = call.find(1);
  if (from === 0) return call.fail(ERR.noKey);
  const target = call.copy(2);
  const isSame = call.text(1) === call.text(2);
  const existing = isSame ? from : call.find(2);
  if (onlyNew && existing !== 0) return call.out.integer(0);
  if (!isSame) {
    if (existing !== 0) space.remove(existing);
    space.rename(call.find(1), target);
    call.changed(1);
    call.changed(2);
    signalReady(call, space, 2);
  }
  if (onlyNew) call.out.integer(1);
  else call.ok();
}

/** Whoever waits for elements of the key at `place` is served. */
export function signalReady(call: Call, space: Keyspace, place: number): void {
  if (call.store.waiting.size === 0) return;
  call.store.waiting.signal(`${space.index} ${call.text(place)}`);
}

function copy(call: Call): void {
  let target = call.space;
  let replace = false;
  for (let place = 3; place < call.count; place++) {
    const word = call.word(place);
    if (word === "REPLACE") {
      replace = true;
    } else if (word === "DB" && place + 1 < call.count) {
      const index = call.integer(++place);
      if (index === undefined) return;
      if (index < 0 || index >= DATABASES) return call.fail(ERR.dbIndex);
      target = call.store.space(index);
    } else return call.fail(ERR.syntax);
  }
  if (target === call.space && call.text(1) === call.text(2)) return call.fail(ERR.sameObject);
  const ref = call.find(1);
  if (ref === 0) return call.out.integer(0);
  const existing = target.find(call.bytes, call.start(2), call.end(2));
  if (existing !== 0 && !replace) return call.out.integer(0);
  if (existing !== 0) target.remove(existing);
  rebuild(call.space, call.find(1), target, call.copy(2));
  call.dirty++;
  call.store.changed(target, call.bytes, call.start(2), call.end(2), call.session);
  signalReady(call, target, 2);
  call.out.integer(1);
}

function move(call: Call): void {
  const index = call.integer(2);
  if (index === undefined) return;
  if (index < 0 || index >= DATABASES) return call.fail(ERR.dbIndex);
  const target = call.store.space(index);
  if (target === call.space) return call.fail(ERR.sameObject);
  const ref = call.find(1);
  if (ref === 0 || target.find(call.bytes, call.start(1), call.end(1)) !== 0) return call.out.integer(0);
  rebuild(call.space, call.find(1), target, call.copy(1));
  call.space.remove(call.find(1));
  call.changed(1);
  call.store.changed(target, call.bytes, call.start(1), call.end(1), call.session);
  signalReady(call, target, 1);
  call.out.integer(1);
}

function keys(call: Call): void {
  const pattern = call.copy(1);
  const { space } = call;
  const found: Uint8Array[] = [];
  const { dict } = space;
  dict.each((ref) => {
    dict.open(ref);
    const isMatch = matchesGlob(pattern, dict.bytes, dict.keyStart, dict.valueStart);
    if (isMatch && !isOver(space, ref)) found.push(dict.bytes.slice(dict.keyStart, dict.valueStart));
  });
  call.out.array(found.length);
  for (const key of found) call.out.bulk(key, 0, key.length);
}

function isOver(space: Keyspace, ref: number): boolean {
  const atMs = space.dict.expiry(ref);
  return atMs !== 0 && atMs <= space.ground.nowMs;
}

function scan(call: Call): void {
  const options = scanOptions(call, 1);
  if (options === undefined) return;
  const { space } = call;
  const { dict } = space;
  const found: Uint8Array[] = [];
  const next = dict.scan(options.cursor, options.count, (ref) => {
    if (options.type !== undefined && TYPE_NAMES[space.typeOf(ref)] !== options.type) return;
    dict.open(ref);
    const { pattern } = options;
    if (pattern !== undefined && !matchesGlob(pattern, dict.bytes, dict.keyStart, dict.valueStart)) return;
    if (!isOver(space, ref)) found.push(dict.bytes.slice(dict.keyStart, dict.valueStart));
  });
  call.out.array(2);
  call.out.bulkText(String(next));
  call.out.array(found.length);
  for (const key of found) call.out.bulk(key, 0, key.length);
}

/** Tries before a database that is nearly all expired is called empty. */
const RANDOM_TRIES = 100;

function randomKey(call: Call): void {
  for (let tries = 0; tries < RANDOM_TRIES; tries++) {
    const ref = call.space.random();
    if (ref === 0) break;
    if (call.space.expireIfDue(ref)) continue;
    const key = call.space.keyOf(ref);
    return call.out.bulk(key, 0, key.length);
  }
  call.out.null();
}

/** Runs `reply` with the entry that OBJECT asks about. */
function about(reply: (call: Call, ref: number) => void): readonly [number, (call: Call) => void] {
  return [
    3,
    (call) => {
      const ref = call.space.peek(call.bytes, call.start(2), call.end(2));
      if (ref === 0) call.out.null();
      else reply(call, ref);
    },
  ];
}

const MAY_TAKE_TIME =
  "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

function frequency({ store, space, out }: Call, ref: number): void {
  if (store.settings.policy.endsWith("-lfu"))
    return out.integer(store.eviction.frequency(space.dict.used(ref)));
  return out.error(
    `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${MAY_TAKE_TIME}`,
  );
}

function idleTime({ store, space, out }: Call, ref: number): void {
  const { policy } = store.settings;
  if (!policy.endsWith("-lfu") && policy !== "allkeys-s3-fifo")
    return out.integer(store.eviction.idleSeconds(space.dict.used(ref)));
  return out.error(`ERR An LFU maxmemory policy is selected, idle time not tracked. ${MAY_TAKE_TIME}`);
}

const OBJECT: Subcommands = {
  ENCODING: about((call, ref) => call.out.bulkText(encodingOf(call.space, ref))),
  REFCOUNT: about((call) => call.out.integer(1)),
  FREQ: about(frequency),
  IDLETIME: about(idleTime),
};

/** The name that Redis 7.0 gives to what holds such a value there. */
function encodingOf(space: Keyspace, ref: number): string {
  const { dict } = space;
  dict.open(ref);
  const isLarge = space.isStructured(ref);
  switch (space.typeOf(ref)) {
    case TYPE.string:
      return stringEncoding(space, ref);
    case TYPE.list:
      return "quicklist";
    case TYPE.set:
      return dict.has(ref, FLAG.raw) ? "hashtable" : "intset";
    case TYPE.zset:
      return isLarge ? "skiplist" : "listpack";
    default:
      return isLarge ? "hashtable" : "listpack";
  }
}

/** Strings up to here lie beside their key in Redis. */
const EMBEDDED_MAX = 44;

function stringEncoding({ dict }: Keyspace, ref: number): string {
  const { bytes, valueStart, valueEnd } = dict;
  if (dict.has(ref, FLAG.raw)) return "raw";
  const isSmall = !Number.isNaN(parseInteger(bytes, valueStart, valueEnd));
  if (
    !dict.has(ref, FLAG.text) &&
    (isSmall || valueEnd - valueStart <= 20) &&
    int64(bytes, valueStart, valueEnd) !== undefined
  )
    return "int";
  return valueEnd - valueStart <= EMBEDDED_MAX ? "embstr" : "raw";
}

function flushDb(call: Call): void {
  const word = call.count > 1 ? call.word(1) : "SYNC";
  if (call.count > 2 || (word !== "SYNC" && word !== "ASYNC")) return call.fail(ERR.syntax);
  flush(call, [call.space], "FLUSHDB");
}

function flushAll(call: Call): void {
  const word = call.count > 1 ? call.word(1) : "SYNC";
  if (call.count > 2 || (word !== "SYNC" && word !== "ASYNC")) return call.fail(ERR.syntax);
  flush(call, call.store.spaces, "FLUSHALL");
}

function flush(call: Call, spaces: readonly Keyspace[], name: string): void {
  const { store } = call;
  // A key that is not there does not change.
  store.watches.flushing((database, key) => {
    const space = store.space(database);
    return spaces.includes(space) && space.peek(key, 0, key.length) !== 0;
  });
  for (const space of spaces) space.clear();
  call.dirty++;
  call.logAs(name);
  store.flushed();
  call.ok();
}

/** Keys of any type. */
export const KEYS: CommandTable = {
  del: row(-2, "write", ALL_KEYS, "keyspace", del),
  unlink: row(-2, "write fast", ALL_KEYS, "keyspace", del),
  exists: row(-2, "readonly fast", ALL_KEYS, "keyspace", exists),
  touch: row(-2, "readonly fast", ALL_KEYS, "keyspace", exists),
  type: row(2, "readonly fast", ONE_KEY, "keyspace", type),
  rename: row(3, "write", TWO_KEYS, "keyspace", (call) => rename(call, false)),
  renamenx: row(3, "write fast", TWO_KEYS, "keyspace", (call) => rename(call, true)),
  copy: row(-3, "write denyoom", TWO_KEYS, "keyspace", copy),
  move: row(3, "write fast", ONE_KEY, "keyspace", move),
  keys: row(2, "readonly", NO_KEYS, "keyspace dangerous", keys),
  scan: row(-2, "readonly", NO_KEYS, "keyspace", scan),
  randomkey: row(1, "readonly", NO_KEYS, "keyspace", randomKey),
  object: rowOfMany(-2, "readonly", [2, 2, 1], "keyspace", OBJECT),
  dbsize: row(1, "readonly fast", NO_KEYS, "keyspace", (call) => call.out.integer(call.space.size)),
  flushdb: row(-1, "write", NO_KEYS, "keyspace dangerous", flushDb),
  flushall: row(-1, "write", NO_KEYS, "keyspace dangerous", flushAll),
};
