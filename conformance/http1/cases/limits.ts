/** Messages that are too long: refused, with bounded memory. RFC 9112 section 3, RFC 6585 section 5. */
import { type Case, chunked, get, HOST, may, must, should, unfinished } from "../case.ts";

/** More than any proxy's default bound on a head. */
const TOO_LONG = 200_000;

const TOO_LARGE = { statuses: [400, 413, 414, 431, 501] };

const manyFields = Array.from({ length: 10_000 }, (_, index) => `X-H-${index}: value\r\n`).join("");

export const LIMITS: readonly Case[] = [
  must("a target of 200 kB", `GET /${"A".repeat(TOO_LONG)} HTTP/1.1\r\n${HOST}\r\n`, TOO_LARGE),
  must("a query of 200 kB", `GET /?${"A".repeat(TOO_LONG)} HTTP/1.1\r\n${HOST}\r\n`, TOO_LARGE),
  must("a method of 200 kB", `${"A".repeat(TOO_LONG)} / HTTP/1.1\r\n${HOST}\r\n`, TOO_LARGE),
  must("a field value of 200 kB", get(`X-Big: ${"B".repeat(TOO_LONG)}`), TOO_LARGE),
  must("a field name of 200 kB", get(`${"C".repeat(TOO_LONG)}: 1`), TOO_LARGE),
  must("10,000 fields", `GET / HTTP/1.1\r\n${HOST}${manyFields}\r\n`, TOO_LARGE),
  must("200 kB without a line end", "D".repeat(TOO_LONG), TOO_LARGE),
  must(
    "200 kB of field line without an end",
    `GET / HTTP/1.1\r\n${HOST}X: ${"E".repeat(TOO_LONG)}`,
    TOO_LARGE,
  ),
  may(
    "100 kB of empty lines before the request",
    `${"\r\n".repeat(50_000)}GET / HTTP/1.1\r\n${HOST}\r\n`,
    TOO_LARGE,
  ),
  should(
    "a chunk extension of 200 kB",
    chunked(`5;a=${"F".repeat(TOO_LONG)}\r\nhello\r\n0\r\n\r\n`),
    TOO_LARGE,
  ),
  must("a chunk size of 200,000 zeros", chunked(`${"0".repeat(TOO_LONG)}5\r\nhello\r\n0\r\n\r\n`), TOO_LARGE),
  should("200 kB of trailers", chunked(`5\r\nhello\r\n0\r\n${manyFields}\r\n`), TOO_LARGE),
  unfinished("nothing at all", ""),
  unfinished("a method that has only begun", "GE"),
  unfinished("a head without its last line end", `GET / HTTP/1.1\r\n${HOST}X-Test: value`),
  unfinished("a head without its empty line", `GET / HTTP/1.1\r\n${HOST}`),
];
