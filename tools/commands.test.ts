import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scratch = mkdtempSync(join(tmpdir(), "tenfold-tools-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs one of the tools; gives its exit code and its last line. */
async function run(tool: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, tool), ...args], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, last: out.trim().split("\n").at(-1), out, err };
}

/** Runs `npm test` on one file with this body. */
function runTests(name: string, body: string) {
  const path = join(scratch, `${name}.test.ts`);
  writeFileSync(path, `import { test } from "bun:test";\n${body}\n`);
  return run("test.ts", path);
}

const fails = 'test("fails", () => { throw new Error("no"); });';
const passes = 'test("passes", () => {});';

describe("npm test ends with the real counts", () => {
  const rows: [name: string, body: string, last: string, code: number][] = [
    ["all pass", `${passes}${passes.replace("passes", "passes too")}`, "2 passed, 0 failed", 0],
    ["one fails", `${passes}${fails}`, "1 passed, 1 failed", 1],
    ["a reason is given", `${passes}test.skip("x (needs nginx)", () => {});`, "1 passed, 0 failed", 0],
    ["no reason is given", `${passes}test.skip("x", () => {});`, "1 passed, 1 failed", 1],
    ["nothing runs", "", "0 passed, 1 failed", 1],
    ["a file does not load", 'import "./nowhere.ts";', "0 passed, 1 failed", 1],
    ["the process dies", `${passes}test("dies", () => process.exit(0));`, "0 passed, 1 failed", 1],
  ];
  for (const [name, body, last, code] of rows) {
    test.concurrent(`when ${name}: ${last}`, async () => {
      const ended = await runTests(name.replaceAll(" ", "-"), body);
      expect({ last: ended.last, code: ended.code }).toEqual({ last, code });
    });
  }
});

describe("npm run check", () => {
  test("refuses an unknown check and names the known ones", async () => {
    const { code, err } = await run("check.ts", "speling");
    expect([code, err]).toEqual([2, expect.stringContaining("There are: types, ")]);
  });

  test("gives each check one line with its time", async () => {
    const { out } = await run("check.ts", "tidy");
    expect(out).toMatch(/^(?:ok {4}|FAILED) {2}tidy +\d+\.\d s\n/);
  });
});
