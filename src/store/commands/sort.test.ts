import { expect, test } from "bun:test";
import { TestClient, testStore } from "../testing/index.ts";

test("sorts numbers, and texts when asked to", () => {
  const { client } = testStore();
  client.say("RPUSH", "l", 10, 9, "1e3", -1);
  expect(client.say("SORT", "l")).toEqual(["$-1", "$9", "$10", "$1e3"]);
  expect(client.say("SORT", "l", "DESC", "LIMIT", 1, 2)).toEqual(["$10", "$9"]);
  expect(client.say("SORT", "l", "ALPHA")).toEqual(["$-1", "$10", "$1e3", "$9"]);
  client.say("RPUSH", "l", "x");
  expect(client.say("SORT", "l")).toBe("-ERR One or more scores can't be converted into double");
});

test("sorts by what other keys hold, and gives what they hold", () => {
  const { client } = testStore();
  client.say("SADD", "s", 1, 2, 3);
  client.say("MSET", "weight:1", 30, "weight:2", 10);
  client.say("HSET", "user:2", "name", "Bob");
  expect(client.say("SORT", "s", "BY", "weight:*", "GET", "#", "GET", "user:*->name")).toEqual([
    "$3",
    null,
    "$2",
    "$Bob",
    "$1",
    null,
  ]);
});

test("stores the result as a list, and takes the key away when there is none", () => {
  const { client } = testStore();
  client.say("ZADD", "z", 1, "b", 2, "a");
  expect(client.say("SORT", "z", "BY", "none", "DESC", "STORE", "l")).toBe(2);
  expect(client.say("LRANGE", "l", 0, -1)).toEqual(["$a", "$b"]);
  expect(client.say("SORT", "nothing", "STORE", "l")).toBe(0);
  expect(client.say("EXISTS", "l")).toBe(0);
  expect(client.say("SORT_RO", "z", "STORE", "l")).toBe("-ERR syntax error");
});

test("shows no key to who may not read all", () => {
  const { store, client } = testStore();
  client.say("ACL", "SETUSER", "ann", "on", ">s", "+@all", "~mine*");
  client.say("RPUSH", "mine", 1);
  client.say("SET", "secret:1", "x");
  const ann = new TestClient(store);
  ann.say("AUTH", "ann", "s");
  expect(ann.say("SORT", "mine", "GET", "secret:*")).toBe(
    "-ERR GET option of SORT denied due to insufficient ACL permissions",
  );
  expect(ann.say("SORT", "mine", "STORE", "other")).toStartWith("-NOPERM");
});
