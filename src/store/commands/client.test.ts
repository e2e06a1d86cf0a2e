import { describe, expect, test } from "bun:test";
import { testStore } from "../testing/index.ts";

describe("CLIENT", () => {
  test("refuses a prefix that overlaps with one from before", () => {
    const { client } = testStore();
    const track = (prefix: string): unknown =>
      client.say("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix);
    expect([track("foo"), track("bar")]).toEqual(["OK", "OK"]);
    expect(track("fo")).toContain("-ERR Prefix 'fo' overlaps with an existing prefix 'foo'");
    expect(track("barn")).toContain("-ERR Prefix 'barn' overlaps with an existing prefix 'bar'");
  });

  test.each([
    [["KILL", "TYPE", "nobody"], "-ERR Unknown client type 'nobody'"],
    [["LIST", "TYPE", "nobody"], "-ERR Unknown client type 'nobody'"],
    [["KILL", "ID", "zero"], "-ERR client-id should be greater than 0"],
    [["KILL", "ID", "0"], "-ERR client-id should be greater than 0"],
  ])("%p is refused in Redis' words", (words, told) => {
    expect(testStore().client.say("CLIENT", ...words)).toBe(told);
  });
});

describe("CONFIG SET", () => {
  test("takes what cannot be changed when it is no change, and no parameter twice", () => {
    const { client } = testStore();
    expect(client.say("CONFIG", "SET", "save", "")).toBe("OK");
    expect(client.say("CONFIG", "SET", "databases", "3")).toContain("can't set immutable config");
    expect(client.say("CONFIG", "SET", "timeout", 1, "timeout", 2)).toContain("duplicate parameter");
    expect(client.say("CONFIG", "GET", "timeout")).toEqual(["$timeout", "$0"]);
  });
});
