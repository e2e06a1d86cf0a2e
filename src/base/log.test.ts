import { describe, expect, test } from "bun:test";
import { createLog, type Log, type LogFields, type LogLevel } from "./log.ts";
import { simulatedTime } from "./simulated-time.ts";

/** A log and the lines it wrote. */
function loggedLines(level: LogLevel = "debug"): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line), clock: simulatedTime().clock, level });
  return { log, lines };
}

/** What the fields of one event read as after the trip through a line. */
function logged(fields: LogFields): LogFields {
  const { log, lines } = loggedLines();
  log.info("something", fields);
  const { time: _time, level: _level, event: _event, ...rest } = JSON.parse(lines[0] ?? "");
  return rest;
}

test("an event is one line of JSON that begins with time, level and event", () => {
  const { log, lines } = loggedLines();
  log.warn("target-slow", { target: "10.0.0.1:80", text: "two\nlines" });
  expect(lines).toEqual([
    '{"time":"2026-01-01T00:00:00.000Z","level":"warn","event":"target-slow","target":"10.0.0.1:80","text":"two\\nlines"}\n',
  ]);
});

test("events below the level are not written", () => {
  const { log, lines } = loggedLines("warn");
  for (const level of ["debug", "info", "warn", "error"] as const) log[level]("something");
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(["warn", "error"]);
});

test("a child adds its fields, and its own children add theirs", () => {
  const { log, lines } = loggedLines();
  log.child({ service: "web" }).child({ task: 3 }).info("task-started", { port: 4000 });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ service: "web", task: 3, port: 4000 });
});

test("a field cannot pose as the time, the level or the event", () => {
  const { log, lines } = loggedLines();
  log.info("real", { time: "never", level: "fatal", event: "forged" });
  expect(lines[0]).toBe('{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"real"}\n');
});

describe("secrets are not written", () => {
  test("at any depth", () => {
    const fields = {
      request: { headers: { Authorization: "Bearer x", accept: "*/*" } },
      list: [{ apiKey: "x" }],
    };
    expect(logged(fields)).toEqual({
      request: { headers: { Authorization: "[redacted]", accept: "*/*" } },
      list: [{ apiKey: "[redacted]" }],
    });
  });

  test("whatever they are made of", () => {
    expect(logged({ password: 1234, secrets: ["a"], tokens: { a: "b" } })).toEqual({
      password: "[redacted]",
      secrets: "[redacted]",
      tokens: "[redacted]",
    });
  });

  test("in header pairs", () => {
    const headers = [
      ["Cookie", "sid=1"],
      ["host", "example"],
    ];
    expect(logged({ headers })).toEqual({
      headers: [
        ["Cookie", "[redacted]"],
        ["host", "example"],
      ],
    });
  });

  test("but whether there is one may be", () => {
    expect(logged({ password: null, token: true })).toEqual({ password: null, token: true });
  });

  test("nor those bound to a child", () => {
    const { log, lines } = loggedLines();
    log.child({ adminToken: "x" }).info("something");
    expect(lines[0]).toContain('"adminToken":"[redacted]"');
  });
});

describe("any value can be logged", () => {
  test("an error with its code, cause and stack", () => {
    const problem = Object.assign(new Error("outer", { cause: new TypeError("inner") }), { code: "ENOENT" });
    const { problem: shown } = logged({ problem }) as { problem: LogFields };
    expect(shown).toMatchObject({
      name: "Error",
      message: "outer",
      code: "ENOENT",
      cause: { name: "TypeError" },
    });
    expect(shown["stack"]).toContain("log.test.ts");
  });

  test("a bigint", () => {
    expect(logged({ inode: 2n ** 64n })).toEqual({ inode: "18446744073709551616" });
  });

  test("a cycle costs the fields, not the event", () => {
    const cycle: LogFields = {};
    cycle["self"] = cycle;
    expect(logged({ cycle })["unloggable"]).toBeString();
  });

  test("a long text is cut, and too many of them cost the fields", () => {
    const text = "x".repeat(1e6);
    expect(logged({ text })["text"]).toHaveLength(8193);
    expect(logged({ texts: Array.from({ length: 20 }, () => text) })["unloggable"]).toBeString();
  });
});
