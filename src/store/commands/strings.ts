/** Strings: GET and SET in all their forms. Counting is in counters.ts. */
import type { Call } from "../call.ts";
import { ALL_KEYS, type CommandTable, ONE_KEY, row } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import { FLAG } from "../memory/dict.ts";
import { ERR, wrongArity } from "../replies.ts";
import { expiryFrom } from "./expiry-options.ts";

/** Replies the string at `ref`, null for 0. */
export function replyString(call: Call, ref: number): void {
  if (ref === 0) return call.out.null();
  const { dict } = call.space;
  call.out.bulk(dict.bytes, dict.valueStart, dict.valueEnd);
}

function get(call: Call): void {
  const ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  if (ref === 0) call.store.misses++;
  else call.store.hits++;
  replyString(call, ref);
}

function getDel(call: Call): void {
  const ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  replyString(call, ref);
  if (ref === 0) return;
  call.space.remove(ref);
  call.changed(1);
}

function getEx(call: Call): void {
  const options = expiryFrom(call, 2, "getex");
  if (options === undefined) return;
  let ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  replyString(call, ref);
  if (ref === 0) return;
  const { space } = call;
  if (options.persist) {
    if (space.dict.expiry(ref) === 0) return;
    space.setExpiry(ref, 0);
    call.logAs("PERSIST", call.copy(1));
  } else if (options.atMs !== undefined) {
    if (options.atMs <= space.ground.nowMs) {
      space.remove(ref);
      call.logAs("DEL", call.copy(1));
    } else {
      ref = space.setExpiry(ref, options.atMs);
      call.logAs("PEXPIREAT", call.copy(1), String(options.atMs));
    }
  } else return;
  call.changed(1);
}

/** Sets the key at 1 to the argument at `place`; the hot path. */
function put(call: Call, found: number, place: number, keepExpiry: boolean): number {
  const { space, bytes } = call;
  return space.putString(
    found,
    bytes,
    call.start(1),
    call.end(1),
    bytes,
    call.start(place),
    call.end(place),
    keepExpiry,
  );
}

function set(call: Call): void {
  if (call.count === 3) {
    put(call, call.find(1), 2, false);
    call.changed(1);
    call.ok();
    return;
  }
  setWithOptions(call);
}

interface SetOptions {
  nx: boolean;
  xx: boolean;
  get: boolean;
  keepTtl: boolean;
}

function setWithOptions(call: Call): void {
  const options: SetOptions = { nx: false, xx: false, get: false, keepTtl: false };
  const words: number[] = [];
  for (let place = 3; place < call.count; place++) {
    const word = call.word(place);
    if (word === "NX" && !options.xx) options.nx = true;
    else if (word === "XX" && !options.nx) options.xx = true;
    else if (word === "GET") options.get = true;
    else if (word === "KEEPTTL" && words.length === 0) options.keepTtl = true;
    else if (
      /^(?:EX|PX|EXAT|PXAT)$/.test(word) &&
      place + 1 < call.count &&
      words.length === 0 &&
      !options.keepTtl
    )
      words.push(place++);
    else return call.fail(ERR.syntax);
  }
  const expiry = expiryFrom(call, words[0] ?? call.count, "set", words.length === 0 ? 0 : 2);
  if (expiry !== undefined) applySet(call, options, expiry.atMs);
}

function applySet(
  call: Call,
  { nx, xx, get: wantsOld, keepTtl }: SetOptions,
  atMs: number | undefined,
): void {
  const { space, out } = call;
  let found: number;
  if (wantsOld) {
    found = call.expect(1, TYPE.string);
    if (found < 0) return;
    replyString(call, found);
  } else {
    found = call.find(1);
  }
  if ((nx && found !== 0) || (xx && found === 0)) {
    if (!wantsOld) out.null();
    return;
  }
  let ref = put(call, found, 2, keepTtl);
  call.changed(1);
  if (atMs !== undefined && atMs <= space.ground.nowMs) {
    space.remove(ref);
    call.logAs("DEL", call.copy(1));
  } else if (atMs !== undefined) {
    ref = space.setExpiry(ref, atMs);
    call.logAs("SET", call.copy(1), call.copy(2), "PXAT", String(atMs));
  } else {
    call.logAs("SET", call.copy(1), call.copy(2), ...(keepTtl ? ["KEEPTTL"] : []));
  }
  if (!wantsOld) call.ok();
}

function setNx(call: Call): void {
  const isThere = call.find(1) !== 0;
  if (!isThere) {
    put(call, 0, 2, false);
    call.changed(1);
  }
  call.out.integer(isThere ? 0 : 1);
}

/** SETEX and PSETEX: key, time, value. */
function setFor(call: Call, unitMs: number): void {
  const time = call.integer(2);
  if (time === undefined) return;
  if (time <= 0 || time > Number.MAX_SAFE_INTEGER / unitMs)
    return call.fail(`ERR invalid expire time in '${call.name}' command`);
  const { space } = call;
  const atMs = space.ground.nowMs + time * unitMs;
  space.setExpiry(put(call, call.find(1), 3, false), atMs);
  call.changed(1);
  call.logAs("SET", call.copy(1), call.copy(3), "PXAT", String(atMs));
  call.ok();
}

