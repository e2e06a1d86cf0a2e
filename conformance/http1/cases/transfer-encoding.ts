/** Transfer-Encoding: `chunked` once, last, alone with no Content-Length. RFC 9112 section 6.1 and 6.3. */
import { accept, type Case, HOST, may, must, post, should } from "../case.ts";

const BODY = "5\r\nhello\r\n0\r\n\r\n";
const EVIL = `GET /evil HTTP/1.1\r\n${HOST}\r\n`;
const coding = (value: string): string => post(`Transfer-Encoding: ${value}`, BODY);
const both = (value: string): string => post(`Transfer-Encoding: ${value}\r\nContent-Length: 5`, "hello");

/** 501 is the exact answer to an unknown coding; some say 422. */
const UNKNOWN = { statuses: [400, 422, 501] };

/** Values that are no list of known codings ending in one `chunked`. */
const NOT_CHUNKED: Readonly<Record<string, string>> = {
  "a prefix letter": "xchunked",
  "a letter missing": "chunke",
  "an unknown coding": "cow",
  "gzip alone": "gzip",
  identity: "identity",
  "chunked not last": "chunked, gzip",
  "chunked and identity": "chunked, identity",
  "chunked twice": "chunked, chunked",
  quotes: '"chunked"',
  "a parameter": "chunked;q=1",
  "a vertical tab before it": "\x0bchunked",
  "a form feed before it": "\x0cchunked",
  "a no-break space around it": "\xa0chunked\xa0",
  "a high byte around it": "\xffchunked\xff",
  "a next-line byte behind it": "chunked\x85",
  "a NUL behind it": "chunked\0",
  "a space inside": "chun ked",
  "another coding without a comma": "gzip chunked",
};

const alone = Object.entries(NOT_CHUNKED).map(([what, value]) =>
  must(`a coding with ${what}`, coding(value), UNKNOWN),
);
const withLength = Object.entries(NOT_CHUNKED).map(([what, value]) =>
  must(`a length and a coding with ${what}`, both(value), UNKNOWN),
);

export const TRANSFER_ENCODING: readonly Case[] = [
  ...alone,
  ...withLength,
  should("a length and chunked", post("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nX"), {
    count: 1,
  }),
  should("chunked and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5", BODY), {
    lacks: ["content-length"],
  }),
  should(
    "a request hidden behind the last chunk",
    post("Content-Length: 50\r\nTransfer-Encoding: chunked", `0\r\n\r\n${EVIL}`),
  ),
  should(
    "a request hidden inside a chunk",
    post(
      "Content-Length: 4\r\nTransfer-Encoding: chunked",
      `${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`,
    ),
  ),
  should("a length and chunked in capitals", both("Chunked")),
  must("an empty coding", coding(""), UNKNOWN),
  must("an empty coding and a length", both(""), UNKNOWN),
  should("a coding list that starts with a comma", coding(",chunked"), { ...UNKNOWN, body: "hello" }),
  should("a coding list that ends in a comma", coding("chunked,"), { ...UNKNOWN, body: "hello" }),
  must(
    "two coding fields, chunked twice",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", BODY),
    UNKNOWN,
  ),
  must(
    "two coding fields, the last identity",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", BODY),
    UNKNOWN,
  ),
  must(
    "two coding fields, the last unknown",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow", BODY),
    UNKNOWN,
  ),
  should(
    "two coding fields, the first identity",
    post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", BODY),
    UNKNOWN,
  ),
  may("gzip and then chunked", coding("gzip, chunked"), UNKNOWN),
  must("a space before the colon", post("Transfer-Encoding : chunked", BODY)),
  must(
    "a tab before the colon and a length",
    post("Transfer-Encoding\t: chunked\r\nContent-Length: 5", "hello"),
  ),
  must("a NUL before the colon", post("Transfer-Encoding\0: chunked\r\nContent-Length: 5", "hello")),
  must(
    "a no-break space before the colon",
    post("Transfer-Encoding\xa0: chunked\r\nContent-Length: 5", "hello"),
  ),
  must("a name broken by CRLF", post("Transfer-\r\nEncoding: chunked\r\nContent-Length: 5", "hello")),
  must("a name broken by LF", post("Transfer-Encoding\n: chunked\r\nContent-Length: 5", "hello")),
  should("a coding on a folded line", post("Transfer-Encoding:\r\n chunked\r\nContent-Length: 5", "hello")),
  should(
    "a coding that looks like a fold",
    post("X: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: 5", "hello"),
  ),
  must("a coding behind a bare CR", post("X: 1\rTransfer-Encoding: chunked\r\nContent-Length: 5", "hello")),
  should("a coding behind a bare LF", post("X: 1\nTransfer-Encoding: chunked\r\nContent-Length: 5", "hello")),
  must(
    "a coding behind two bare CRs",
    post("X: 1\r\rTransfer-Encoding: chunked\r\nContent-Length: 5", "hello"),
  ),
  must(
    "a coding in HTTP/1.0",
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${BODY}`,
    UNKNOWN,
  ),
  must(
    "a coding and a length in HTTP/1.0",
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello`,
    UNKNOWN,
  ),
  may("a tab before the coding", coding("\tchunked"), { ...UNKNOWN, body: "hello" }),
  may("a space behind the coding", coding("chunked "), { ...UNKNOWN, body: "hello" }),
  may(
    "Connection names Transfer-Encoding",
    post("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", BODY),
    {
      body: "hello",
    },
  ),
  may("GET with a chunked body", `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${BODY}`, {
    body: "hello",
  }),
  accept("chunked", coding("chunked"), { body: "hello" }),
  accept("chunked in capitals", coding("CHUNKED"), { body: "hello" }),
  accept("chunked without a space before it", post("Transfer-Encoding:chunked", BODY), { body: "hello" }),
];
