import { describe, expect, test } from "bun:test";
import { type Reply, ReplyError } from "../reply.ts";
import { isClusterUrl, parseClusterUrl } from "./cluster-url.ts";
import { firstKeyOf, splitRequest } from "./keys.ts";
import { crc16, SLOTS, slotOf } from "./slot.ts";
import { readSlotMap, redirectionOf, sameSlots, withOwner } from "./slot-map.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("slots", () => {
  test("the checksum is the specification's CRC16", () => {
    expect(crc16(bytes("123456789"))).toBe(0x31c3);
    expect(crc16(bytes(""))).toBe(0);
  });

  // From the specification and its reference implementation, and `CLUSTER KEYSLOT` of redis-server 7.0.15.
  test.each([
    ["foo", 12_182],
    ["bar", 5061],
    ["somekey", 11_058],
    ["foo{hash_tag}", 2515],
    ["bar{hash_tag}", 2515],
    ["{user1000}.following", 3443],
    ["{user1000}.followers", 3443],
    ["foo{}{bar}", 8363],
    ["foo{{bar}}zap", 4015],
    ["foo{bar}{zap}", 5061],
  ])("%p lies in slot %p", (key, slot) => {
    expect(slotOf(key)).toBe(slot);
    expect(slotOf(bytes(key))).toBe(slot);
  });

  test("a brace that is not closed, or not opened, is no tag", () => {
    for (const key of ["a{b", "a}b", "}a{", "{"]) expect(slotOf(key)).toBe(crc16(bytes(key)) % SLOTS);
  });
});

const RANGES: Reply = [
  [0, 8191, [bytes("10.0.0.1"), 7000, bytes("id"), []], [bytes("10.0.0.3"), 7002, bytes("id"), []]],
  [8192, 16_382, [bytes(""), 7001, bytes("id"), []]],
];

describe("the map of slots", () => {
  test("has the primary of each slot; a node without a name is where the reply came from", () => {
    const map = readSlotMap(RANGES, "seed:9");
    expect(map?.primaries).toEqual(["10.0.0.1:7000", "seed:7001"]);
    expect([0, 8191, 8192, 16_382, 16_383].map((slot) => map?.owners[slot])).toEqual([0, 0, 1, 1, -1]);
  });

  test.each<[string, Reply]>([
    ["a text", "no"],
    ["a slot beyond the last", [[0, SLOTS, [bytes("a"), 1]]]],
    ["a port beyond the last", [[0, 1, [bytes("a"), 70_000]]]],
    ["a range without a node", [[0, 1]]],
  ])("is none when the reply is %s", (_, reply) => {
    expect(readSlotMap(reply, "seed:9")).toBeUndefined();
  });

  test("a redirection changes one slot and nothing else", () => {
    const map = readSlotMap(RANGES, "seed:9");
    if (map === undefined) throw new Error("no map");
    const moved = withOwner(map, 5, "[::1]:1");
    expect([moved.primaries[moved.owners[5] ?? -1], moved.owners[4]]).toEqual(["[::1]:1", 0]);
    expect([sameSlots(map, moved), sameSlots(map, withOwner(moved, 5, "10.0.0.1:7000"))]).toEqual([
      false,
      true,
    ]);
  });
});

test.each([
  ["MOVED 3999 127.0.0.1:6381", { kind: "moved", slot: 3999, address: "127.0.0.1:6381" }],
  ["ASK 1 ::1:6381", { kind: "ask", slot: 1, address: "::1:6381" }],
  ["MOVED 3999 :6381", { kind: "moved", slot: 3999, address: "host:6381" }],
  ["TRYAGAIN Multiple keys request during rehashing of slot", { kind: "wait" }],
  ["CLUSTERDOWN The cluster is down", { kind: "wait" }],
  ["LOADING Redis is loading the dataset in memory", { kind: "wait" }],
  ["MOVED 99999 127.0.0.1:6381", undefined],
  ["MOVED x", undefined],
  ["WRONGTYPE x", undefined],
] as const)("a refusal says where to go: %p", (message, redirection) => {
  expect(redirectionOf(new ReplyError(message), "host:1")).toEqual(redirection as never);
});

