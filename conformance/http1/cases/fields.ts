/** Field lines: names, values, line ends, folding. RFC 9112 section 5, RFC 9110 section 5. */
import { accept, type Case, get, HOST, may, must, should } from "../case.ts";

/** ASCII that is neither token nor colon: never part of a field name. */
const NOT_TOKEN = ['"', "(", ")", ",", "/", ";", "<", "=", ">", "?", "@", "[", "\\", "]", "{", "}"];

/** Bytes that some string functions take for white space. */
const ODD_SPACES = {
  "vertical tab": "\x0b",
  "form feed": "\x0c",
  "next-line byte": "\x85",
  "no-break space": "\xa0",
};

const badNames = NOT_TOKEN.map((char) => must(`a field name with ${char}`, get(`X${char}Y: 1`)));

const oddSpaces = Object.entries(ODD_SPACES).map(([name, byte]) =>
  must(`a field name that ends in a ${name}`, get(`X-Test${byte}: 1`)),
);

export const FIELDS: readonly Case[] = [
  ...badNames,
  ...oddSpaces,
  must("a field name with a space inside", get("X Test: 1")),
  must("a field name with a NUL", get("X\0: 1")),
  must("a field name with a control character", get("X\x01: 1")),
  must("a field name with a delete character", get("X\x7f: 1")),
  must("a field name with UTF-8", get("X-T\xc3\xa9st: 1")),
  must("a high byte before the field name", get("\xefX: 1")),
  must("an empty field name", get(": 1")),
  must("an empty field name and no value", get(":\r\nX-After: 1")),
  must("a space before the colon", get("X-Test : 1")),
  must("a tab before the colon", get("X-Test\t: 1")),
  must("a line without a colon", get("NoColonHere")),
  must("a name and a value parted by a space", get("X-Test 1")),
  must("a field name broken by CRLF", get("X-\r\nTest: 1")),
  must("a field name broken by LF", get("X-\nTest: 1")),

  should("a value folded with a space", get("X-Test: one\r\n two")),
  should("a value folded with a tab", get("X-Test: one\r\n\ttwo")),
  should("a fold that holds only white space", get("X-Test: one\r\n ")),
  must("a first field line that starts with a space", `GET / HTTP/1.1\r\n X: 1\r\n${HOST}\r\n`),
  must("a first field line that starts with a tab", `GET / HTTP/1.1\r\n\tX: 1\r\n${HOST}\r\n`),
  must("a line of white space before the fields", `GET / HTTP/1.1\r\n \r\n${HOST}\r\n`),

  should("a bare LF ends a field line", get("X-Test: 1\nX-More: 2")),
  should("a bare LF ends the head", `GET / HTTP/1.1\r\n${HOST}\n`),
  must("a bare CR ends a field line", get("X-Test: 1\rX-More: 2")),
  must("a bare CR ends the head", `GET / HTTP/1.1\r\n${HOST}\rX`),
  must("two CRs before the LF", get("X-Test: 1\r")),
  must("a bare CR inside a value", get("X-Test: va\rlue")),
  must("a bare CR at the start of a value", get("X-Test:\rvalue")),
  must("a NUL inside a value", get("X-Test: va\0lue")),
  must("a NUL at the end of a value", get("X-Test: value\0")),
  should("a bell and a backspace in a value", get("X-Test: abc\x07\x08def")),
  should("an escape character in a value", get("X-Test: \x1b[31m")),
  should("a delete character in a value", get("X-Test: a\x7fb")),
  should("a vertical tab in a value", get("X-Test: a\x0bb")),

  accept("high bytes in a value", get("X-Test: caf\xe9"), { has: { "x-test": "caf\xe9" } }),
  accept("tabs and spaces around a value", get("X-Test: \t  value \t "), { has: { "x-test": "value" } }),
  accept("an empty value", get("X-Test:"), { has: { "x-test": "" } }),
  accept("no space after the colon", get("X-Test:value"), { has: { "x-test": "value" } }),
  accept("every token character in a name", get("!#$%&'*+-.^_`|~9aZ: 1")),

  accept("a field named by Connection is not passed on", get("Connection: X-Test\r\nX-Test: 1"), {
    lacks: ["x-test"],
  }),
  accept(
    "Keep-Alive, TE and Proxy-Connection are not passed on",
    get("Keep-Alive: 9\r\nProxy-Connection: x"),
    {
      lacks: ["keep-alive", "proxy-connection"],
    },
  ),
  may("Connection names Host", get("Connection: Host"), { has: { host: "a.test" } }),
  may("an underscore disguise of Transfer-Encoding", get("Transfer_Encoding: chunked")),
  may("Upgrade without Connection", get("Upgrade: websocket")),
  may("an expectation nobody knows", get("Expect: 200-ok"), { statuses: [400, 417] }),
  may("a list of Range parts", get(`Range: bytes=${"0-,".repeat(200)}0-`)),
];
