/** Sets. */
import { bytesOf, latin1 } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { ALL_KEYS, type CommandTable, ONE_KEY, row, rowWithCount, TWO_KEYS } from "../command.ts";
import { matchesGlob } from "../glob.ts";
import { TYPE } from "../keyspace.ts";
import { ERR } from "../replies.ts";
import { Sets } from "../values/sets.ts";
import { sample, sampleCount } from "./hashes.ts";
import { scanOptions } from "./scan-options.ts";

const set = new Sets();

function open(call: Call, place: number): number {
  const ref = call.expect(place, TYPE.set);
  if (ref > 0) set.open(call.space, ref);
  return ref;
}

function openForWrite(call: Call, place: number): boolean {
  const ref = call.expectForWrite(place, TYPE.set);
  if (ref < 0) return false;
  const made = (): number => call.space.addPacked(TYPE.set, call.bytes, call.start(place), call.end(place));
  set.open(call.space, ref === 0 ? made() : ref);
  return true;
}

function sAdd(call: Call): void {
  if (!openForWrite(call, 1)) return;
  let added = 0;
  for (let place = 2; place < call.count; place++)
    if (set.add(call.bytes, call.start(place), call.end(place))) added++;
  if (added > 0) call.changed(1);
  call.out.integer(added);
}

function sRem(call: Call): void {
  const ref = call.expectForWrite(1, TYPE.set);
  if (ref < 0) return;
  let removed = 0;
  if (ref > 0) {
    set.open(call.space, ref);
    for (let place = 2; place < call.count; place++)
      if (set.remove(call.bytes, call.start(place), call.end(place))) removed++;
    if (set.length === 0) call.space.remove(set.ref);
    if (removed > 0) call.changed(1);
  }
  call.out.integer(removed);
}

function sIsMember(call: Call): void {
  const ref = open(call, 1);
  if (ref >= 0) call.out.integer(ref > 0 && set.has(call.bytes, call.start(2), call.end(2)) ? 1 : 0);
}

function sMIsMember(call: Call): void {
  const ref = open(call, 1);
  if (ref < 0) return;
  call.out.array(call.count - 2);
  for (let place = 2; place < call.count; place++)
    call.out.integer(ref > 0 && set.has(call.bytes, call.start(place), call.end(place)) ? 1 : 0);
}

function sCard(call: Call): void {
  const ref = open(call, 1);
  if (ref >= 0) call.out.integer(ref === 0 ? 0 : set.length);
}

function sMembers(call: Call): void {
  const ref = open(call, 1);
  if (ref < 0) return;
  const { out } = call;
  out.set(ref === 0 ? 0 : set.length);
  if (ref > 0) set.each((bytes, start, end) => out.bulk(bytes, start, end));
}

function sMove(call: Call): void {
  const from = call.expectForWrite(1, TYPE.set);
  if (from < 0) return;
  if (from === 0) return call.out.integer(0);
  const to = call.expect(2, TYPE.set);
  if (to < 0) return;
  set.open(call.space, call.find(1));
  if (call.text(1) === call.text(2))
    return call.out.integer(set.has(call.bytes, call.start(3), call.end(3)) ? 1 : 0);
  if (!set.remove(call.bytes, call.start(3), call.end(3))) return call.out.integer(0);
  if (set.length === 0) call.space.remove(set.ref);
  call.changed(1);
  if (openForWrite(call, 2) && set.add(call.bytes, call.start(3), call.end(3))) call.changed(2);
  call.out.integer(1);
}

function sPop(call: Call): void {
  const wanted = call.count > 2 ? call.integer(2, ERR.mustBePositive) : 1;
  if (wanted === undefined) return;
  if (call.count > 3) return call.fail(ERR.syntax);
  if (wanted < 0) return call.fail(ERR.mustBePositive);
  const ref = call.expectForWrite(1, TYPE.set);
  if (ref < 0) return;
  const { out } = call;
  if (ref === 0) return call.count > 2 ? out.set(0) : out.null();
  set.open(call.space, ref);
  const count = Math.min(wanted, set.length);
  if (call.count > 2) out.set(count);
  const popped: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const member = set.random();
    popped.push(member);
    set.remove(member, 0, member.length);
    out.bulk(member, 0, member.length);
  }
  if (set.length === 0) call.space.remove(set.ref);
  if (popped.length === 0) return;
  call.changed(1);
  call.logAs("SREM", call.copy(1), ...popped);
}

function sRandMember(call: Call): void {
  const wanted = sampleCount(call);
  if (wanted === undefined) return;
  if (call.count > 3) return call.fail(ERR.syntax);
  const ref = open(call, 1);
  if (ref < 0) return;
  const { out } = call;
  if (call.count === 2) {
    if (ref === 0) return out.null();
    const member = set.random();
    return out.bulk(member, 0, member.length);
  }
  const members: Uint8Array[] = [];
  if (ref > 0) set.each((bytes, start, end) => members.push(bytes.slice(start, end)));
  const chosen = sample(members, wanted, call);
  out.array(chosen.length);
  for (const member of chosen) out.bulk(member, 0, member.length);
}

