/** Chunked bodies: sizes, extensions, line ends, trailers. RFC 9112 section 7.1. */
import { accept, type Case, chunked, HOST, may, must, should, unfinished } from "../case.ts";

const EVIL = `GET /evil HTTP/1.1\r\n${HOST}\r\n`;
const END = "0\r\n\r\n";
const size = (text: string, data = "hello"): string => chunked(`${text}\r\n${data}\r\n${END}`);
const trailer = (text: string): string => chunked(`5\r\nhello\r\n0\r\n${text}\r\n\r\n`);

/** Sizes that are not 1*HEXDIG. */
const NOT_HEX: Readonly<Record<string, string>> = {
  "a hex prefix": "0x5",
  "a plus sign": "+5",
  "a minus sign": "-5",
  "an underscore": "0_5",
  "a letter behind it": "5g",
  "a colon behind it": "5:",
  "a comma behind it": "5,5",
  "a point behind it": "5.0",
  "a space before it": " 5",
  "a tab before it": "\t5",
  "a vertical tab behind it": "5\x0b",
  "a NUL behind it": "5\0",
  "a NUL before it": "\x005",
  "a high byte behind it": "5\x85",
  "full-width digits": "\xef\xbc\x95",
  "a bare CR behind it": "5\r",
  "nothing but an extension": ";a=b",
  "nothing at all": "",
  "letters that are no hex": "xyz",
};

/** Trailers that would change the meaning of a request if they were taken for header fields. */
const FORBIDDEN_TRAILERS: Readonly<Record<string, string>> = {
  "Content-Length": "50",
  "Transfer-Encoding": "chunked",
  Host: "evil.test",
  Authorization: "Bearer evil",
  "Content-Type": "text/evil",
  "X-Forwarded-For": "6.6.6.6",
};

const badSizes = Object.entries(NOT_HEX).map(([what, text]) => must(`a chunk size with ${what}`, size(text)));

/** What a field of the head may hold: nothing that came in the trailer. */
const forbidden = Object.entries(FORBIDDEN_TRAILERS).map(([name, value]) =>
  may(`${name} as a trailer`, trailer(`${name}: ${value}`), { body: "hello", has: { host: "a.test" } }),
);

export const CHUNKS: readonly Case[] = [
  ...badSizes,
  must("a chunk size of more than 64 bits", size("FFFFFFFFFFFFFFFF0")),
  must("a chunk size of 2^64 and 5, which wraps to 5", size("10000000000000005")),
  must("a chunk size of 2^32 and 5 with 5 bytes", chunked(`100000005\r\nhello\r\n${END}${EVIL}`)),
  may("a chunk size with leading zeros", size("0005"), { body: "hello" }),
  should("a chunk size with a space behind it", size("5 "), { body: "hello" }),
  accept("a chunk size in upper-case hex", size("A", "helloworld"), { body: "helloworld" }),
  accept("a chunk size in lower-case hex", size("a", "helloworld"), { body: "helloworld" }),
  accept("two chunks", chunked(`5\r\nhello\r\n6\r\n world\r\n${END}`), { body: "hello world" }),
  accept("no chunk but the last", chunked(END), { body: "" }),

  may("an extension", size("5;name=value"), { body: "hello" }),
  may("an extension without a value", size("5;name"), { body: "hello" }),
  may("a quoted extension", size('5;name="a b"'), { body: "hello" }),
  may("a space before an extension", size("5 ;name=value"), { body: "hello" }),
  must("a semicolon without an extension", size("5;")),
  must("a NUL in an extension", size("5;\0name")),
  must("a control character in an extension", size("5;na\x01me")),
  must("a bare CR in an extension", size("5;a\rX")),
  must("a bare CR before an extension", size("5\r;a")),
  must("two bare CRs before an extension", chunked(`2\r\r;a\r\n02\r\n41\r\n${END}${EVIL}`)),
  must("two bare CRs behind an extension", chunked(`41;a=b\r\r${"X".repeat(65)}\r\n${END}${EVIL}`)),
  should("a bare LF in an extension", size("5;\nX")),
  must("a line end inside a quoted extension", size('5;a="\r\n"')),

  should("a bare LF behind a chunk size", chunked(`5\nhello\r\n${END}`)),
  must("a bare CR behind a chunk size", chunked(`5\rhello\r\n${END}`)),
  should("a bare LF behind the data", chunked(`5\r\nhello\n${END}`)),
  must("a bare CR behind the data", chunked(`5\r\nhello\r${END}`)),
  must("no line end behind the data", chunked(`5\r\nhello${END}`)),
  must("data longer than its size", chunked(`5\r\nhello!!\r\n${END}`)),
  must("data shorter than its size", chunked(`7\r\nhello\r\n${END}`)),
  must("other bytes than a line end behind the data", chunked(`5\r\nhelloXX${END}`)),
  must("a request behind a size that is no hex", chunked(`INVALID!!!\r\n${EVIL}`)),
  must("a request behind a size cut at an underscore", chunked(`0_2e\r\n\r\n${EVIL}`)),
  should("a bare LF ends the body", chunked("5\r\nhello\r\n0\r\n\n")),
  should("a bare LF behind the last size", chunked("5\r\nhello\r\n0\n\r\n")),
  must("a bare CR ends the body", chunked("5\r\nhello\r\n0\r\n\rX")),
  unfinished("no last chunk", chunked("5\r\nhello\r\n")),
  unfinished("a last chunk without its end", chunked("5\r\nhello\r\n0\r\n")),
  unfinished("a chunk that has only begun", chunked("ffff\r\nhello")),

  accept("a trailer", trailer("X-Checksum: abc"), { body: "hello" }),
  ...forbidden,
  should("a trailer without a colon", trailer("NoColonHere")),
  should("a trailer with a space before the colon", trailer("X-Test : 1")),
  should("a trailer with a NUL", trailer("X-Test: a\0b")),
  should("a trailer with a bare CR", trailer("X-Test: a\rb")),
  should("a trailer ended by a bare LF", trailer("X-Test: 1\nX-More: 2")),
  should("a folded trailer", trailer("X-Test: 1\r\n 2")),
  should("a trailer without a name", trailer(": 1")),
  should("a request line as a trailer", chunked(`5\r\nhello\r\n0\r\n${EVIL}`)),
];
