import { describe, expect, test } from "bun:test";
import { readRequest, readResponse } from "./strict-reader.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: a\r\n";

describe("a request in canonical form", () => {
  const vectors: readonly (readonly [bytes: string, body: string])[] = [
    [`${HEAD}\r\n`, ""],
    [`${HEAD}Content-Length: 5\r\n\r\nhello`, "hello"],
    [`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`, "hello!"],
    [`${HEAD}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: 1\r\n\r\n`, "hello"],
  ];

  test("is read whole, with its end", () => {
    for (const [bytes, body] of vectors) {
      expect(readRequest(`${bytes}GET`, 0)).toMatchObject({ kind: "message", body, end: bytes.length });
    }
  });

  test("is unfinished at every byte before its end", () => {
    for (const [bytes] of vectors) {
      for (let end = 0; end < bytes.length; end++)
        expect(readRequest(bytes.slice(0, end), 0).kind).toBe("more");
    }
  });
});

test("a request that two parsers could read differently is ambiguous", () => {
  const disguises = [
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    `${HEAD}X : 1\r\n\r\n`,
    `${HEAD}X: 1\r\n 2\r\n\r\n`,
    `${HEAD}X: a\0b\r\n\r\n`,
    `${HEAD}Content-Length: +5\r\n\r\nhello`,
    `${HEAD}Content-Length: 05\r\n\r\nhello`,
    `${HEAD}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n`,
  ];
  for (const bytes of disguises) expect([bytes, readRequest(bytes, 0).kind]).toEqual([bytes, "ambiguous"]);
});

test("a response without framing ends with its connection", () => {
  const bytes = "HTTP/1.1 200 OK\r\n\r\nhello";
  expect(readResponse(bytes, 0, false, false).kind).toBe("more");
  expect(readResponse(bytes, 0, false, true)).toMatchObject({ kind: "message", body: "hello" });
});

test("an answer to HEAD, a 1xx, a 204 and a 304 have no body whatever their fields say", () => {
  const answer = (status: string): string => `HTTP/1.1 ${status}\r\nContent-Length: 5\r\n\r\n`;
  expect(readResponse(answer("200 OK"), 0, true, false).kind).toBe("message");
  for (const status of ["100 Continue", "204 No Content", "304 Not Modified"]) {
    expect(readResponse(answer(status), 0, false, false).kind).toBe("message");
  }
});