function sScan(call: Call): void {
  const options = scanOptions(call, 2);
  if (options === undefined) return;
  const ref = open(call, 1);
  if (ref < 0) return;
  const found: Uint8Array[] = [];
  const take = (bytes: Uint8Array, start: number, end: number): void => {
    if (options.pattern === undefined || matchesGlob(options.pattern, bytes, start, end))
      found.push(bytes.slice(start, end));
  };
  let next = 0;
  const table = ref > 0 ? set.table : undefined;
  if (table !== undefined) {
    next = table.scan(options.cursor, options.count, (entry) => {
      table.open(entry);
      take(table.bytes, table.keyStart, table.valueStart);
    });
  } else if (ref > 0) set.each(take);
  call.out.array(2);
  call.out.bulkText(String(next));
  call.out.array(found.length);
  for (const member of found) call.out.bulk(member, 0, member.length);
}

// --- algebra --------------------------------------------------------------------------------------------------

/** Union, intersection or difference. */
type Operation = "union" | "inter" | "diff";

/** The members of the sets at `places`; undefined after a wrong type was replied. */
function combine(call: Call, operation: Operation, places: readonly number[]): Set<string> | undefined {
  const sets: Set<string>[] = [];
  for (const place of places) {
    const ref = open(call, place);
    if (ref < 0) return undefined;
    const members = new Set<string>();
    if (ref > 0) set.each((bytes, start, end) => members.add(latin1(bytes, start, end)));
    sets.push(members);
  }
  const [first = new Set<string>(), ...others] = sets;
  if (operation === "union") return new Set(sets.flatMap((members) => [...members]));
  const isKept = (member: string): boolean =>
    operation === "inter"
      ? others.every((other) => other.has(member))
      : !others.some((other) => other.has(member));
  return new Set([...first].filter(isKept));
}

function placesFrom(call: Call, first: number, last: number = call.count): number[] {
  return Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
}

function reply(operation: Operation): (call: Call) => void {
  return (call) => {
    const members = combine(call, operation, placesFrom(call, 1));
    if (members === undefined) return;
    call.out.set(members.size);
    for (const member of members) call.out.bulkText(member);
  };
}

function store(operation: Operation): (call: Call) => void {
  return (call) => {
    const members = combine(call, operation, placesFrom(call, 2));
    if (members === undefined) return;
    const existing = call.find(1);
    if (existing !== 0) call.space.remove(existing);
    if (members.size > 0) {
      call.find(1);
      openForWrite(call, 1);
      for (const member of members) set.add(bytesOf(member), 0, member.length);
    }
    if (existing !== 0 || members.size > 0) call.changed(1);
    call.out.integer(members.size);
  };
}

function sInterCard(call: Call): void {
  const count = call.integer(1, "ERR numkeys should be greater than 0");
  if (count === undefined) return;
  if (count <= 0) return call.fail("ERR numkeys should be greater than 0");
  if (count > call.count - 2) return call.fail("ERR Number of keys can't be greater than number of args");
  let limit = 0;
  for (let place = 2 + count; place < call.count; place += 2) {
    if (call.word(place) !== "LIMIT" || place + 1 >= call.count) return call.fail(ERR.syntax);
    limit = call.integerOrNaN(place + 1);
    if (Number.isNaN(limit) || limit < 0) return call.fail("ERR LIMIT can't be negative");
  }
  const members = combine(call, "inter", placesFrom(call, 2, 2 + count));
  if (members !== undefined) call.out.integer(limit === 0 ? members.size : Math.min(limit, members.size));
}

/** Commands on sets. */
export const SETS: CommandTable = {
  sadd: row(-3, "write denyoom fast", ONE_KEY, "set", sAdd),
  srem: row(-3, "write fast", ONE_KEY, "set", sRem),
  sismember: row(3, "readonly fast", ONE_KEY, "set", sIsMember),
  smismember: row(-3, "readonly fast", ONE_KEY, "set", sMIsMember),
  scard: row(2, "readonly fast", ONE_KEY, "set", sCard),
  smembers: row(2, "readonly", ONE_KEY, "set", sMembers),
  smove: row(4, "write fast", TWO_KEYS, "set", sMove),
  spop: row(-2, "write fast", ONE_KEY, "set", sPop),
  srandmember: row(-2, "readonly", ONE_KEY, "set", sRandMember),
  sscan: row(-3, "readonly", ONE_KEY, "set", sScan),
  sunion: row(-2, "readonly", ALL_KEYS, "set", reply("union")),
  sinter: row(-2, "readonly", ALL_KEYS, "set", reply("inter")),
  sdiff: row(-2, "readonly", ALL_KEYS, "set", reply("diff")),
  sunionstore: row(-3, "write denyoom", ALL_KEYS, "set", store("union")),
  sinterstore: row(-3, "write denyoom", ALL_KEYS, "set", store("inter")),
  sdiffstore: row(-3, "write denyoom", ALL_KEYS, "set", store("diff")),
  sintercard: rowWithCount(-3, "readonly", 1, [], "set", sInterCard),
};
