import { describe, expect, test } from "bun:test";
import { lines, matching } from "./testing.ts";

/** The one line that each mistake gets. */
const MISTAKES: readonly (readonly [line: string, input: unknown])[] = [
  [
    'listeners.web.rules[0].match.path: "api" does not begin with "/"; write a path such as "/api/*", or "~ regex"',
    matching({ path: "api" }),
  ],
  [
    'listeners.web.rules[0].match.path: "/a?b=1" holds a query; match it with query: { name: "value" }',
    matching({ path: "/a?b=1" }),
  ],
  [
    'listeners.web.rules[0].match.path: "/a#b" holds a fragment; end the path before "#"',
    matching({ path: "/a#b" }),
  ],
  [
    'listeners.web.rules[0].match.path: "/ä b" holds a character that paths encode; write "/%C3%A4%20b"',
    matching({ path: "/ä b" }),
  ],
  [
    'listeners.web.rules[0].match.path: is an empty list; write a list, each a path such as "/api/*", or "~ regex"',
    matching({ path: [] }),
  ],
  [
    'listeners.web.rules[0].match.path: is 5; write a path such as "/api/*", or "~ regex"',
    matching({ path: 5 }),
  ],
  [
    'listeners.web.rules[0].match.path: "((" does not compile: missing ); mend the regex',
    matching({ path: "~ ((" }),
  ],
  ['listeners.web.rules[0].match.path: is an empty regex; write "~ " and the regex', matching({ path: "~" })],
  [
    'listeners.web.rules[0].match.path: "^/(a+)+$" repeats a repetition, which can take exponential time; put something fixed into each round, or repeat once',
    matching({ path: "~ ^/(a+)+$" }),
  ],
  ['listeners.web.rules[0].match.host: "*" matches every host; leave host out', matching({ host: "*" })],
  [
    'listeners.web.rules[0].match.host: "shop.example:80" holds a port; write "shop.example"',
    matching({ host: "shop.example:80" }),
  ],
  [
    'listeners.web.rules[0].match.host: "https://shop.example" is no host; write a host such as "shop.example" or "*.shop.example"',
    matching({ host: "https://shop.example" }),
  ],
  [
    'listeners.web.rules[0].match.host: "münchen.example" is not ASCII; write its "xn--" form',
    matching({ host: "münchen.example" }),
  ],
  [
    'listeners.web.rules[0].match.host[1]: "*.*.example" is no host; write a host such as "shop.example" or "*.shop.example"',
    matching({ host: ["shop.example", "*.*.example"] }),
  ],
  [
    'listeners.web.rules[0].match.method: "GET /" is no method; write a method such as "GET"',
    matching({ method: "GET /" }),
  ],
  [
    'listeners.web.rules[0].match.header["x y"]: is no header name; use a header name such as "x-beta"',
    matching({ header: { "x y": true } }),
  ],
  [
    'listeners.web.rules[0].match.header.x-beta: is 1; write true, false, "value" or "~ regex", or a list of texts',
    matching({ header: { "x-beta": 1 } }),
  ],
  [
    'listeners.web.rules[0].match.header: is the string "x-beta"; write an object of header names, each true, false, "value" or "~ regex"',
    matching({ header: "x-beta" }),
  ],
  [
    'listeners.web.rules[0].match.query.page[1]: is true; write true, false, "value" or "~ regex"',
    matching({ query: { page: ["1", true] } }),
  ],
  [
    'listeners.web.rules[0].match.source: "10.0.0.0/99" is no CIDR block; write an address or a block, such as "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"',
    matching({ source: "10.0.0.0/99" }),
  ],
  [
    'listeners.web.rules[0].match.paths: is not a known key; did you mean "path"?',
    matching({ paths: "/api" }),
  ],
];

describe("mistakes in match", () => {
  for (const [line, input] of MISTAKES) {
    test(line, () => {
      expect(lines(input)).toEqual([line]);
    });
  }
});
