import { expect, test } from "bun:test";
import { TestClient, testStore } from "./testing/index.ts";

test("a monitor is shown each command as it is run, quoted, without passwords and administration", () => {
  const { store, client } = testStore();
  const monitor = new TestClient(store);
  expect(monitor.say("MONITOR")).toBe("OK");
  client.say("SET", 'a"b', "x\ny\u0001\u00e9");
  client.say("AUTH", "default", "secret");
  client.say("HELLO", 2, "AUTH", "default", "secret");
  client.say("CONFIG", "SET", "requirepass", "");
  client.say("MULTI");
  client.say("INCR", "n");
  client.say("EXEC");
  expect(monitor.pushed.map((line) => String(line).replace(/^[\d.]+ /, ""))).toEqual([
    String.raw`[0 test] "SET" "a\"b" "x\ny\x01\xc3\xa9"`,
    '[0 test] "MULTI"',
    '[0 test] "INCR" "n"',
    '[0 test] "EXEC"',
  ]);
});

test("a monitor that says RESET, or goes, is shown nothing more", () => {
  const { store, client } = testStore();
  const monitor = new TestClient(store);
  monitor.say("MONITOR");
  monitor.say("RESET");
  monitor.pushed.length = 0;
  client.say("PING");
  expect(monitor.pushed).toEqual([]);
});

test("of an argument of megabytes a monitor is shown the beginning", () => {
  const { store, client } = testStore();
  const monitor = new TestClient(store);
  monitor.say("MONITOR");
  client.say("SET", "k", "v".repeat(1_000_000));
  expect(String(monitor.pushed[0]).length).toBeLessThan(1200);
  expect(String(monitor.pushed[0])).toEndWith('v... (998976 more bytes)"');
});
