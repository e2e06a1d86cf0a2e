import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LogFollower, LogReader, logFilesOf } from "./log-files.ts";
import { scratchFolder } from "./testing.ts";

/** A state directory with one log of task web/1. */
function oneLog(text: string) {
  const scratch = scratchFolder();
  mkdirSync(join(scratch.path, "logs/web"), { recursive: true });
  const path = join(scratch.path, "logs/web/1.log");
  writeFileSync(path, text);
  return { path, state: scratch.path, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

function texts(lines: readonly { text: string }[]): string[] {
  return lines.map(({ text }) => text);
}

test("a line is given when its end is written, never in pieces", () => {
  using log = oneLog("one\ntw");
  const reader = new LogReader({ task: "web/1", path: log.path });
  expect(texts(reader.tail(5))).toEqual(["one"]);
  expect(reader.next()).toEqual([]);
  appendFileSync(log.path, "o\nthree\n");
  expect(texts(reader.next())).toEqual(["two", "three"]);
});

test("a character that is cut between two reads is whole", () => {
  using log = oneLog("");
  const reader = new LogReader({ task: "web/1", path: log.path });
  const [head, tail] = [
    new TextEncoder().encode("é\n").slice(0, 1),
    new TextEncoder().encode("é\n").slice(1),
  ];
  appendFileSync(log.path, head);
  expect(reader.next()).toEqual([]);
  appendFileSync(log.path, tail);
  expect(texts(reader.next())).toEqual(["é"]);
});

test("the end of a large log is found without its beginning", () => {
  using log = oneLog(`${"x".repeat(99)}\n`.repeat(60_000) + "last\n");
  const reader = new LogReader({ task: "web/1", path: log.path });
  expect(texts(reader.tail(2))).toEqual(["x".repeat(99), "last"]);
  expect(reader.next()).toEqual([]);
});

test("a log that began anew is read from its beginning", () => {
  using log = oneLog("a long line of before\n");
  const reader = new LogReader({ task: "web/1", path: log.path });
  reader.tail(0);
  writeFileSync(log.path, "new\n");
  expect(texts(reader.next())).toEqual(["new"]);
});

test("a follower takes up tasks that start later, from their first line", () => {
  using log = oneLog("old\n");
  const follower = new LogFollower(() => logFilesOf(log.state, "web"));
  follower.tail(0);
  writeFileSync(join(log.state, "logs/web/2.log"), "hello\n");
  expect(follower.next()).toEqual([{ task: "web/2", text: "hello" }]);
});
