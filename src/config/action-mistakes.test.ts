import { describe, expect, test } from "bun:test";
import { lines, rules } from "./testing.ts";

/** The one line that each mistake gets. */
const MISTAKES: readonly (readonly [line: string, input: unknown])[] = [
  ["listeners.web.rules[0]: has none of forward, redirect, respond; write one of them", rules({})],
  [
    "listeners.web.rules[0]: has forward and respond; keep one of them",
    rules({ forward: "web", respond: 404 }),
  ],
  ['listeners.web.rules[0].forward: is 5; write "group" or [{ group, weight }]', rules({ forward: 5 })],
  [
    "listeners.web.rules[0].forward: is an empty list; write a list, each an object with group",
    rules({ forward: [] }),
  ],
  [
    'listeners.web.rules[0].forward[0]: has no group; write group: a name such as "web" (letters, digits, "-" and "_", at most 63)',
    rules({ forward: [{ weight: 1 }] }),
  ],
  [
    "listeners.web.rules[0].forward: gives every group the weight 0; give one of them a weight above 0",
    rules({ forward: [{ group: "web", weight: 0 }] }),
  ],
  [
    'listeners.web.rules[0].forward[1]: names "web" again; add the weights up in one entry',
    rules({ forward: [{ group: "web" }, { group: "web" }] }),
  ],
  [
    "listeners.web.rules[0].forward[0].weight: is 2000; write a whole number from 0 to 1000",
    rules({ forward: [{ group: "web", weight: 2000 }] }),
  ],
  [
    'listeners.web.rules[0].proxy_pass: is not a known key; did you mean "forward"?',
    rules({ proxy_pass: "web" }),
  ],
  [
    "listeners.web.rules[0].cache: means nothing to a rule that does not forward; remove it",
    rules({ respond: 404, cache: {} }),
  ],
  [
    'listeners.web.rules[0].cache.tll: is not a known key; did you mean "ttl"?',
    rules({ forward: "web", cache: { tll: "5m" } }),
  ],
  [
    'listeners.web.rules[0].cache.ttl: is 5 without a unit; write "5ms", or ttlMs: 5',
    rules({ forward: "web", cache: { ttl: 5 } }),
  ],
  [
    "listeners.web.rules[0].cache.key.query: has only and except; keep one of them",
    rules({ forward: "web", cache: { key: { query: { only: "a", except: "b" } } } }),
  ],
  [
    'listeners.web.rules[0].cache.negativeTtl.40x: is the string "40x"; write a status such as 404',
    rules({ forward: "web", cache: { negativeTtl: { "40x": "1s" } } }),
  ],
  [
    'listeners.web.rules[0].redirect: "shop.example" is no URL; begin with "https://", "http://", "{scheme}://" or "/"',
    rules({ redirect: "shop.example" }),
  ],
  [
    'listeners.web.rules[0].redirect: {hots} is no placeholder; did you mean "host"?',
    rules({ redirect: "https://{hots}{path}" }),
  ],
  [
    "listeners.web.rules[0].redirect: redirects every request to itself; change the scheme, host or path",
    rules({ redirect: "{scheme}://{host}{path}{query}" }),
  ],
  [
    'listeners.web.rules[0].redirect: holds a character that URLs encode; write "https://shop.example/%C3%A4"',
    rules({ redirect: "https://shop.example/ä" }),
  ],
  [
    "listeners.web.rules[0].redirect.status: is 200; write 301, 302, 303, 307 or 308",
    rules({ redirect: { to: "/new", status: 200 } }),
  ],
  [
    'listeners.web.rules[0].redirect: has no to; write to: "https://{host}{path}{query}"',
    rules({ redirect: { status: 301 } }),
  ],
  ["listeners.web.rules[0].respond: is 101; write a whole number from 200 to 599", rules({ respond: 101 })],
  [
    'listeners.web.rules[0].respond: is the string "404"; write a status such as 404, or { status, body, headers }',
    rules({ respond: "404" }),
  ],
  [
    "listeners.web.rules[0].respond.body: cannot go with status 204; remove it, or use 200",
    rules({ respond: { status: 204, body: "x" } }),
  ],
  [
    "listeners.web.rules[0].respond.headers.Content-Length: is written by the gateway itself; remove it",
    rules({ respond: { headers: { "Content-Length": "5" } } }),
  ],
  [
    'listeners.web.rules[0].respond.headers.x-a: is the string "b\\r\\nc: d"; write a header value without control characters',
    rules({ respond: { headers: { "x-a": "b\r\nc: d" } } }),
  ],
  [
    'listeners.web.rules[0].respond.headers["x a"]: is no header name; use a name such as "cache-control"',
    rules({ respond: { headers: { "x a": "b" } } }),
  ],
  [
    "listeners.web.rules[0].retry: is 11; write a whole number from 0 to 10",
    rules({ forward: "web", retry: 11 }),
  ],
  [
    "listeners.web.rules[0].retry: is true; write a whole number from 0 to 10 or an object with attempts, nonIdempotent",
    rules({ forward: "web", retry: true }),
  ],
  [
    "listeners.web.rules[0].timeouts.keepAlive: is not a known key; known: connect, firstByte, idle, total",
    rules({ forward: "web", timeouts: { keepAlive: "5s" } }),
  ],
  [
    'listeners.web.rules[0].host: is the string "a b"; write "preserve", "target" or a host',
    rules({ forward: "web", host: "a b" }),
  ],
  [
    'listeners.web.rules[0].bodyMax: is 5 without a unit; write "5B", or bodyBytesMax: 5',
    rules({ forward: "web", bodyMax: 5 }),
  ],
];

describe("mistakes in forward, redirect and respond", () => {
  for (const [line, input] of MISTAKES) {
    test(line, () => {
      expect(lines(input)).toEqual([line]);
    });
  }
});
