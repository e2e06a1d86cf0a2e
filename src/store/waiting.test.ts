import { describe, expect, test } from "bun:test";
import { TestClient, testStore } from "./testing/index.ts";

describe("clients that wait", () => {
  test("wait on when the key got something of another type, or nothing in the end", () => {
    const { store, client } = testStore();
    const waiting = new TestClient(store);
    waiting.all("BLPOP", "k", "other", 0);
    for (const request of [["MULTI"], ["RPUSH", "k", "a"], ["DEL", "k"], ["SET", "k", "x"], ["EXEC"]])
      client.all(...request);
    expect(waiting.pushed).toEqual([]);
    client.say("ZADD", "other", 1, "m");
    client.say("DEL", "other");
    client.say("RPUSH", "other", "b");
    expect(waiting.pushed).toEqual([["$other", "$b"]]);
  });

  test("keep their turn and their deadline when another was served first", () => {
    const { store, client, time } = testStore();
    const [a, b, c] = [new TestClient(store), new TestClient(store), new TestClient(store)];
    a.all("BLPOP", "k", 0);
    b.all("BLPOP", "k", "j", 1);
    c.all("BLPOP", "j", 0);
    time.advance(600);
    client.say("RPUSH", "k", "1");
    expect([a.pushed, b.pushed]).toEqual([[["$k", "$1"]], []]);
    time.advance(400);
    expect(b.pushed).toEqual([null]);
    client.say("RPUSH", "j", "2");
    expect(c.pushed).toEqual([["$j", "$2"]]);
  });

  test("are served from the key that got something first", () => {
    const { store, client } = testStore();
    const waiting = new TestClient(store);
    waiting.all("BLMPOP", 0, 3, "a", "b", "c", "LEFT", "COUNT", 2);
    for (const request of [["MULTI"], ["RPUSH", "c", "1", "2", "3"], ["RPUSH", "a", "0"], ["EXEC"]])
      client.all(...request);
    expect(waiting.pushed).toEqual([["$c", ["$1", "$2"]]]);
  });
});

describe("a transaction", () => {
  test("that memory does not allow is not half run", () => {
    const { store, client } = testStore();
    client.say("SET", "k", "1");
    client.say("MULTI");
    client.say("DEL", "k");
    client.say("SET", "j", "1");
    const other = new TestClient(store);
    other.say("CONFIG", "SET", "maxmemory", 1);
    expect(client.say("EXEC")).toContain("-EXECABORT Transaction discarded because of: OOM");
    expect(other.say("GET", "k")).toBe("$1");
  });

  test("does not fail by a flush when what it watched was not there", () => {
    const { store, client } = testStore();
    const other = new TestClient(store);
    client.say("SET", "there", 1);
    const outcomeOf = (key: string): unknown => {
      client.say("WATCH", key);
      other.say("FLUSHALL");
      client.say("MULTI");
      client.say("PING");
      return client.say("EXEC");
    };
    expect([outcomeOf("there"), outcomeOf("absent")]).toEqual([null, ["PONG"]]);
  });
});
