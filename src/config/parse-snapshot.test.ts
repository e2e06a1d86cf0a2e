import { describe, expect, test } from "bun:test";
import { parseSnapshot } from "./parse-snapshot.ts";
import type { Snapshot } from "./snapshot.ts";
import { config, good, listener, snapshot, task } from "./testing.ts";

/** A snapshot that uses every kind of thing a snapshot can hold. */
const FULL: Snapshot = snapshot({
  config: good(
    config({
      gateway: { accessLog: "{method} {path}", forwarded: { trustedProxies: "10.0.0.0/8" } },
      listeners: {
        web: listener({
          rules: [
            {
              match: { host: "a.example", path: ["/a", "/b/*", "/c/*/d", "~ ^/e"] },
              redirect: "https://{host}/",
            },
            {
              match: { method: "GET", header: { a: true, b: false }, source: "::1" },
              respond: { headers: { x: "y" } },
            },
            {
              match: { query: { a: "1", b: "~ x" } },
              forward: "far",
              host: "target",
              timeouts: { total: "9s" },
            },
            { match: { path: "/up" }, forward: "web", host: "fixed.example", bodyMax: "1MiB" },
            { forward: [{ group: "web", weight: 0 }, { group: "far" }] },
          ],
        }),
      },
      targetGroups: {
        far: {
          targets: ["[::1]:80", { address: "b:80", weight: 3 }],
          algorithm: "hash",
          on: "header:X-User",
        },
        near: { targets: [1], algorithm: "maglev", on: "cookie:sid", health: { host: "h", port: 81 } },
        there: { targets: [1], algorithm: "consistent-hash", on: "query:q" },
      },
    }),
  ),
  tasks: [task(1), task(2, { state: "draining" })],
});

const TEXT = JSON.stringify(FULL);

/** Keys that a snapshot may lack. */
const OPTIONAL = new Set([
  "health",
  "host",
  "port",
  "bodyBytesMax",
  "connectMs",
  "firstByteMs",
  "idleMs",
  "totalMs",
]);

type Part = Record<string, unknown>;

/** Every object and list of a JSON tree, outermost first. */
function partsOf(value: unknown): readonly Part[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as Part, ...Object.values(value).flatMap(partsOf)];
}

/** Applies `damage` to each key of each object in turn, and collects the paths after which the file was still accepted. */
function survivors(
  damage: (part: Part, key: string) => void,
  spared: (key: string) => boolean,
): readonly string[] {
  const accepted: string[] = [];
  for (let index = 0; index < partsOf(FULL).length; index++) {
    const keys = Object.keys(partsOf(FULL)[index] ?? {}).filter((key) => !spared(key));
    for (const key of keys) {
      const copy: unknown = JSON.parse(TEXT);
      damage(partsOf(copy)[index]!, key);
      if (parseSnapshot(JSON.stringify(copy)).kind === "ok") accepted.push(`${index}.${key}`);
    }
  }
  return accepted;
}

const reason = (changes: object): unknown => parseSnapshot(JSON.stringify({ ...FULL, ...changes }));

describe("parseSnapshot", () => {
  test("reads back what was built", () => {
    expect(parseSnapshot(TEXT)).toEqual({ kind: "ok", snapshot: FULL });
  });

  test("refuses a file that ends early, wherever", () => {
    for (let end = 0; end < TEXT.length; end += 7)
      expect(parseSnapshot(TEXT.slice(0, end)).kind).toBe("damaged");
  });

  test("refuses a file that lacks any required key", () => {
    const isItem = (key: string): boolean => /^\d+$/.test(key);
    expect(
      survivors(
        (part, key) => delete part[key],
        (key) => isItem(key) || OPTIONAL.has(key),
      ),
    ).toEqual([]);
  });

  test("refuses a value of another type, wherever", () => {
    const damage = (part: Part, key: string): void => {
      part[key] = typeof part[key] === "boolean" ? "yes" : true;
    };
    expect(survivors(damage, () => false)).toEqual([]);
  });

  test.each([
    [{ revision: 0 }, "revision: is 0; write a whole number from 1 to 9007199254740991"],
    [
      { extra: 1 },
      "extra: is not a known key; known: revision, gateway, listeners, targetGroups, slotCursor, groupSlotCursor",
    ],
    [{ targetGroups: [] }, "a rule forwards to the unknown group far"],
    [{ targetGroups: [...FULL.targetGroups, FULL.targetGroups[0]] }, "the group far is there twice"],
    [{ listeners: [...FULL.listeners, ...FULL.listeners] }, "the listener web is there twice"],
  ])("names the reason", (changes, text) => {
    expect(reason(changes)).toEqual({ kind: "damaged", reason: text });
  });

  test("takes a target that goes by its name, and refuses a fallback to nowhere", () => {
    const named = FULL.targetGroups.map((group) => ({
      ...group,
      targets: group.targets.map((target, at) => ({ ...target, id: `s${at}` })),
    }));
    expect(reason({ targetGroups: named })).toMatchObject({ kind: "ok" });
    const lost = FULL.targetGroups.map((group) => ({
      ...group,
      fallback: { group: "nowhere", requestsMax: 1 },
    }));
    expect(reason({ targetGroups: lost })).toMatchObject({
      kind: "damaged",
      reason: "the fallback of far is an unknown group",
    });
  });

  test.each([
    [{ slot: 0 }, "the target slot 0 is there twice"],
    [{ id: "c:80" }, "the target c:80 has the address [::1]:80"],
  ])("refuses targets that contradict each other or themselves", (overlay, text) => {
    const targetGroups = FULL.targetGroups.map((group) => ({
      ...group,
      targets: group.targets.map((target) => ({ ...target, ...overlay })),
    }));
    expect(reason({ targetGroups })).toEqual({ kind: "damaged", reason: text });
  });
});
