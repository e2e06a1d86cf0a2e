import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblem } from "../index.ts";
import { CONFIG_NAMES, loadConfig } from "./load.ts";

const GOOD = { listeners: { web: { address: ":8080", rules: [{ respond: 200 }] } } };
const GOOD_TEXT = JSON.stringify(GOOD);

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tenfold-config-"));
});

afterAll(async () => rm(folder, { recursive: true }));

/** Loads a file of this name and text. A program that hangs is given up after a second. */
async function loaded(name: string, text: string, timeoutMs = 10_000): ReturnType<typeof loadConfig> {
  await writeFile(join(folder, name), text);
  return loadConfig(name, { folder, timeoutMs });
}

async function lines(name: string, text: string, timeoutMs?: number): Promise<readonly string[]> {
  const outcome = await loaded(name, text, timeoutMs);
  return outcome.kind === "ok" ? ["ok"] : outcome.problems.map(formatProblem);
}

describe("every format gives the same config", () => {
  const yaml = "listeners:\n  web:\n    address: :8080\n    rules:\n      - respond: 200\n";
  const module = `import { defineConfig } from "tenfold/config";\nexport default defineConfig(${GOOD_TEXT});`;
  test.each([
    ["a.json", GOOD_TEXT],
    ["bom.json", `\uFEFF${GOOD_TEXT}`],
    ["a.yaml", yaml],
    ["a.yml", yaml],
    ["a.ts", module],
    ["a.mjs", module],
    ["plain.js", `export default ${GOOD_TEXT}`],
    ["awaits.ts", `const given: object = await Promise.resolve(${GOOD_TEXT}); export default given;`],
    ["keeps-running.ts", `setInterval(() => {}, 1000); export default ${GOOD_TEXT}`],
  ])("%s", async (name, text) => {
    const outcome = await loaded(name, text);
    expect(outcome).toMatchObject({ kind: "ok", path: join(folder, name) });
    const { listeners } = (outcome as { config: { listeners: readonly unknown[] } }).config;
    expect(listeners).toMatchObject([{ name: "web", address: { host: "0.0.0.0", port: 8080 } }]);
    expect(Object.isFrozen(listeners)).toBe(true);
  });
});

describe("a file that is no config says where and why", () => {
  const laughs = ["a: &a [x, x, x, x, x, x, x, x, x]", "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]"];
  const billion = [...laughs, "c: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b]"].join("\n");
  test.each([
    [
      "x.json",
      '{\n  "listeners": {,\n}',
      'x.json:2:17: is not JSON: expected a key in double quotes, found ","; mend the syntax',
    ],
    ["x.yaml", "a: 1\na: 2", "x.yaml:2:1: is not YAML: Map keys must be unique; mend the syntax"],
    [
      "laughs.yaml",
      billion,
      "laughs.yaml:1:1: is not usable YAML: Excessive alias count indicates a resource exhaustion attack; write it out, with less nesting and fewer aliases",
    ],
    ["empty.yaml", "", "config: is empty; write an object with admin, gateway, listeners"],
    [
      "syntax.ts",
      "export default {\n  a: 1,\n  b: }",
      "syntax.ts:3:6: does not load: Unexpected }; mend the program",
    ],
    ["throws.ts", "\nthrow new TypeError('no');", "throws.ts:2:11: threw: no; mend the program"],
    ["string.ts", "throw 'no'", 'string.ts: threw "no"; throw an Error'],
    [
      "exits.ts",
      "process.exit(3)",
      "exits.ts: ended with exit code 3 before it gave a config; let it export its config and not exit",
    ],
    [
      "named.ts",
      "export const config = {};",
      "named.ts: has no default export; write export default defineConfig({ … })",
    ],
    [
      "function.ts",
      "export default () => ({})",
      "config: is a function; write an object with admin, gateway, listeners",
    ],
    [
      "other.toml",
      "",
      'other.toml: has an ending that is no config format: ".toml"; use one of .ts, .mts, .js, .mjs, .json, .yaml, .yml',
    ],
  ])("%s", async (name, text, line) => {
    expect(await lines(name, text)).toEqual([line]);
  });

  test("a package that is not installed is not fetched but named", async () => {
    const [line] = await lines("package.ts", 'import x from "no-such-package-here"; export default x;');
    expect(line).toContain("Cannot find package 'no-such-package-here'");
  });

  test.each([
    ["loops.ts", "while (true) {}"],
    ["waits.ts", "await new Promise(() => {}); export default {}"],
  ])("%s is given up", async (name, text) => {
    const line = `${name}: gave no config within 0.3 s; let it wait for nothing: no server, no endless loop`;
    expect(await lines(name, text, 300)).toEqual([line]);
  });
});

describe("loadConfig", () => {
  test("sees a program's text as it is now, each time", async () => {
    const port = (at: number): string => `export default ${GOOD_TEXT.replace("8080", String(at))}`;
    for (const at of [1001, 1002]) {
      expect(await loaded("again.ts", port(at))).toMatchObject({
        config: { listeners: [{ address: { port: at } }] },
      });
    }
  });

  test("without a path it takes the first of the known names", async () => {
    const own = await mkdtemp(join(folder, "search-"));
    for (const name of CONFIG_NAMES.toReversed()) {
      const text = name.endsWith("s") ? `export default ${GOOD_TEXT}` : GOOD_TEXT;
      await writeFile(join(own, name), text);
      expect(await loadConfig(undefined, { folder: own })).toMatchObject({
        kind: "ok",
        path: join(own, name),
      });
    }
  });

  test("names the mend when there is no file, no such file, or a folder", async () => {
    const none = await mkdtemp(join(folder, "none-"));
    const found = await Promise.all(
      [undefined, "x.ts", "."].map((path) => loadConfig(path, { folder: none })),
    );
    expect(
      found.map((outcome) => (outcome.kind === "ok" ? "" : outcome.problems.map(formatProblem)[0])),
    ).toEqual([
      `${none}: holds none of ${CONFIG_NAMES.join(", ")}; write tenfold.config.ts, or name a file with -c FILE`,
      `${none}/x.ts: does not exist; check the name, or name another file with -c FILE`,
      `${none}: is a folder; name a file, such as ${none}/tenfold.config.ts`,
    ]);
  });

  test("refuses a file that is too large to be a config", async () => {
    const [line] = await lines("large.json", " ".repeat(4 * 1024 * 1024 + 1));
    expect(line).toEndWith("large.json: is 4194305 bytes long; keep a config to 4194304 bytes");
  });
});
