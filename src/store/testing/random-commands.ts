/**
 * Random commands for the comparison of the store with redis-server: all families, few keys and members so that they meet,
 * values that are small, large, numbers and not, and arguments that are wrong now and then.
 */
import type { Random } from "../../base/index.ts";

/** How replies of a command are compared: as they are, in any order, as pairs in any order, by
 * shape alone, or as times that are or are not to come. */
export type Order = "same" | "any" | "pairs" | "shape" | "time";

/** One command. */
export interface Drawn {
  readonly request: readonly string[];
  readonly order: Order;
}

type Part = (draw: Draw) => string | readonly string[];

/** Draws arguments. */
class Draw {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }
  int(below: number): number {
    return Math.floor(this.random() * below);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }
  some<T>(max: number, make: () => T): T[] {
    return Array.from({ length: 1 + this.int(max) }, make);
  }
  maybe(share: number, words: readonly string[]): readonly string[] {
    return this.random() < share ? words : [];
  }
}

/** Keys of one type mostly keep to it, so that commands do not only meet wrong types. */
const key =
  (type: string): Part =>
  (d) =>
    d.random() < 0.03 ? `any:${d.int(3)}` : `{t}${type}:${d.int(6)}`;
const str = key("s");
const hash = key("h");
const set = key("e");
const zset = key("z");
const list = key("l");
/** Sorted sets whose scores are all the same: only those have an order of members alone. */
const even: Part = (d) => `{t}x:${d.int(3)}`;
const anyKey: Part = (d) => d.pick([str, hash, set, zset, list])(d);
const field: Part = (d) => (d.random() < 0.02 ? "f".repeat(70) : `f${d.int(d.random() < 0.2 ? 300 : 12)}`);
const member: Part = (d) =>
  d.random() < 0.3
    ? String(d.int(20))
    : d.random() < 0.02
      ? "m".repeat(80)
      : `m${d.int(d.random() < 0.2 ? 300 : 12)}`;
const value: Part = (d) =>
  d.pick([
    () => String(d.int(1000)),
    () => `v${d.int(50)}`,
    () => "x".repeat(d.int(80)),
    () => (d.random() < 0.1 ? "L".repeat(20_000) : "\u0001\u0000\r\n"),
    () => "",
    () => `${d.int(100)}.${d.int(100)}`,
    () => "-9223372036854775808",
  ])();
const small: Part = (d) => String(d.int(12) - 4);
const score: Part = (d) =>
  d.pick([() => String(d.int(10)), () => String(d.int(100) / 8), () => "-3", () => "inf", () => "1e3"])();
