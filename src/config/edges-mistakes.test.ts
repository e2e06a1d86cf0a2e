import { describe, expect, test } from "bun:test";
import { config, grouped, lines } from "./testing.ts";

const edge = (changes: object = {}): object => ({
  admin: "https://10.0.0.2:7070",
  tokenFile: "lon.token",
  ...changes,
});
const site = (edges: object, gateway: object = { edge: "fra" }): unknown => config({ gateway, edges });
const far = (fallback: unknown): unknown => grouped({ targets: ["a:80"], fallback });

/** The one line that each mistake gets. */
const MISTAKES: readonly (readonly [line: string, input: unknown])[] = [
  ['targetGroups.far.fallback: no target group or service is called "wbe"; did you mean "web"?', far("wbe")],
  [
    "targetGroups.far.fallback: leads back to itself: far -> far; let one of them have no fallback",
    far("far"),
  ],
  [
    "targetGroups.far.fallback.requestsMax: is 0; write a whole number from 1 to 65535",
    far({ group: "web", requestsMax: 0 }),
  ],
  [
    "targetGroups.far.targets[1].name: is called s1, as targets[0] is; give each a name of its own",
    grouped({
      targets: [
        { address: "a:80", name: "s1" },
        { address: "b:80", name: "s1" },
      ],
    }),
  ],
  [
    'edges.lon: has no admin; write admin: a URL such as "https://10.0.0.2:7070"',
    site({ lon: { tokenFile: "x" } }),
  ],
  [
    'edges.lon.admin: would send the token unencrypted; write "https://…", or reach it by a tunnel on 127.0.0.1',
    site({ lon: edge({ admin: "http://10.0.0.2:7070" }) }),
  ],
  [
    'edges.lon.admin: holds more than a scheme, a host and a port; write "https://lon.example"',
    site({ lon: edge({ admin: "https://me@lon.example/v1" }) }),
  ],
  [
    'edges: need a name for this installation, by which the others know its purges; write gateway: { edge: "fra" }',
    site({ lon: edge() }, {}),
  ],
  ["edges.fra: is this installation itself; list the others alone", site({ fra: edge() })],
];

describe("mistakes in fallbacks and edges", () => {
  for (const [line, input] of MISTAKES)
    test(line, () => {
      expect(lines(input)).toEqual([line]);
    });

  test("a circle of fallbacks is told for each that is in it", () => {
    const group = (fallback: string): object => ({ targets: ["a:80"], fallback });
    const found = lines(config({ targetGroups: { a: group("b"), b: group("c"), c: group("b") } }));
    expect(found).toEqual([
      "targetGroups.b.fallback: leads back to itself: b -> c -> b; let one of them have no fallback",
      "targetGroups.c.fallback: leads back to itself: c -> b -> c; let one of them have no fallback",
    ]);
  });

  test("http is no mistake on loopback, and a file of a token is looked for beside the config", () => {
    expect(lines(site({ lon: edge({ admin: "http://127.0.0.1:7071", role: "shield" }) }))).toEqual([]);
  });
});
