/** The request line: separators, method, target, version. RFC 9112 section 3. */
import { accept, type Case, HOST, may, must, should } from "../case.ts";

const line = (text: string): string => `${text}\r\n${HOST}\r\n`;
const target = (text: string): string => line(`GET ${text} HTTP/1.1`);
const version = (text: string): string => line(`GET / ${text}`);

/** 505 is the exact answer to a version, 400 the general one. */
const UNSUPPORTED = { statuses: [400, 505] };

export const REQUEST_LINE: readonly Case[] = [
  // Line ends and separators.
  must("a bare CR ends the request line", `GET / HTTP/1.1\r${HOST}\r\n`),
  should("a bare LF ends the request line", `GET / HTTP/1.1\n${HOST}\r\n`),
  should("every line ends in a bare LF", "GET / HTTP/1.1\nHost: a.test\n\n"),
  must("a line feed splits the request line", `GET /\nHTTP/1.1\r\n${HOST}\r\n`),
  should("two spaces after the method", line("GET  / HTTP/1.1")),
  should("two spaces before the version", line("GET /  HTTP/1.1")),
  should("a tab after the method", line("GET\t/ HTTP/1.1")),
  must("a vertical tab after the method", line("GET\x0b/ HTTP/1.1")),
  must("a form feed after the method", line("GET\x0c/ HTTP/1.1")),
  must("a carriage return before the version", line("GET / \rHTTP/1.1")),
  should("a space after the version", line("GET / HTTP/1.1 ")),
  must("a space before the method", line(" GET / HTTP/1.1")),
  may("one empty line before the request", `\r\n${target("/")}`),
  may("two empty lines before the request", `\r\n\r\n${target("/")}`),
  must("a line of spaces instead of a request", "   \r\n\r\n"),

  // Method.
  may("a method in lower case", line("get / HTTP/1.1"), { statuses: [400, 405, 501] }),
  may("a method nobody knows", line("BREW / HTTP/1.1"), { statuses: [400, 405, 501] }),
  must("no method", line("/ HTTP/1.1")),
  must("delimiters in the method", line('G=":<>(e),[T];?" / HTTP/1.1')),
  must("a comma in the method", line("GET,POST / HTTP/1.1")),
  must("a colon in the method", line("GET: / HTTP/1.1")),
  must("a NUL in the method", line("G\0T / HTTP/1.1")),
  must("a high byte in the method", line("G\xc9T / HTTP/1.1")),
  must("CONNECT to a gateway", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", {
    statuses: [400, 403, 405, 501],
  }),
  may("TRACE", line("TRACE / HTTP/1.1"), { statuses: [400, 403, 405, 501] }),

  // Target.
  must("no target", line("GET HTTP/1.1")),
  must("a target without a slash", target("feed")),
  must("a target that is one exclamation mark", target("!")),
  must("a target that is only a query", target("?page=1")),
  must("an authority as the target of GET", target("a.test:80")),
  must("the asterisk as the target of GET", target("*")),
  must("the asterisk with more behind it", line("OPTIONS *x HTTP/1.1")),
  accept("the asterisk as the target of OPTIONS", line("OPTIONS * HTTP/1.1"), { target: "*" }),
  should("a fragment in the target", target("/feed#top")),
  may("a backslash in the target", target("/a\\..\\b")),
  must("a space in the target", target("/a b")),
  must("a NUL in the target", target("/a\0b")),
  must("a control character in the target", target("/a\x01b")),
  must("a delete character in the target", target("/a\x7fb")),
  must("a tab in the target", target("/a\tb")),
  must("a bare CR in the target", target("/a\rb")),
  must("raw UTF-8 in the target", target("/caf\xc3\xa9")),
  must("an overlong slash in the target", target("/..\xc0\xaf..")),
  may("an escaped NUL in the target", target("/a%00b")),
  may("an escaped line end in the target", target("/a%0d%0aX-Evil:%20yes")),
  may("an escape that is no hex", target("/a%zz")),
  may("an escape cut short", target("/a%4")),
  may("characters outside the URI grammar", target('/"<>{}|^`')),
  may("dot segments above the root", target("/../../etc/passwd")),
  may("a path that starts with two slashes", target("//b.test/x"), { target: "//b.test/x" }),

  // Absolute form: the target's authority wins over Host (RFC 9112 section 3.2.2).
  accept("absolute form with an equal Host", target("http://a.test/feed"), { has: { host: "a.test" } }),
  may("absolute form with another Host", target("http://b.test/feed"), { has: { host: "b.test" } }),
  may("absolute form without a path", target("http://a.test"), { has: { host: "a.test" } }),
  may("absolute form with a query and no path", target("http://a.test?x=1"), { has: { host: "a.test" } }),
  may("absolute form in upper case", target("HTTP://a.test/feed"), { has: { host: "a.test" } }),
  must("absolute form without an authority", target("http:///feed")),
  must("absolute form with user information", target("http://user@a.test/feed")),
  must("absolute form with a port that is no number", target("http://a.test:eighty/")),
  may("absolute form of a foreign scheme", target("ftp://a.test/feed")),

  // Version.
  must("version 9.9", version("HTTP/9.9"), UNSUPPORTED),
  must("version 2.0", version("HTTP/2.0"), UNSUPPORTED),
  must("version 0.9 with fields", version("HTTP/0.9"), UNSUPPORTED),
  may("version 1.2", version("HTTP/1.2"), UNSUPPORTED),
  must("version without a minor part", version("HTTP/1"), UNSUPPORTED),
  must("version with leading zeros", version("HTTP/01.01"), UNSUPPORTED),
  must("version with two minor digits", version("HTTP/1.10"), UNSUPPORTED),
  must("version 1.32", version("HTTP/1.32"), UNSUPPORTED),
  must("version with a space inside", version("HTTP/ 1.1"), UNSUPPORTED),
  must("version with a minus", version("HTTP/-1.1"), UNSUPPORTED),
  must("version with a comma", version("HTTP/1,1"), UNSUPPORTED),
  must("version with letters behind it", version("HTTP/1.1x"), UNSUPPORTED),
  must("version in lower case", version("http/1.1"), UNSUPPORTED),
  must("version that overflows a byte", version("HTTP/257.257"), UNSUPPORTED),
  must("version that overflows a word", version("HTTP/4294967297.1"), UNSUPPORTED),
  must("version of another protocol", version("HTTPS/1.1"), UNSUPPORTED),
  must("version with carriage returns inside", version("HTTP/\r\r1.1"), UNSUPPORTED),
  must("no version: HTTP/0.9", "GET /\r\n"),

  // Other protocols on the port.
  must("an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", UNSUPPORTED),
  must("a TLS client hello", "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + "\x5a".repeat(36)),
  must("an SSH banner", "SSH-2.0-OpenSSH_9.2\r\n"),
  must("random bytes", "\x8f\x03\xfe\x00\x11\xc0\x80\x7f\xaa\x55".repeat(20)),
  must("a PROXY protocol line that nobody asked for", `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${target("/")}`),
];