const bound: Part = (d) => d.pick(["-inf", "+inf", "(", ""]).replace(/^(\(?)$/, (p) => `${p}${d.int(12)}`);
const lex: Part = (d) => d.pick(["-", "+", `[m${d.int(9)}`, `(m${d.int(9)}`, `[${d.int(9)}`]);
const seconds: Part = (d) => String(1000 + d.int(1000));
const word =
  (...words: string[]): Part =>
  (d) =>
    d.pick(words);
const many =
  (max: number, ...parts: Part[]): Part =>
  (d) =>
    d.some(max, () => parts.flatMap((part) => part(d))).flat();
const option =
  (share: number, ...parts: Part[]): Part =>
  (d) =>
    d.random() < share ? parts.flatMap((part) => part(d)) : [];
const keysCounted =
  (part: Part): Part =>
  (d) => {
    const keys = d.some(3, () => part(d)).flat();
    return [String(keys.length), ...keys];
  };
const fixed =
  (...words: string[]): Part =>
  () =>
    words;

type Row = readonly [weight: number, order: Order, name: string, ...parts: Part[]];

const limit: Part = (d) => ["LIMIT", String(d.int(4)), String(d.int(6) - 1)];
const bitAt: Part = (d) => String(d.pick([d.int(20), d.int(200), d.int(2000), -1]));
const fieldType: Part = (d) => `${d.pick(["i", "u"])}${d.pick([1, 5, 8, 16, 33, 63, 64, 70])}`;
const fieldOffset: Part = (d) => d.pick([`#${d.int(4)}`, String(d.int(100)), "x"]);
const fieldOperation: Part = (d) =>
  d
    .pick([
      () => ["GET", fieldType(d), fieldOffset(d)],
      () => ["SET", fieldType(d), fieldOffset(d), value(d)],
      () => ["INCRBY", fieldType(d), fieldOffset(d), String(d.int(400) - 200)],
      () => ["OVERFLOW", d.pick(["WRAP", "SAT", "FAIL", "BAD"]), "INCRBY", "u2", "#1", String(d.int(9) - 4)],
    ])()
    .flat();
const sortWords: Part = (d) => [
  ...d.maybe(0.4, ["DESC"]),
  ...d.maybe(0.4, ["LIMIT", String(d.int(4) - 1), String(d.int(6) - 1)]),
  ...d.maybe(0.2, ["GET", "{t}s:*"]),
  ...d.maybe(0.2, ["GET", "#"]),
  ...d.maybe(0.2, ["GET", "{t}h:*->f1"]),
];
const scoreRange: Part = (d) => [bound(d), bound(d)].flat();

const ROWS: readonly Row[] = [
  [6, "same", "GET", str],
  [6, "same", "SET", str, value],
  [
    3,
    "same",
    "SET",
    str,
    value,
    option(0.5, word("NX", "XX")),
    option(0.3, fixed("GET")),
    option(0.3, fixed("EX"), seconds),
  ],
  [1, "same", "SET", str, value, word("KEEPTTL", "EX", "GET", "FOO")],
  [2, "same", "SETNX", str, value],
  [1, "same", "SETEX", str, word("0", "-1", "5000", "x"), value],
  [1, "same", "PSETEX", str, seconds, value],
  [1, "same", "GETSET", str, value],
  [1, "same", "GETDEL", str],
  [1, "same", "GETEX", str, option(0.7, word("PERSIST", "EX")), option(0.3, seconds)],
  [2, "same", "MGET", many(4, anyKey)],
  [2, "same", "MSET", many(3, str, value)],
  [1, "same", "MSETNX", many(2, str, value)],
  [2, "same", "STRLEN", str],
  [3, "same", "APPEND", str, value],
  [2, "same", "SETRANGE", str, small, value],
  [2, "same", "GETRANGE", str, small, small],
  [3, "same", "INCR", str],
  [1, "same", "DECR", str],
  [2, "same", "INCRBY", str, value],
  [2, "same", "DECRBY", str, value],
  [2, "same", "INCRBYFLOAT", str, value],
  [2, "same", "SETBIT", str, bitAt, word("0", "1", "1", "2", "x")],
  [1, "same", "GETBIT", str, bitAt],
  [1, "same", "BITCOUNT", str, option(0.7, small, small, option(0.6, word("BIT", "BYTE", "BAD")))],
  [1, "same", "BITCOUNT", str, small],
  [
    2,
    "same",
    "BITPOS",
    str,
    word("0", "1", "2"),
    option(0.7, small),
    option(0.2, small, word("BIT", "BYTE")),
  ],
  [1, "same", "BITOP", word("AND", "OR", "XOR", "NOT", "BAD"), str, many(3, anyKey)],
  [2, "same", "BITFIELD", str, many(3, fieldOperation)],
  [1, "same", "BITFIELD_RO", str, fixed("GET"), fieldType, bitAt],
  [1, "same", "LCS", str, str, option(0.6, word("LEN", "IDX")), option(0.2, fixed("WITHMATCHLEN"))],
  [1, "same", "LCS", str, str, fixed("IDX", "MINMATCHLEN"), small],
  [2, "same", "SORT", list, option(0.6, fixed("ALPHA")), sortWords],
  [1, "same", "SORT", zset, fixed("ALPHA"), sortWords],
  [1, "same", "SORT", set, fixed("ALPHA"), sortWords],
  [1, "any", "SORT", zset, fixed("BY", "none"), option(0.5, fixed("DESC"))],
  [1, "any", "SORT", list, fixed("BY", "none"), option(0.5, fixed("DESC"))],
  [
    1,
    "same",
    "SORT",
    set,
    fixed("BY", "{t}s:*"),
    option(0.5, fixed("GET", "#")),
    option(0.5, fixed("GET", "{t}s:*")),
  ],
  [1, "same", "SORT", list, fixed("ALPHA", "STORE"), list],
  [1, "same", "SORT_RO", list, fixed("ALPHA"), option(0.2, fixed("STORE"), list)],
  [3, "same", "DEL", many(2, anyKey)],
  [1, "same", "UNLINK", anyKey],
  [2, "same", "EXISTS", many(3, anyKey)],
  [1, "same", "TOUCH", many(3, anyKey)],
  [2, "same", "TYPE", anyKey],
  [2, "same", "RENAME", anyKey, anyKey],
  [1, "same", "RENAMENX", anyKey, anyKey],
  [2, "same", "COPY", anyKey, anyKey, option(0.4, fixed("REPLACE")), option(0.1, fixed("DB", "1"))],
  [1, "same", "MOVE", anyKey, word("1", "0", "99")],
  [3, "same", "OBJECT", word("ENCODING", "ENCODING", "FOO"), anyKey],
  [
    2,
    "same",
    "EXPIRE",
    anyKey,
    seconds,
    option(0.5, word("NX", "XX", "GT", "LT")),
    option(0.1, word("NX", "GT", "BAD")),
  ],
  [1, "same", "EXPIREAT", anyKey, word("99999999999", "1", "-1", "x")],
  [1, "same", "PEXPIREAT", anyKey, word("99999999999999", "1000")],
  [2, "time", "TTL", anyKey],
  [1, "time", "EXPIRETIME", anyKey],
  [1, "same", "PERSIST", anyKey],
  [1, "any", "KEYS", word("*", "{t}s:*", "{t}[hz]:?", "any*")],
  [1, "same", "DBSIZE"],
  [5, "same", "HSET", hash, many(4, field, value)],
  [1, "same", "HMSET", hash, many(3, field, value)],
  [1, "same", "HSETNX", hash, field, value],
  [3, "same", "HGET", hash, field],
  [2, "same", "HMGET", hash, many(3, field)],
  [3, "same", "HDEL", hash, many(4, field)],
  [1, "same", "HLEN", hash],
  [1, "same", "HSTRLEN", hash, field],
  [1, "same", "HEXISTS", hash, field],
  [2, "pairs", "HGETALL", hash],
  [1, "any", "HKEYS", hash],
  [1, "any", "HVALS", hash],
  [2, "same", "HINCRBY", hash, field, value],
  [2, "same", "HINCRBYFLOAT", hash, field, value],
  [1, "shape", "HRANDFIELD", hash, option(0.5, small)],
  [5, "same", "SADD", set, many(5, member)],
  [3, "same", "SREM", set, many(4, member)],
  [2, "same", "SISMEMBER", set, member],
  [1, "same", "SMISMEMBER", set, many(3, member)],
  [1, "same", "SCARD", set],
  [2, "any", "SMEMBERS", set],
  [2, "same", "SMOVE", set, set, member],
  [1, "shape", "SRANDMEMBER", set, option(0.5, small)],
  [1, "any", "SUNION", many(3, set)],
  [1, "any", "SINTER", many(3, set)],
  [1, "any", "SDIFF", many(3, set)],
  [1, "same", "SUNIONSTORE", set, many(2, set)],
  [1, "same", "SINTERSTORE", set, many(2, set)],
  [1, "same", "SDIFFSTORE", set, many(2, set)],
  [1, "same", "SINTERCARD", keysCounted(set), option(0.5, fixed("LIMIT"), small)],
  [
    6,
    "same",
    "ZADD",
    zset,
    option(0.2, word("NX", "XX")),
    option(0.2, word("GT", "LT")),
    option(0.2, fixed("CH")),
    many(4, score, member),
  ],
  [2, "same", "ZADD", zset, option(0.3, word("NX", "XX", "GT")), fixed("INCR"), score, member],
  [2, "same", "ZINCRBY", zset, score, member],
  [3, "same", "ZREM", zset, many(4, member)],
  [2, "same", "ZSCORE", zset, member],
  [1, "same", "ZMSCORE", zset, many(3, member)],
  [1, "same", "ZCARD", zset],
  [2, "same", "ZRANK", zset, member],
  [1, "same", "ZREVRANK", zset, member],
  [2, "same", "ZRANGE", zset, small, small, option(0.4, fixed("REV")), option(0.5, fixed("WITHSCORES"))],
  [
    2,
    "same",
    "ZRANGE",
    zset,
    scoreRange,
    fixed("BYSCORE"),
    option(0.4, fixed("REV")),
    option(0.4, limit),
    option(0.5, fixed("WITHSCORES")),
  ],
  [3, "same", "ZADD", even, many(4, fixed("0"), member)],
  [1, "same", "ZREM", even, member],
  [2, "same", "ZRANGE", even, lex, lex, fixed("BYLEX"), option(0.4, fixed("REV")), option(0.4, limit)],
  [1, "same", "ZREVRANGE", zset, small, small, option(0.4, fixed("WITHSCORES"))],
  [1, "same", "ZRANGEBYSCORE", zset, scoreRange, option(0.4, limit), option(0.4, fixed("WITHSCORES"))],
  [1, "same", "ZREVRANGEBYSCORE", zset, scoreRange, option(0.4, limit)],
  [1, "same", "ZRANGEBYLEX", even, lex, lex, option(0.4, limit)],
  [1, "same", "ZREVRANGEBYLEX", even, lex, lex],
  [1, "same", "ZRANGESTORE", zset, zset, scoreRange, fixed("BYSCORE"), option(0.4, limit)],
  [1, "same", "ZCOUNT", zset, scoreRange],
  [1, "same", "ZLEXCOUNT", even, lex, lex],
  [1, "same", "ZREMRANGEBYRANK", zset, small, small],
  [1, "same", "ZREMRANGEBYSCORE", zset, bound, bound],
  [1, "same", "ZREMRANGEBYLEX", even, lex, lex],
  [1, "same", "ZPOPMIN", zset, option(0.5, small)],
  [1, "same", "ZPOPMAX", zset, option(0.5, small)],
  [1, "same", "ZMPOP", keysCounted(zset), word("MIN", "MAX"), option(0.5, fixed("COUNT"), small)],
  [1, "shape", "ZRANDMEMBER", zset, option(0.5, small)],
  [
    1,
    "same",
    "ZUNION",
    keysCounted(zset),
    option(0.3, fixed("AGGREGATE"), word("MIN", "MAX", "SUM")),
    option(0.5, fixed("WITHSCORES")),
  ],
  [1, "same", "ZINTER", keysCounted(zset), option(0.5, fixed("WITHSCORES"))],
  [1, "same", "ZDIFF", keysCounted(zset), option(0.5, fixed("WITHSCORES"))],
  [
    1,
    "same",
    "ZUNIONSTORE",
    zset,
    keysCounted(zset),
    option(0.3, fixed("AGGREGATE"), word("MIN", "MAX", "BAD")),
  ],
  [1, "same", "ZUNIONSTORE", zset, fixed("2"), zset, set, fixed("WEIGHTS"), score, small],
  [1, "same", "ZINTERSTORE", zset, keysCounted(zset)],
  [1, "same", "ZDIFFSTORE", zset, keysCounted(zset)],
  [1, "same", "ZINTERCARD", keysCounted(zset), option(0.5, fixed("LIMIT"), small)],
  [5, "same", "LPUSH", list, many(4, value)],
  [5, "same", "RPUSH", list, many(4, value)],
  [1, "same", "LPUSHX", list, value],
  [1, "same", "RPUSHX", list, value],
  [2, "same", "LPOP", list, option(0.3, small)],
  [2, "same", "RPOP", list, option(0.3, small)],
  [1, "same", "LLEN", list],
  [3, "same", "LRANGE", list, small, small],
  [1, "same", "LRANGE", list, fixed("0", "-1")],
  [2, "same", "LINDEX", list, small],
  [2, "same", "LSET", list, small, value],
  [2, "same", "LINSERT", list, word("BEFORE", "AFTER"), value, value],
  [2, "same", "LREM", list, small, value],
  [1, "same", "LTRIM", list, word("0", "1", "-30"), word("-1", "20", "-2")],
  [
    2,
    "same",
    "LPOS",
    list,
    value,
    option(0.4, fixed("RANK"), small),
    option(0.4, fixed("COUNT"), small),
    option(0.2, fixed("MAXLEN"), small),
  ],
  [2, "same", "LMOVE", list, list, word("LEFT", "RIGHT"), word("LEFT", "RIGHT")],
  [1, "same", "RPOPLPUSH", list, list],
  [1, "same", "LMPOP", keysCounted(list), word("LEFT", "RIGHT", "UP"), option(0.5, fixed("COUNT"), small)],
  [1, "same", "BLPOP", many(2, list), fixed("0.001")],
  [1, "same", "BLMOVE", list, list, word("LEFT", "RIGHT"), word("LEFT", "RIGHT"), fixed("0.001")],
  [1, "same", "BZPOPMIN", many(2, zset), fixed("0.001")],
  [1, "same", "BLMPOP", fixed("0.001"), keysCounted(list), word("LEFT", "RIGHT")],
  [1, "same", "MULTI"],
  [1, "same", "EXEC"],
  [1, "same", "DISCARD"],
  [1, "same", "WATCH", anyKey],
  [1, "same", "UNWATCH"],
  [1, "same", "PING", option(0.5, value)],
  [1, "same", "ECHO", value],
  [1, "same", "SELECT", word("0", "0", "0", "1", "99", "x")],
  [1, "same", "NOSUCH", many(3, value)],
  [1, "same", "GET"],
  [1, "same", "HSET", hash, field],
  [1, "same", "PUBLISH", word("c"), value],
  [1, "same", "PUBSUB", word("CHANNELS", "NUMPAT")],
];

const WEIGHT = ROWS.reduce((sum, [weight]) => sum + weight, 0);

/** The next command. */
export function drawCommand(random: Random): Drawn {
  const draw = new Draw(random);
  let left = random() * WEIGHT;
  const [, order, name, ...parts] = ROWS.find(([weight]) => (left -= weight) < 0) ?? [
    1,
    "same" as const,
    "PING",
  ];
  return { request: [name, ...parts.flatMap((part) => part(draw))], order };
}
