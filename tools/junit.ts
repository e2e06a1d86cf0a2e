/**
 * Reads what the test runner reports: JUnit XML, as `bun test --reporter=junit` writes it.
 *
 * Only the shape that runner writes is understood: `testsuite` elements nested by file and `describe`, with
 * `testcase` elements that are empty (passed) or hold a `failure` or a `skipped`.
 */

/** What became of one test. */
export interface TestCase {
  /** Titles from the outermost `describe` inwards. */
  readonly name: string;
  readonly file: string;
  readonly seconds: number;
  readonly outcome: "passed" | "failed" | "skipped";
}

const CASE = /<testcase\b([^>]*?)(?:\/>|>([^]*?)<\/testcase>)/g;

/** All test cases of a report, in its order. */
export function parseJunit(xml: string): TestCase[] {
  return [...xml.matchAll(CASE)].map(([, attributes = "", body = ""]) => ({
    name: titles(attributes).join(" > "),
    file: attribute(attributes, "file"),
    seconds: Number(attribute(attributes, "time")),
    outcome: outcomeOf(body),
  }));
}

/** The runner writes the innermost `describe` first. */
function titles(attributes: string): string[] {
  const groups = attribute(attributes, "classname").split(" > ").toReversed();
  return [...groups, attribute(attributes, "name")].filter(Boolean);
}

function outcomeOf(body: string): TestCase["outcome"] {
  if (/<(?:failure|error)\b/.test(body)) return "failed";
  return body.includes("<skipped") ? "skipped" : "passed";
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value.replace(/&(?:#(\d+)|(\w+));/g, (entity, code?: string, key?: string) =>
    code ? String.fromCodePoint(Number(code)) : (ENTITIES[key ?? ""] ?? entity),
  );
}
