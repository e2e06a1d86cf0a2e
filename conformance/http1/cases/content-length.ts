/** Content-Length: one decimal number, once. RFC 9110 section 8.6, RFC 9112 section 6. */
import { accept, type Case, HOST, may, must, post, should, unfinished } from "../case.ts";

const length = (value: string, body = "hello"): string => post(`Content-Length: ${value}`, body);

/** A second request, as an attacker would hide it in a body. */
const EVIL = `GET /evil HTTP/1.1\r\n${HOST}\r\n`;

/** Values that are not 1*DIGIT. */
const NOT_A_NUMBER: Readonly<Record<string, string>> = {
  letters: "abc",
  "a plus sign": "+5",
  "a minus sign": "-1",
  "a negative zero": "-0",
  "a hex prefix": "0x5",
  "an octal prefix": "0o5",
  "an underscore": "1_0",
  "a decimal point": "5.0",
  "an exponent": "1e1",
  "a letter behind the digits": "5Z",
  "a semicolon behind the digits": "5;",
  "a space between the digits": "1 0",
  "a vertical tab before the digits": "\x0b5",
  "a no-break space before the digits": "\xa05",
  "a next-line byte behind the digits": "5\x85",
  "a NUL behind the digits": "5\0",
  "full-width digits": "\xef\xbc\x95",
  quotes: '"5"',
};

const notNumbers = Object.entries(NOT_A_NUMBER).map(([what, value]) =>
  must(`a length with ${what}`, length(value, "hello12345")),
);

export const CONTENT_LENGTH: readonly Case[] = [
  ...notNumbers,
  must("an empty length", length("", "")),
  must("an empty length before a real one", post("Content-Length:\r\nContent-Length: 5", "hello")),
  must("a length of more than 64 bits", length("99999999999999999999", "")),
  must("a length of exactly 2^64", length("18446744073709551616", "")),
  must("a length of 2^64 and a bit, which wraps to 5", length("18446744073709551621")),
  must("two lengths that differ", post("Content-Length: 5\r\nContent-Length: 10", "helloworld")),
  must(
    "two lengths that differ, the second larger",
    post(`Content-Length: 0\r\nContent-Length: ${EVIL.length}`, EVIL),
  ),
  must("a list of lengths that differ", length("5, 10", "helloworld")),
  should("two lengths that agree", post("Content-Length: 5\r\nContent-Length: 5", "hello"), {
    body: "hello",
  }),
  should("a list of lengths that agree", length("5, 5"), { body: "hello" }),
  must("a list with an empty last member", length("5,")),
  must("a list with an empty first member", length(",5")),
  must("a space before the colon", post("Content-Length : 5", "hello")),
  must("a tab before the colon", post("Content-Length\t: 5", "hello")),
  must("no colon", post("Content-Length 5", "hello")),
  must("a NUL before the colon", post("Content-Length\0: 5", "hello")),
  must("a next-line byte before the colon", post("Content-Length\x85: 5", "hello")),
  must("a name broken by CRLF", post("Content-\r\nLength: 5", "hello")),
  should("a length on a folded line", post("Content-Length:\r\n 5", "hello")),
  must("a length hidden behind a bare CR", post("X: 1\rContent-Length: 5", "hello")),
  may("a length with leading zeros", length("005"), { body: "hello" }),
  may("a length that reads as octal", length("010", "0123456789"), { body: "0123456789" }),
  may("a length of two zeros", length("00", ""), { body: "" }),
  may("a space behind the length", length("5 "), { body: "hello" }),
  may("two spaces before the length", length(" 5"), { body: "hello" }),
  may("a tab before the length", length("\t5"), { body: "hello" }),

  accept("a body of the given length", length("5"), { body: "hello" }),
  accept("a body of no bytes", length("0", ""), { body: "" }),
  accept("POST without any length", `POST / HTTP/1.1\r\n${HOST}\r\n`, { body: "" }),
  may("GET with a body", `GET / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, { body: "hello" }),
  may("HEAD with a body", `HEAD / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, { body: "hello" }),
  may("OPTIONS with a body", `OPTIONS / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, {
    body: "hello",
  }),
  may("TRACE with a body", `TRACE / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, {
    statuses: [400, 403, 405, 501],
  }),
  may("an underscore disguise of the length", post("Content_Length: 40\r\nContent-Length: 5", "hello"), {
    body: "hello",
  }),
  may("Connection names Content-Length", post("Connection: Content-Length\r\nContent-Length: 5", "hello"), {
    body: "hello",
  }),
  unfinished("a body shorter than its length", length("10")),
  unfinished("a huge length and no body", length("999999999", "")),
];