describe("keys of requests", () => {
  test.each<[readonly (string | number)[], string | undefined]>([
    [["get", "k"], "k"],
    [["PING"], undefined],
    [["EVALSHA", "sha", 2, "k", "l"], "k"],
    [["EVAL", "return 1", 0], undefined],
    [["OBJECT", "ENCODING", "k"], "k"],
    [["ZUNION", 2, "k", "l"], "k"],
    [["XREAD", "COUNT", 1, "streams", "k", "0"], "k"],
    [["SSUBSCRIBE", "channel"], "channel"],
  ])("of %j the first is %p", (request, key) => {
    expect(firstKeyOf(request)).toBe(key as string);
  });

  test("a request over many slots is cut by slot, and its replies come in the order of its keys", () => {
    const keys = ["{a}1", "{b}1", "{a}2", "{c}1", "{b}2"];
    const split = splitRequest(["MGET", ...keys]);
    expect(split?.requests).toEqual([
      ["MGET", "{a}1", "{a}2"],
      ["MGET", "{b}1", "{b}2"],
      ["MGET", "{c}1"],
    ]);
    const replies = split?.requests.map((request) => request.slice(1)) ?? [];
    expect(split?.join(replies)).toEqual(keys);
    expect(splitRequest(["mset", "a", 1, "b", 2])?.join(["OK", "OK"])).toBe("OK");
    expect(splitRequest(["DEL", "a", "b", "c"])?.join([1, 0, 1])).toBe(2);
  });

  test("a refusal of one piece is the refusal of the whole", () => {
    const refused = new ReplyError("OOM no memory");
    expect(splitRequest(["DEL", "a", "b"])?.join([1, refused])).toBe(refused);
  });

  test("what is in one slot, or cannot be cut, stays whole", () => {
    expect(splitRequest(["MGET", "{a}1", "{a}2"])).toBeUndefined();
    expect(splitRequest(["MGET", "{a}1", "{a}2"], true)?.requests).toHaveLength(2);
    expect(splitRequest(["SINTER", "a", "b"])).toBeUndefined();
    expect(splitRequest(["MSET", "a", 1, "b"])).toBeUndefined();
  });
});

describe("a cluster's URL", () => {
  test.each([
    ["redis-cluster://a:7000,b,c:7002", ["a:7000", "b:6379", "c:7002"], "redis://x:1"],
    ["valkeys-cluster://u:p%40@a:7000/", ["a:7000"], "valkeys://u:p%40@x:1"],
    ["rediss-cluster://:p,w@[::1]:7000,b/0", ["::1:7000", "b:6379"], "rediss://:p,w@x:1"],
  ])("%p says where to begin and how nodes are reached", (text, seeds, nodeUrl) => {
    const url = parseClusterUrl(text);
    if (typeof url === "string") throw new Error(url);
    expect([isClusterUrl(text), url.seeds, url.nodeUrl("x:1")]).toEqual([true, seeds, nodeUrl]);
    expect(url.nodeUrl("fe80::1:7000")).toEndWith("[fe80::1]:7000");
  });

  test.each([
    "redis://a",
    "redis-cluster://",
    "redis-cluster://a,,b",
    "redis-cluster://u:secret@a:99999",
    "redis-cluster://u:secret@a/3",
    "redis-cluster://u:%zzsecret@a",
    `redis-cluster://${Array.from({ length: 65 }, (_, at) => `h${at}`).join(",")}`,
  ])("%p is none, and that is told without the password", (text) => {
    const told = parseClusterUrl(text);
    expect(typeof told).toBe("string");
    expect(told).not.toContain("secret");
  });
});
