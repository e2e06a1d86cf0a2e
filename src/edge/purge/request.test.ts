import { describe, expect, test } from "bun:test";
import { formatProblem } from "../../config/index.ts";
import { PURGE_ITEMS_MAX, readPurgeRequest } from "./request.ts";

/** The problems of a request, as lines. */
function problems(body: Record<string, unknown>): readonly string[] {
  const reading = readPurgeRequest(body);
  return reading.kind === "problems" ? reading.problems.map(formatProblem) : [];
}

describe("a request to purge", () => {
  test("names URLs, tags and prefixes; without flags it is hard and counts nothing", () => {
    const reading = readPurgeRequest({ tags: [" a "], urls: ["http://h/x"], prefixes: ["h/i/"] });
    expect(reading).toMatchObject({
      kind: "request",
      request: {
        items: [
          { kind: "url", text: "http://h/x" },
          { kind: "tag", text: "a" },
          { kind: "prefix", text: "h/i/" },
        ],
        soft: false,
        dryRun: false,
        count: false,
      },
    });
  });

  test("tells every problem at once", () => {
    const body = {
      urls: ["shop.example/a", 7],
      tag: ["a"],
      tags: ["x".repeat(257), " ", "a\nb"],
      soft: "yes",
    };
    expect(problems(body)).toEqual([
      "tag: is no field of a purge; did you mean tags?",
      "soft: is no flag; write true or false",
      'urls[0]: "shop.example/a" is no http or https URL; write "https://shop.example/a"',
      'urls[1]: is no text; write a text such as "…"',
      "tags[0]: has 257 characters; no response has a tag of more than 256",
      "tags[1]: is blank; write a tag",
      "tags[2]: holds a control character; no header has one",
    ]);
  });

  test("that names nothing, or empty lists, is refused: it must not mean everything", () => {
    for (const body of [{}, { soft: true }, { urls: [] }, { urls: [], tags: [] }])
      expect(problems(body)).toEqual([
        "request: names nothing to purge; give urls, tags, prefixes or everything",
      ]);
  });

  test("for everything says so with true, and names nothing else", () => {
    expect(problems({ everything: true })).toEqual([]);
    expect(problems({ everything: false })).toEqual(["everything: is not true; write true, or leave it out"]);
    expect(problems({ everything: true, tags: ["a"] })).toEqual([
      "everything: stands beside single things; leave it out, or them",
    ]);
  });

  test("names at most a hundred things in all", () => {
    const tags = Array.from({ length: PURGE_ITEMS_MAX }, (_, number) => `t${number}`);
    expect(problems({ tags })).toEqual([]);
    expect(problems({ tags, prefixes: ["h/"] })).toEqual([
      "request: names 101 things; name at most 100, and send another",
    ]);
  });
});
