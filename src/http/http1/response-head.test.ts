import { describe, expect, test } from "bun:test";
import { text } from "../bytes.ts";
import { METHOD } from "../methods.ts";
import { ResponseHead } from "./response-head.ts";
import { bytesOf, parseResponse, response, responseOutcome } from "./testing.ts";

const ok = (...fields: string[]): string => response("HTTP/1.1 200 OK", ...fields);

describe("the status line", () => {
  test.each([
    ["HTTP/1.1 200 OK", 200, "OK"],
    ["HTTP/1.1 404 Not \xe9 Found", 404, "Not \xe9 Found"],
    ["HTTP/1.1 204 ", 204, ""],
    ["HTTP/1.1 500", 500, ""],
    ["HTTP/1.0 999 x", 999, "x"],
  ])("%p has status %d and reason %p", (line, status, reason) => {
    const raw = response(line);
    const head = parseResponse(raw);
    expect(head.status).toBe(status);
    expect(text(bytesOf(raw), head.reasonStart, head.reasonEnd)).toBe(reason);
  });

  test.each([
    ["HTTP/1.1 200OK", "upstream-status-line-malformed"],
    ["HTTP/1.1 20 OK", "upstream-status-line-malformed"],
    ["HTTP/1.1 2000", "upstream-status-line-malformed"],
    ["HTTP/1.1  200 OK", "upstream-status-line-malformed"],
    ["HTTP/1.1 099 x", "upstream-status-line-malformed"],
    ["HTTP/1.1 200 O\0K", "upstream-status-line-malformed"],
    ["http/1.1 200 OK", "upstream-status-line-malformed"],
    ["HTTP/1.1\t200 OK", "upstream-status-line-malformed"],
    ["SSH-2.0-OpenSSH_9.2p1", "upstream-status-line-malformed"],
    ["", "upstream-status-line-malformed"],
    ["HTTP/1.2 200 OK", "upstream-version-unsupported"],
    ["HTTP/2.0 200 OK", "upstream-version-unsupported"],
    ["HTTP/1.1 200 OK\rX", "upstream-bare-cr"],
    ["HTTP/1.1 200 OK\nX: y", "upstream-bare-lf"],
    ["HTTP/1.1 200\nX: y", "upstream-bare-lf"],
  ])("%p is refused as %s", (line, code) => {
    expect(responseOutcome(response(line))).toBe(code);
  });
});

describe("the body of a response", () => {
  test.each([
    [[], "until-close", 0, false],
    [["Content-Length: 0"], "none", 0, true],
    [["Content-Length: 7"], "length", 7, true],
    [["Transfer-Encoding: chunked"], "chunked", 0, true],
    [["Content-Length: 7", "Connection: close"], "length", 7, false],
  ])("with %j ends by %s", (fields, bodyKind, contentLength, keepAlive) => {
    expect(parseResponse(ok(...fields))).toMatchObject({
      bodyKind,
      contentLength,
      keepAlive,
    });
  });

  test.each([
    ["HTTP/1.1 100 Continue", METHOD.post],
    ["HTTP/1.1 101 Switching Protocols", METHOD.get],
    ["HTTP/1.1 204 No Content", METHOD.get],
    ["HTTP/1.1 304 Not Modified", METHOD.get],
    ["HTTP/1.1 200 OK", METHOD.head],
  ])("is absent for %p to method %d, whatever the fields say", (line, method) => {
    for (const fields of [[], ["Content-Length: 9"], ["Transfer-Encoding: chunked"]]) {
      const head = parseResponse(response(line, ...fields), method);
      expect([head.bodyKind, head.contentLength, head.keepAlive]).toEqual(["none", 0, true]);
    }
  });

  test("of HTTP/1.0 keeps the connection only when both length and wish are there", () => {
    const old = (...fields: string[]): boolean =>
      parseResponse(response("HTTP/1.0 200 OK", ...fields)).keepAlive;
    expect(old("Content-Length: 1", "Connection: keep-alive")).toBe(true);
    expect(old("Content-Length: 1")).toBe(false);
    expect(old("Connection: keep-alive")).toBe(false);
  });

  test("is still to come after an informational response, which 101 is not", () => {
    const informational = [100, 101, 103, 200].map(
      (status) => parseResponse(response(`HTTP/1.1 ${status} x`)).informational,
    );
    expect(informational).toEqual([true, false, true, false]);
  });
});

describe("a response is refused", () => {
  test.each([
    [["Content-Length: 5", "Transfer-Encoding: chunked"], "upstream-content-length-with-transfer-encoding"],
    [["Content-Length: 5", "Content-Length: 5"], "upstream-content-length-duplicate"],
    [["Content-Length: 5, 5"], "upstream-content-length-malformed"],
    [["Content-Length: 99999999999999999"], "upstream-content-length-too-large"],
    [["Transfer-Encoding: gzip, chunked"], "upstream-transfer-encoding-unknown"],
    [["Transfer-Encoding: chunked, chunked"], "upstream-transfer-encoding-malformed"],
    [["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "upstream-transfer-encoding-duplicate"],
    [["Transfer-Encoding:"], "upstream-transfer-encoding-empty"],
    [["X: a", " b"], "upstream-obs-fold"],
    [[" X: a"], "upstream-leading-whitespace"],
    [["X : a"], "upstream-field-name-whitespace"],
    [["X: a\0"], "upstream-field-value-control"],
    [["X: a\nSet-Cookie: b"], "upstream-bare-lf"],
    [["X: a\rSet-Cookie: b"], "upstream-bare-cr"],
    [[": a"], "upstream-field-name-empty"],
    [["X[]: a"], "upstream-field-name-invalid"],
    [["X"], "upstream-colon-missing"],
    [[`X: ${"a".repeat(33000)}`], "upstream-head-too-large"],
    [Array(101).fill("X: y"), "upstream-too-many-fields"],
    [[`Connection: ${"a,".repeat(33)}`], "upstream-connection-options-too-many"],
  ])("with %j as %s", (fields, code) => {
    expect(responseOutcome(ok(...fields))).toBe(code);
  });

  test("when HTTP/1.0 sends Transfer-Encoding", () => {
    const raw = response("HTTP/1.0 200 OK", "Transfer-Encoding: chunked");
    expect(responseOutcome(raw)).toBe("upstream-transfer-encoding-http10");
  });
});

test("a response that arrives byte by byte is taken at its last byte", () => {
  for (const raw of [ok("Content-Length: 5", "X: y"), response("HTTP/1.1 500"), response("HTTP/1.0 200 ")]) {
    const head = new ResponseHead();
    let resume = 0;
    for (let end = 1; end < raw.length; end++) {
      expect(head.parse(bytesOf(raw), 0, end, METHOD.get, resume)).toBe(0);
      resume = head.resume;
    }
    expect(head.parse(bytesOf(raw), 0, raw.length, METHOD.get, resume)).toBe(raw.length);
  }
});
