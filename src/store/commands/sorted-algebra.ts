/** Union, intersection and difference of sorted sets; plain sets count as members of score 1. */
import { bytesOf, latin1 } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import { type CommandTable, rowWithCount } from "../command.ts";
import { TYPE } from "../keyspace.ts";
import { parseDouble } from "../numbers.ts";
import { ERR } from "../replies.ts";
import { Sets } from "../values/sets.ts";
import { compareBytes } from "../values/sorted-sets.ts";
import { type Scored, storeSorted } from "./sorted-ranges.ts";
import { openSorted, zset } from "./sorted-sets.ts";

type Operation = "union" | "inter" | "diff";

const set = new Sets();

const AGGREGATES: Readonly<Record<string, (a: number, b: number) => number>> = {
  // Infinity minus infinity is zero here, as in Redis.
  SUM: (a, b) => (Number.isNaN(a + b) ? 0 : a + b),
  MIN: Math.min,
  MAX: Math.max,
};

interface Options {
  readonly keys: readonly number[];
  readonly weights: readonly number[];
  readonly aggregate: (a: number, b: number) => number;
  readonly withScores: boolean;
}

/** `numkeys key … [WEIGHTS …] [AGGREGATE …] [WITHSCORES]` from `at` on; undefined after the error was replied. */
function options(call: Call, at: number, operation: Operation, isStore: boolean): Options | undefined {
  const count = call.integer(at);
  if (count === undefined) return undefined;
  if (count < 1) return fail(call, `ERR at least 1 input key is needed for '${call.name}' command`);
  if (count > call.count - at - 1) return fail(call, ERR.syntax);
  const keys = Array.from({ length: count }, (_, i) => at + 1 + i);
  // Types come before options.
  if (keys.some((place) => !isSortable(call, place))) return fail(call, ERR.wrongType);
  let weights: number[] = keys.map(() => 1);
  let aggregate = AGGREGATES["SUM"];
  let withScores = false;
  for (let place = at + 1 + count; place < call.count; place++) {
    const word = call.word(place);
    if (word === "WEIGHTS" && operation !== "diff" && place + count < call.count) {
      const given = keys.map((_, i) => parseDouble(call.text(place + 1 + i)));
      if (given.includes(undefined)) return fail(call, "ERR weight value is not a float");
      weights = given.map((weight) => weight ?? 1);
      place += count;
    } else if (word === "AGGREGATE" && operation !== "diff" && place + 1 < call.count) {
      aggregate = AGGREGATES[call.word(++place)];
      if (aggregate === undefined) return fail(call, ERR.syntax);
    } else if (word === "WITHSCORES" && !isStore) {
      withScores = true;
    } else return fail(call, ERR.syntax);
  }
  return { keys, weights, aggregate: aggregate ?? Math.max, withScores };
}

function isSortable(call: Call, place: number): boolean {
  const ref = call.find(place);
  const type = ref === 0 ? TYPE.zset : call.space.typeOf(ref);
  return type === TYPE.set || type === TYPE.zset;
}

function fail(call: Call, error: string): undefined {
  call.fail(error);
  return undefined;
}

/** Members and weighted scores of the set at `place`; undefined after a wrong type was replied. */
function membersOf(call: Call, place: number, weight: number): Map<string, number> | undefined {
  const members = new Map<string, number>();
  const weighted = (score: number): number => (Number.isNaN(score * weight) ? 0 : score * weight);
  const ref = call.find(place);
  if (ref !== 0 && call.space.typeOf(ref) === TYPE.set) {
    set
      .open(call.space, ref)
      .each((bytes, start, end) => members.set(latin1(bytes, start, end), weighted(1)));
    return members;
  }
  const opened = openSorted(call, place);
  if (opened < 0) return undefined;
  if (opened > 0)
    zset.each(0, zset.length, false, (bytes, start, end, score) =>
      members.set(latin1(bytes, start, end), weighted(score)),
    );
  return members;
}

