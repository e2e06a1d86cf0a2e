import { describe, expect, test } from "bun:test";
import { type AccessEntry, accessFormat, accessRecord } from "./access-log.ts";
import { viewOfGet } from "./testing/index.ts";

/** An entry as an exchange makes one. */
function entry(...fields: string[]): AccessEntry {
  return {
    ...accessRecord(viewOfGet("/a/b?c=d", ...fields)),
    time: new Date(Date.UTC(2026, 9, 4, 13, 5, 6, 7)),
    requestId: "00000001",
    status: 200,
    reason: "",
    durationMs: 1.23456,
    bytesIn: 10,
    bytesOut: 2000,
    listener: "web",
    rule: "web/0",
    group: "app",
    target: "127.0.0.1:9000",
    attempts: 1,
    cache: "hit",
  };
}

const render = (kind: "json" | "combined", ...fields: string[]): string =>
  accessFormat({ kind })?.(entry(...fields)) ?? "";
const custom = (format: string, ...fields: string[]): string =>
  accessFormat({ kind: "format", format })?.(entry(...fields)) ?? "";

describe("a log line", () => {
  test("as JSON holds every key, and times in milliseconds", () => {
    const line = JSON.parse(render("json", "User-Agent: curl"));
    expect(line).toMatchObject({
      method: "GET",
      path: "/a/b",
      query: "c=d",
      userAgent: "curl",
      durationMs: 1.235,
    });
    expect(line.time).toBe("2026-10-04T13:05:06.007Z");
  });

  test("in the combined form is what Apache writes", () => {
    expect(render("combined", "User-Agent: curl/8", "Referer: http://a/")).toBe(
      '192.0.2.7 - - [04/Oct/2026:13:05:06 +0000] "GET /a/b?c=d HTTP/1.1" 200 2000 "http://a/" "curl/8"',
    );
    expect(render("combined")).toEndWith('200 2000 "-" "-"');
  });

  test("by a format has its placeholders filled in, and leaves unknown ones", () => {
    expect(custom("{clientIp} {status} {durationMs} {target} {cache} {nothing}")).toBe(
      "192.0.2.7 200 1.235 127.0.0.1:9000 hit {nothing}",
    );
  });

  test("off makes none", () => {
    expect(accessFormat({ kind: "off" })).toBeUndefined();
  });

  test("cannot be ended, begun or quoted out of by a client", () => {
    const evil = 'User-Agent: a" 500 \\" \x80\x85 b';
    expect(render("combined", evil)).toEndWith('"a\\x22 500 \\x5c\\x22 \\x80\\x85 b"');
    expect(custom('"{userAgent}"', evil)).toBe('"a\\x22 500 \\x5c\\x22 \\x80\\x85 b"');
    expect(render("json", evil).split("\n")).toHaveLength(1);
    expect(JSON.parse(render("json", evil)).userAgent).toContain('a" 500');
  });
});
