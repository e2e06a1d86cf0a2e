import { describe, expect, test } from "bun:test";
import { testStore } from "../testing/index.ts";

describe("bits of a string", () => {
  test("are set, read and counted, zeros behind its end", () => {
    const { client } = testStore();
    expect(client.say("SETBIT", "k", 7, 1)).toBe(0);
    expect(client.say("SETBIT", "k", 16, 1)).toBe(0);
    expect(client.say("GET", "k")).toBe("$\u0001\u0000\u0080");
    expect(client.say("GETBIT", "k", 7)).toBe(1);
    expect(client.say("GETBIT", "k", 1000)).toBe(0);
    expect(client.say("BITCOUNT", "k", 5, 16, "BIT")).toBe(2);
    expect(client.say("BITPOS", "k", 1, 1)).toBe(16);
  });

  test("beyond the longest string are refused", () => {
    const { client } = testStore({ argumentBytesMax: 1000 });
    expect(client.say("SETBIT", "k", 8000, 1)).toBe("-ERR bit offset is not an integer or out of range");
    expect(client.say("SETBIT", "k", 7999, 1)).toBe(0);
    expect(client.say("BITFIELD", "k", "SET", "u8", 7999, 1)).toBe(
      "-ERR bit offset is not an integer or out of range",
    );
  });

  test("that are as they were already break no watch", () => {
    const { client } = testStore();
    client.say("SETBIT", "k", 1, 1);
    client.say("WATCH", "k");
    client.say("SETBIT", "k", 1, 1);
    client.say("BITFIELD", "k", "SET", "u2", 0, 1);
    client.say("MULTI");
    client.say("PING");
    expect(client.say("EXEC")).toEqual(["PONG"]);
  });

  test("of several strings are combined, the shorter ones with zeros", () => {
    const { client } = testStore();
    client.say("MSET", "a", "abc", "b", "a");
    expect(client.say("BITOP", "AND", "both", "a", "b")).toBe(3);
    expect(client.say("GET", "both")).toBe("$a\u0000\u0000");
    expect(client.say("BITOP", "OR", "none", "no", "nor")).toBe(0);
    expect(client.say("EXISTS", "none")).toBe(0);
  });
});

describe("numbers in a string", () => {
  test("wrap, stop at their end or are refused, as is asked", () => {
    const { client } = testStore();
    const add = (rule: string): unknown =>
      client.say("BITFIELD", rule, "SET", "u2", 0, 3, "OVERFLOW", rule, "INCRBY", "u2", 0, 1);
    expect(add("WRAP")).toEqual([0, 0]);
    expect(add("SAT")).toEqual([0, 3]);
    expect(add("FAIL")).toEqual([0, null]);
  });

  test("may be of 64 bits, negative, and counted by their size", () => {
    const { client } = testStore();
    expect(client.say("BITFIELD", "k", "SET", "i64", "#1", "-9", "GET", "i64", 64)).toEqual([0, -9]);
    expect(client.say("STRLEN", "k")).toBe(16);
    expect(client.say("BITFIELD_RO", "k", "GET", "u8", "#15")).toEqual([247]);
  });
});

test("the longest common subsequence of two strings is found, with the places of its parts", () => {
  const { client } = testStore();
  client.say("MSET", "a", "ohmytext", "b", "mynewtext");
  expect(client.say("LCS", "a", "b")).toBe("$mytext");
  expect(client.say("LCS", "a", "b", "LEN")).toBe(6);
  const whole = [
    [
      [4, 7],
      [5, 8],
    ],
    [
      [2, 3],
      [0, 1],
    ],
  ];
  expect(client.say("LCS", "a", "b", "IDX")).toEqual(["$matches", whole, "$len", 6]);
});