/** What the operation gives, in order; undefined after an error was replied. */
function combine(
  call: Call,
  operation: Operation,
  { keys, weights, aggregate }: Options,
): Scored[] | undefined {
  const sets: Map<string, number>[] = [];
  for (const [i, place] of keys.entries()) {
    const members = membersOf(call, place, weights[i] ?? 1);
    if (members === undefined) return undefined;
    sets.push(members);
  }
  // The smallest comes first, as in Redis: it shows where infinities of both signs are added.
  if (operation !== "diff") sets.sort((a, b) => a.size - b.size);
  const [first = new Map<string, number>(), ...others] = sets;
  const result = new Map(first);
  for (const other of others) {
    if (operation === "diff") for (const member of other.keys()) result.delete(member);
    if (operation === "inter")
      for (const member of [...result.keys()]) if (!other.has(member)) result.delete(member);
    if (operation === "diff") continue;
    for (const [member, score] of other) {
      const present = result.get(member);
      if (present !== undefined) result.set(member, aggregate(present, score));
      else if (operation === "union") result.set(member, score);
    }
  }
  return [...result].map(([member, score]): Scored => [bytesOf(member), score]).toSorted(inOrder);
}

function inOrder([a, aScore]: Scored, [b, bScore]: Scored): number {
  return aScore < bScore ? -1 : aScore > bScore ? 1 : compareBytes(a, 0, a.length, b, 0, b.length);
}

function reply(operation: Operation): (call: Call) => void {
  return (call) => {
    const asked = options(call, 1, operation, false);
    const members = asked === undefined ? undefined : combine(call, operation, asked);
    if (asked === undefined || members === undefined) return;
    const { out } = call;
    const nested = asked.withScores && out.protocol === 3;
    out.array(asked.withScores && !nested ? members.length * 2 : members.length);
    for (const [member, score] of members) {
      if (nested) out.array(2);
      out.bulk(member, 0, member.length);
      if (asked.withScores) out.double(score);
    }
  };
}

function store(operation: Operation): (call: Call) => void {
  return (call) => {
    const asked = options(call, 2, operation, true);
    const members = asked === undefined ? undefined : combine(call, operation, asked);
    if (members !== undefined) storeSorted(call, 1, members);
  };
}

function zInterCard(call: Call): void {
  const count = call.integer(1);
  if (count === undefined) return;
  if (count < 1) return call.fail("ERR at least 1 input key is needed for 'zintercard' command");
  if (count > call.count - 2) return call.fail(ERR.syntax);
  const keys = Array.from({ length: count }, (_, i) => 2 + i);
  if (keys.some((place) => !isSortable(call, place))) return call.fail(ERR.wrongType);
  let limit = 0;
  for (let place = 2 + count; place < call.count; place += 2) {
    if (call.word(place) !== "LIMIT" || place + 1 >= call.count) return call.fail(ERR.syntax);
    limit = call.integerOrNaN(place + 1);
    if (Number.isNaN(limit) || limit < 0) return call.fail("ERR LIMIT can't be negative");
  }
  const members = combine(call, "inter", { keys, weights: [], aggregate: Math.max, withScores: false });
  if (members !== undefined) call.out.integer(limit === 0 ? members.length : Math.min(limit, members.length));
}

const read = (run: (call: Call) => void): ReturnType<typeof rowWithCount> =>
  rowWithCount(-3, "readonly", 1, [], "sortedset", run);
const write = (run: (call: Call) => void): ReturnType<typeof rowWithCount> =>
  rowWithCount(-4, "write denyoom", 2, [1], "sortedset", run);

/** Commands on several sorted sets. */
export const SORTED_ALGEBRA: CommandTable = {
  zunion: read(reply("union")),
  zinter: read(reply("inter")),
  zdiff: read(reply("diff")),
  zunionstore: write(store("union")),
  zinterstore: write(store("inter")),
  zdiffstore: write(store("diff")),
  zintercard: read(zInterCard),
};
