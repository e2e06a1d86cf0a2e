import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { importsOf } from "./tidy/imports.ts";
import { anchorsOf } from "./tidy/markdown.ts";
import { readRepository, repositoryOf } from "./tidy/repository.ts";
import { FILE_LINES_MAX } from "./tidy/source.ts";
import { errorsProblems, formatProblem, RULES, tidy } from "./tidy.ts";

const ROOT = join(import.meta.dir, "..");

/** Runs one rule over literals: path -> text. */
function offences(rule: keyof typeof RULES, texts: Record<string, string>): string[] {
  return (RULES[rule]!(repositoryOf(texts)) ?? []).map((problem) => `${problem.path}:${problem.line}`);
}

describe("this repository", () => {
  const repository = readRepository(ROOT);
  const problems = tidy(repository);

  for (const rule of [...Object.keys(RULES), "exceptions"]) {
    test(`obeys "${rule}"`, () => {
      expect(problems.filter((problem) => problem.rule === rule).map(formatProblem)).toEqual([]);
    });
  }

  test("documents every error code", async () => {
    expect((await errorsProblems(repository, ROOT)).map(formatProblem)).toEqual([]);
  });
});

describe("layers", () => {
  test("an import goes strictly down", () => {
    const up = { "src/base/a.ts": 'import { b } from "../gateway/index.ts";' };
    const across = { "src/http/a.ts": 'import type { b } from "../balance/index.ts";' };
    const down = { "src/gateway/a.ts": 'import { b } from "../base/index.ts";' };
    expect([offences("layers", up), offences("layers", across), offences("layers", down)]).toEqual([
      ["src/base/a.ts:1"],
      ["src/http/a.ts:1"],
      [],
    ]);
  });

  test("another part is entered through a door", () => {
    const text = 'import { b } from "../../base/clock.ts";\nexport * from "../../base/io/index.ts";';
    expect(offences("layers", { "src/gateway/io/a.ts": text })).toEqual(["src/gateway/io/a.ts:1"]);
  });

  test("a pure file imports no IO, neither a module nor its own part's io folder", () => {
    const text = 'import net from "node:net";\nimport { open } from "./io/open.ts";\nimport fs from "fs";';
    expect(offences("layers", { "src/gateway/a.ts": text })).toHaveLength(3);
    expect(offences("layers", { "src/gateway/io/a.ts": text.replace("./io/", "./") })).toEqual([]);
    expect(offences("layers", { "src/gateway/a.test.ts": text })).toEqual([]);
  });

  test("what ships imports no test, and nothing outside src", () => {
    const text = 'import { a } from "./testing.ts";\nimport { b } from "../../tools/layers.ts";';
    expect(offences("layers", { "src/base/a.ts": text })).toEqual(["src/base/a.ts:1", "src/base/a.ts:2"]);
  });

  test("every part has a row in the table", () => {
    expect(offences("parts", { "src/nowhere/a.ts": "" })).toEqual(["src/nowhere/a.ts:1"]);
  });

  test("imports are read past comments, strings and line breaks", () => {
    const text =
      '// from "./no.ts"\nimport {\n  a,\n} from "./a.ts";\nconst s = `from "./no.ts"`;\nawait import("./b.ts");';
    expect(importsOf(text).map((found) => found.specifier)).toEqual(["./a.ts", "./b.ts"]);
  });
});