function getSet(call: Call): void {
  const ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  replyString(call, ref);
  put(call, ref, 2, false);
  call.changed(1);
  call.logAs("SET", call.copy(1), call.copy(2));
}

function mGet(call: Call): void {
  call.out.array(call.count - 1);
  for (let place = 1; place < call.count; place++) {
    const ref = call.find(place);
    replyString(call, ref !== 0 && call.space.typeOf(ref) === TYPE.string ? ref : 0);
    if (ref === 0) call.store.misses++;
    else call.store.hits++;
  }
}

function setPairs(call: Call): void {
  const { space, bytes } = call;
  for (let place = 1; place < call.count; place += 2) {
    const value: readonly [number, number] = [call.start(place + 1), call.end(place + 1)];
    space.setString(bytes, [call.start(place), call.end(place)], bytes, value, false);
    call.changed(place);
  }
}

function mSet(call: Call): void {
  if (call.count % 2 === 0) return call.fail(wrongArity("mset"));
  setPairs(call);
  call.ok();
}

function mSetNx(call: Call): void {
  if (call.count % 2 === 0) return call.fail(wrongArity("msetnx"));
  for (let place = 1; place < call.count; place += 2) if (call.find(place) !== 0) return call.out.integer(0);
  setPairs(call);
  call.out.integer(1);
}

function strLen(call: Call): void {
  const ref = call.expect(1, TYPE.string);
  if (ref >= 0) call.out.integer(ref === 0 ? 0 : call.space.dict.valueEnd - call.space.dict.valueStart);
}

function append(call: Call): void {
  const ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  const { dict } = call.space;
  const added = call.length(2);
  if (ref === 0) {
    put(call, 0, 2, false);
    call.changed(1);
    return call.out.integer(added);
  }
  const length = dict.valueEnd - dict.valueStart;
  if (length + added > call.store.settings.argumentBytesMax) return call.fail(ERR.tooLong);
  call.space.beforeWrite(ref);
  const grown = dict.resize(ref, length + added);
  dict.bytes.set(call.bytes.subarray(call.start(2), call.end(2)), dict.valueStart + length);
  dict.setFlag(grown, FLAG.raw, true);
  call.changed(1);
  call.out.integer(length + added);
}

function setRange(call: Call): void {
  const offset = call.integer(2);
  if (offset === undefined) return;
  if (offset < 0) return call.fail(ERR.offset);
  let ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  const { dict } = call.space;
  const added = call.length(3);
  const length = ref === 0 ? 0 : dict.valueEnd - dict.valueStart;
  if (added === 0) return call.out.integer(length);
  if (offset + added > call.store.settings.argumentBytesMax) return call.fail(ERR.tooLong);
  const needed = Math.max(length, offset + added);
  if (ref === 0) {
    ref = call.space.add(TYPE.string, call.bytes, call.start(1), call.end(1), needed);
  } else {
    call.space.beforeWrite(ref);
    ref = dict.resize(ref, needed);
  }
  dict.bytes.fill(0, dict.valueStart + length, dict.valueEnd);
  dict.bytes.set(call.bytes.subarray(call.start(3), call.end(3)), dict.valueStart + offset);
  dict.setFlag(ref, FLAG.raw, true);
  call.changed(1);
  call.out.integer(needed);
}

function getRange(call: Call): void {
  const from = call.integer(2);
  if (from === undefined) return;
  const to = call.integer(3);
  if (to === undefined) return;
  const ref = call.expect(1, TYPE.string);
  if (ref < 0) return;
  const { dict } = call.space;
  const length = ref === 0 ? 0 : dict.valueEnd - dict.valueStart;
  if (from < 0 && to < 0 && from > to) return call.out.bulkText("");
  const first = Math.max(0, from < 0 ? length + from : from);
  const last = Math.min(length - 1, Math.max(0, to < 0 ? length + to : to));
  if (length === 0 || first > last) return call.out.bulkText("");
  call.out.bulk(dict.bytes, dict.valueStart + first, dict.valueStart + last + 1);
}

/** Strings that are got and set. */
export const STRINGS: CommandTable = {
  get: row(2, "readonly fast", ONE_KEY, "string", get),
  getdel: row(2, "write fast", ONE_KEY, "string", getDel),
  getex: row(-2, "write fast", ONE_KEY, "string", getEx),
  set: row(-3, "write denyoom", ONE_KEY, "string", set),
  setnx: row(3, "write denyoom fast", ONE_KEY, "string", setNx),
  setex: row(4, "write denyoom", ONE_KEY, "string", (call) => setFor(call, 1000)),
  psetex: row(4, "write denyoom", ONE_KEY, "string", (call) => setFor(call, 1)),
  getset: row(3, "write denyoom fast", ONE_KEY, "string", getSet),
  mget: row(-2, "readonly fast", ALL_KEYS, "string", mGet),
  mset: row(-3, "write denyoom", [1, -1, 2], "string", mSet),
  msetnx: row(-3, "write denyoom", [1, -1, 2], "string", mSetNx),
  strlen: row(2, "readonly fast", ONE_KEY, "string", strLen),
  append: row(3, "write denyoom fast", ONE_KEY, "string", append),
  setrange: row(4, "write denyoom", ONE_KEY, "string", setRange),
  getrange: row(4, "readonly", ONE_KEY, "string", getRange),
  substr: row(4, "readonly", ONE_KEY, "string", getRange),
};
