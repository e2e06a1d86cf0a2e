/**
 * Requests that must never reach a target. The cases are the known ways to make two HTTP parsers disagree: RFC 9112's
 * own prohibitions, and the classes of fault that public smuggling collections have found in real servers.
 */
import { describe, expect, test } from "bun:test";
import { REQUEST_ERRORS, type RequestErrorCode } from "./errors.ts";
import { HEAD_LIMITS } from "./limits.ts";
import { outcome, outcomeByteByByte, post, request } from "./testing.ts";

const get = (...fields: string[]): string => request("GET / HTTP/1.1", ...fields);
const line = (requestLine: string): string => request(requestLine);
const withHost = (...values: string[]): string =>
  ["GET / HTTP/1.1", ...values.map((value) => `Host: ${value}`), "\r\n"].join("\r\n");

const REFUSED: Partial<Record<RequestErrorCode, string[]>> = {
  "bare-cr": [
    get("X: a\rb"),
    get("X: a\r\rb"),
    get("X: a", "\rZGET /x: y"),
    get("A: 1\rB: 2"),
    get("X\rY: a"),
    "GET / HTTP/1.1\rHost: a\r\n\r\n",
    "GET /\rX HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\rX",
  ],
  "bare-lf": [
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: y\n\nGET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX:\n\nGET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\nTe\nst: x\r\n\r\n",
    "GET /\nHTTP/1.1\r\n\r\n",
    "GET\n/ HTTP/1.1\r\n\r\n",
    "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
  "empty-lines": ["\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n\r\n"],
  "method-invalid": [
    line("get / HTTP/1.1"),
    line("Get / HTTP/1.1"),
    line("GET\t/ HTTP/1.1"),
    line("G[T / HTTP/1.1"),
    line('G=":<>(e),[T];?" /get HTTP/1.1'),
    line("\0 / HTTP/1.1"),
    line(`${"A".repeat(33)} / HTTP/1.1`),
    "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
    "GET\r\n\r\n",
  ],
  "method-connect": ["CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", line("CONNECT / HTTP/1.1")],
  "request-line-spaces": [
    line("GET  / HTTP/1.1"),
    line("GET /  HTTP/1.1"),
    line(" GET / HTTP/1.1"),
    line("GET / HTTP/1.1 "),
    line("GET / x HTTP/1.1"),
    line("GET / HTTP/ 1.1"),
    "   \r\n\r\n",
  ],
  "version-missing": ["GET /\r\n", "GET /\r\n\r\n", line("GET HTTP/1.1"), line("GET /?a=b")],
  "version-malformed": [
    line("GET / HTTP/1"),
    line("GET / HTTP/1."),
    line("GET / HTTP/01.01"),
    line("GET / HTTP/1.10"),
    line("GET / http/1.1"),
    line("GET / HTTP/a.b"),
    line("GET / HTTPS/1.1"),
    line("GET / HTTP/4294967295.255"),
    line("GET / HTTP/1,1"),
    line("GET / HTTP/1.1\t"),
    "GET / \r\nHost: a\r\n\r\n",
  ],
  "version-unsupported": [
    line("GET / HTTP/1.2"),
    line("GET / HTTP/1.9"),
    line("GET / HTTP/0.9"),
    line("GET / HTTP/2.0"),
    line("GET / HTTP/9.9"),
  ],
  "http2-preface": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  "target-fragment": [line("GET /a#b HTTP/1.1"), line("GET /a?b#c HTTP/1.1"), line("GET # HTTP/1.1")],
  "target-byte-invalid": [
    line("GET /\0 HTTP/1.1"),
    line("GET /a\tb HTTP/1.1"),
    line("GET /caf\xc3\xa9 HTTP/1.1"),
    line("GET /\xc0\xaf HTTP/1.1"),
    line("GET /?q=\x80 HTTP/1.1"),
    line("GET /\x7f HTTP/1.1"),
    line("GET /\x1b[2J HTTP/1.1"),
  ],
  "target-form": [
    line("GET ! HTTP/1.1"),
    line("GET a HTTP/1.1"),
    line("GET a:443 HTTP/1.1"),
    line("GET ?q HTTP/1.1"),
    line("GET \\x HTTP/1.1"),
    line("GET ftp://a/ HTTP/1.1"),
    line("GET http:/a HTTP/1.1"),
    line("GET http:a HTTP/1.1"),
    line("GET javascript:alert(1) HTTP/1.1"),
    line("OPTIONS ** HTTP/1.1"),
    line("OPTIONS *?a HTTP/1.1"),
  ],
  "target-asterisk": [line("GET * HTTP/1.1"), line("POST * HTTP/1.1")],
  "target-userinfo": [line("GET http://u@a/ HTTP/1.1"), line("GET http://a:x@b/ HTTP/1.1")],
  "target-authority": [
    line("GET http:/// HTTP/1.1"),
    line("GET http://?a HTTP/1.1"),
    line("GET http://a:99999/ HTTP/1.1"),
    line("GET http://a,b/ HTTP/1.1"),
    line("GET http://[::1/ HTTP/1.1"),
  ],
  "host-missing": [
    "GET / HTTP/1.1\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost_: a\r\n\r\n",
  ],
  "host-duplicate": [withHost("a", "a"), withHost("a", "b"), "GET / HTTP/1.0\r\nHost: a\r\nhOST: a\r\n\r\n"],
  "host-invalid": [
    "",
    " ",
    "u@a",
    "a/b",
    "a/",
    "a, b",
    "a,b",
    "a b",
    "a:b",
    "a:-1",
    "a:65536",
    "a:99999999999",
    "a:80:80",
    ":80",
    "http://a",
    "a?b",
    "a#b",
    "a\\b",
    "a%2e",
    "\xe9",
    "\xffa\xff",
    "a\xa0",
    "a;b",
    "a'b",
    "a`b",
    "[::1",
    "::1",
    "[::1]x",
    "[]",
    "[1]",
    "[:1::2]",
    "[1:::2]",
    "[1:2:3:4:5:6:7:8:9]",
    "[::1.2.3]",
    "[::12345]",
    "[fe80::1%eth0]",
    "[v1.x]",
    "a\tb",
    "[::1]:99999",
    "*",
    "a[b]",
    "<a>",
    '"a"',
  ].map((value) => withHost(value)),
  "host-mismatch": [
    line("GET http://b/ HTTP/1.1"),
    line("GET http://a:80/ HTTP/1.1"),
    line("GET http://a.b/ HTTP/1.1"),
    "GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n",
  ],
  "leading-whitespace": [
    "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "GET / HTTP/1.1\r\n\tContent-Length: 1\r\nHost: a\r\n\r\nX",
  ],
  "obs-fold": [
    get("X: a", " b"),
    get("X: a", "\tb"),
    get("X: a", " "),
    get("X:", " b"),
    post("Transfer-Encoding:", " chunked"),
    post("Transfer-Encoding: chunked", " , identity"),
    post("Content-Length: 1", " 0"),
  ],
  "field-name-empty": [get(": x"), get(":"), "GET / HTTP/1.1\r\n:\r\nHost: a\r\n\r\n"],
  "field-name-invalid": '\0\x01\x0b\x0c\x1f"(),/;<=>?@[\\]{}\x7f\x80\x85\xa0\xef\xff'
    .split("")
    .flatMap((char) => [get(`X${char}Y: z`), get(`${char}X: y`), post(`Content-Length${char}: 1`)]),
  "field-name-whitespace": [
    get("X : y"),
    get("X\t: y"),
    get("X Y: z"),
    get("No colon here"),
    post("Content-Length : 5"),
    post("Content-Length 5"),
    post("Transfer-Encoding : chunked"),
    post("Transfer-Encoding\t: chunked"),
  ],
  "colon-missing": [get("NoColon"), post("Transfer-", "Encoding: chunked"), get("X: y", "Z")],
  "field-value-control": "\0\x01\x07\b\x0b\x0c\x0e\x1b\x1f\x7f"
    .split("")
    .flatMap((char) => [get(`X: a${char}b`), get(`X: ${char}`), post(`Transfer-Encoding: ${char}chunked`)]),
  "content-length-duplicate": [
    post("Content-Length: 5", "Content-Length: 5"),
    post("Content-Length: 0", "Content-Length: 31"),
    post("Content-Length: ", "Content-Length: 43"),
    post("Content-Length: 5", "X: y", "content-LENGTH: 6"),
  ],
  "content-length-malformed": [
    "",
    "+5",
    "-5",
    "-0",
    "5, 5",
    "5,6",
    "5,",
    ",5",
    "1 0",
    "1\t0",
    "0x5",
    "0x10",
    "0o5",
    "1_0",
    "5.0",
    "5e1",
    "abc",
    "1Z",
    "5;a=b",
    "\xb5",
    "5\xa0",
    '"5"',
    "%35",
    "٥",
  ].map((value) => post(`Content-Length: ${Buffer.from(value, "utf8").toString("latin1")}`)),
  "content-length-too-large": [
    "9007199254740992",
    "99999999999999999999",
    "18446744073709551621",
    "9".repeat(400),
  ].map((value) => post(`Content-Length: ${value}`)),
  "content-length-with-transfer-encoding": [
    post("Content-Length: 6", "Transfer-Encoding: chunked"),
    post("Transfer-Encoding: chunked", "Content-Length: 6"),
    post("Content-Length: 0", "Transfer-Encoding: chunked"),
    post("Content-Length: 5", "Transfer-Encoding:"),
    post("Content-Length: 5", "Transfer-Encoding: identity"),
    post("Content-Length: 5", "Transfer-Encoding: xchunked"),
    "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
  ],
  "transfer-encoding-duplicate": [
    post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    post("Transfer-Encoding: gzip", "X: y", "transfer-encoding: chunked"),
  ],
  "transfer-encoding-empty": [post("Transfer-Encoding:"), post("Transfer-Encoding: \t ")],
  "transfer-encoding-malformed": [
    "chunked, chunked",
    "chunked, gzip",
    "chunked, identity",
    ", chunked",
    ",chunked",
    "chunked,",
    "chunked;a=b",
    "chunk ed",
    '"chunked"',
    "chunked \xa0",
    "\xa0chunked",
    "gzip,,deflate",
    "(chunked)",
    "chunked/1",
  ].map((value) => post(`Transfer-Encoding: ${value}`)),
  "transfer-encoding-unknown": [
    "gzip",
    "identity",
    "xchunked",
    "chunkedx",
    "gzip, chunked",
    "chunke",
    "x-gzip",
    "cow",
  ].map((value) => post(`Transfer-Encoding: ${value}`)),
  "transfer-encoding-http10": ["POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  "expect-unknown": [
    post("Content-Length: 1", "Expect: 200-ok"),
    post("Content-Length: 1", "Expect:"),
    post("Content-Length: 1", "Expect: 100-continue, 100-continue"),
    post("Content-Length: 1", "Expect: 100-continue", "Expect: 100-continue"),
    get("Expect: y 100-continue"),
  ],
  "trace-body": [
    request("TRACE / HTTP/1.1", "Content-Length: 5"),
    request("TRACE / HTTP/1.1", "Transfer-Encoding: chunked"),
  ],
  "connection-options-too-many": [
    get(`Connection: ${"a,".repeat(33)}`),
    get(...Array(33).fill("Connection: b")),
  ],
  "request-line-too-long": [line(`GET /${"a".repeat(8192)} HTTP/1.1`), `GET /${"a".repeat(9000)}`],
  "head-too-large": [
    get(`X: ${"a".repeat(32768)}`),
    get(`X: ${"a".repeat(40000)}`),
    get(`${"A".repeat(33000)}: x`),
  ],
  "too-many-fields": [get(...Array(100).fill("X: y"))],
};

describe("a request is refused", () => {
  for (const [code, cases] of Object.entries(REFUSED)) {
    test(`as ${code}`, () => {
      for (const raw of cases) expect([raw, outcome(raw)]).toEqual([raw, code]);
    });

    test(`as ${code} when it arrives byte by byte`, () => {
      for (const raw of cases.slice(0, 12)) expect([raw, outcomeByteByByte(raw)]).toEqual([raw, code]);
    });
  }

  test("for every reason in the table of errors that a head can have", () => {
    const reasons = Object.keys(REQUEST_ERRORS).filter((code) => !/^(chunk|trailer)-/.test(code));
    expect(Object.keys(REFUSED).toSorted()).toEqual(reasons.toSorted());
  });
});

describe("limits", () => {
  const limits = { requestLineBytesMax: 64, headBytesMax: 128, fieldsMax: 3 };

  test("a request line of exactly the limit passes, one byte more does not", () => {
    const sized = (bytes: number): string => line(`GET /${"a".repeat(bytes - 16)} HTTP/1.1`);
    expect(outcome(sized(64), limits)).toBe(sized(64).length);
    expect(outcome(sized(65), limits)).toBe("request-line-too-long");
  });

  test("a head of exactly the limit passes, one byte more does not", () => {
    const sized = (bytes: number): string => get(`X: ${"a".repeat(bytes - 32)}`);
    expect(sized(128).length).toBe(128);
    expect(outcome(sized(128), limits)).toBe(128);
    expect(outcome(sized(129), limits)).toBe("head-too-large");
  });

  test("an unfinished head above the limit is refused without its end", () => {
    const unfinished = get(`X: ${"a".repeat(200)}`).slice(0, 129);
    expect(outcome(unfinished, limits)).toBe("head-too-large");
    expect(outcomeByteByByte(unfinished, limits)).toBe("head-too-large");
  });

  test("as many fields as the limit pass", () => {
    expect(outcome(get("A: 1", "B: 2"), limits)).toBeGreaterThan(0);
    expect(outcome(get("A: 1", "B: 2", "C: 3"), limits)).toBe("too-many-fields");
  });

  test("the defaults are those of the configuration", () => {
    expect(HEAD_LIMITS).toEqual({ requestLineBytesMax: 8192, headBytesMax: 32768, fieldsMax: 100 });
  });
});