describe("source rules", () => {
  test("a pure file touches no machine global", () => {
    const text =
      "const a = Bun.file(x);\nconst b = process.env;\nconst c = this.process.env + process.pid;\n// Bun.file";
    expect(offences("io-globals", { "src/http/a.ts": text })).toEqual(["src/http/a.ts:1", "src/http/a.ts:2"]);
    expect(offences("io-globals", { "src/cli/a.ts": text })).toEqual([]);
  });

  test("clock, random, timers and console are arguments", () => {
    const calls = [
      "Date.now()",
      "performance.now()",
      "Math.random()",
      "setTimeout(f, 1)",
      "Bun.sleep(1)",
      "console.log()",
    ];
    expect(offences("banned-calls", { "src/health/a.ts": calls.join("\n") })).toHaveLength(calls.length);
    expect(offences("banned-calls", { "src/base/a.ts": calls.slice(0, 5).join("\n") })).toEqual([]);
    expect(offences("banned-calls", { "tools/a.ts": calls.join("\n") })).toEqual([]);
  });

  test("a word in a string, a comment or a regular expression is not a call", () => {
    const text =
      'const a = "Date.now()"; // Math.random()\nconst b = /setTimeout(x)/;\nconst c = `console.log`;';
    expect(offences("banned-calls", { "src/health/a.ts": text })).toEqual([]);
  });

  test("a file is not longer than the bound", () => {
    expect(offences("file-size", { "src/a/a.ts": "x\n".repeat(FILE_LINES_MAX) })).toEqual([]);
    expect(offences("file-size", { "src/a/a.ts": "x\n".repeat(FILE_LINES_MAX + 1) })).toHaveLength(1);
  });

  test("a file opens with a comment, after its shebang", () => {
    expect(offences("header", { "src/a/a.ts": "export {};" })).toHaveLength(1);
    expect(offences("header", { "bin/x": "#!/usr/bin/env node\n// Starts x.\n" })).toEqual([]);
  });

  test("an export says what it is; one comment may stand over a run of one-line exports", () => {
    const run = "/** Bytes. */\nexport const CR = 13;\nexport const LF = 10;\n";
    const bare = "export interface A {\n  a: 1;\n}\nexport function b() {}\nfunction c() {}\n";
    expect(offences("tsdoc", { "src/a/bytes.ts": run })).toEqual([]);
    expect(offences("tsdoc", { "src/a/bytes.ts": run + bare })).toEqual([
      "src/a/bytes.ts:4",
      "src/a/bytes.ts:7",
    ]);
    expect(offences("tsdoc", { "src/a/a.test.ts": bare, "src/x/ab.ts": "export class TheAbs {}" })).toEqual(
      [],
    );
  });

  test("unfinished work is found in code and documents", () => {
    const word = ["TO", "DO"].join("");
    expect(offences("unfinished", { "src/a/a.ts": `// ${word}: later`, "docs/a.md": word })).toHaveLength(2);
  });

  test("no test is focused", () => {
    const call = ["test", "only"].join(".");
    expect(offences("focused-tests", { "src/a/a.test.ts": `${call}("x", f);` })).toHaveLength(1);
  });
});

describe("documents", () => {
  test("a relative link leads to a file and a heading that exist", () => {
    const text = "[a](b.md) [b](b.md#one-two) [c](b.md#three) [d](c.md) [e](https://x.example/) `[f](g.md)`";
    const texts = { "docs/a.md": text, "docs/b.md": "# One, two\n" };
    expect(RULES["links"]!(repositoryOf(texts)).map((problem) => problem.message)).toEqual([
      "links to docs/b.md#three, which has no such heading",
      "links to docs/c.md, which does not exist",
    ]);
  });

  test("anchors are headings and ids, but not what stands in a code block", () => {
    expect([...anchorsOf('# A `b` c!\n```sh\n# no\n```\n<a id="x-y"></a>')]).toEqual(["a-b-c", "x-y"]);
  });

  test("an example that no test runs is reported", () => {
    const texts = { "examples/links/server.js": "", "examples/feed/server.js": "" };
    const run = { "src/cli/a.test.ts": '"examples/links/server.js"' };
    expect(offences("examples", { ...texts, ...run })).toEqual(["examples/feed:1"]);
  });
});

describe("exceptions", () => {
  const repository = repositoryOf({ "src/base/a.ts": "export {};" });
  const exception = { rule: "header", path: "src/base/a.ts", reason: "A test." };

  test("an exception silences its rule on its file", () => {
    expect(tidy(repository, [exception]).filter((problem) => problem.rule === "header")).toEqual([]);
  });

  test("an exception that excuses nothing is a problem", () => {
    expect(tidy(repository, [{ ...exception, rule: "file-size" }]).map((problem) => problem.rule)).toContain(
      "exceptions",
    );
  });
});
