import { describe, expect, test } from "bun:test";
import { testStore } from "../testing/index.ts";

describe("random elements", () => {
  test.each([
    ["SRANDMEMBER", "SADD", ["m"]],
    ["HRANDFIELD", "HSET", ["f", "v"]],
    ["ZRANDMEMBER", "ZADD", ["1", "m"]],
  ])("by %s are bounded", (command, add, items) => {
    const { client } = testStore();
    client.say(add, "k", ...items);
    for (const count of ["-9223372036854775808", "-9223372036854775807", "-10000001"])
      expect(client.say(command, "k", count)).toBe("-ERR value is out of range");
    expect(client.say(command, "k", "9223372036854775807")).toHaveLength(1);
    expect(client.say(command, "k", -5)).toHaveLength(5);
  });
});
