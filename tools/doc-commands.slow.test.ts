import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "../src/base/testing.ts";
import { type DocStep, docSteps, missingLine, withPorts } from "./doc-commands.ts";
import { readRepository } from "./tidy/repository.ts";

const ROOT = join(import.meta.dir, "..");
const scratch = mkdtempSync(join(tmpdir(), "tenfold-docs-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const withoutCli = !existsSync(join(ROOT, "src/cli/main.ts"));

/** `tenfold` without its launcher, which has tests of its own and takes as long to start as all the rest. */
const onPath = join(scratch, "bin");
mkdirSync(onPath);
writeFileSync(
  join(onPath, "tenfold"),
  `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "src/cli/main.ts")}" "$@"\n`,
  { mode: 0o755 },
);

/** What an installed package is to a program beside it, and the Bun that runs these tests. */
mkdirSync(join(scratch, "node_modules"));
symlinkSync(ROOT, join(scratch, "node_modules", "tenfold"));
symlinkSync(process.execPath, join(onPath, "bun"));

/** Runs one command block as a reader would who has `tenfold` on the path. */
function runCommand(folder: string, step: Extract<DocStep, { kind: "command" }>): void {
  const env = { ...process.env, PATH: `${onPath}:${process.env["PATH"]}`, NO_COLOR: "1" };
  const child = Bun.spawnSync(["bash", "-euo", "pipefail", "-c", step.script], { cwd: folder, env });
  const printed = child.stdout.toString() + child.stderr.toString();
  expect({ exit: child.exitCode, printed }).toMatchObject({ exit: 0 });
  expect({ missing: missingLine(printed, step.output), printed }).toMatchObject({ missing: undefined });
}

for (const { path, text: written } of readRepository(ROOT).values()) {
  if (!path.endsWith(".md") || docSteps(written).length === 0) continue;
  const text = withPorts(written, freePort);
  describe(path, () => {
    const folder = join(scratch, path.replaceAll("/", "-"));
    mkdirSync(folder);
    for (const step of docSteps(text)) {
      if (step.kind === "file") {
        test(`line ${step.line}: ${step.name} is written`, () => {
          mkdirSync(dirname(join(folder, step.name)), { recursive: true });
          writeFileSync(join(folder, step.name), step.text);
          expect(existsSync(join(folder, step.name))).toBe(true);
        });
      } else {
        const name = `line ${step.line}: ${step.script.split("\n")[0]} (needs src/cli/main.ts)`;
        test.skipIf(withoutCli)(name, () => runCommand(folder, step));
      }
    }
  });
}

describe("what a document promises to run", () => {
  const fence = "```";
  const markdown = [
    `${fence}ts file=a.ts`,
    "a",
    fence,
    `${fence}sh`,
    "no",
    fence,
    `${fence}sh test`,
    "run",
    fence,
  ];

  test("files and tagged commands are found, other blocks are not", () => {
    expect(docSteps(markdown.join("\n"))).toEqual([
      { kind: "file", name: "a.ts", text: "a\n", line: 1 },
      { kind: "command", script: "run\n", output: [], line: 7 },
    ]);
  });

  test("an output block belongs to the command before it, and to nothing else", () => {
    const output = [`${fence}text output`, "one", "", "two", fence];
    expect(docSteps([...markdown, ...output].join("\n"))[1]).toMatchObject({ output: ["one", "two"] });
    expect(() => docSteps(output.join("\n"))).toThrow("follows no `sh test` block");
  });

  test("a port that is written is another, free one in a test, and the same in file, command and output", () => {
    let port = 30_000;
    const moved = withPorts("at 18180 and 18181; s/18180/18299/; 118180, 8080", () => ++port);
    expect(moved).toBe("at 30001 and 30002; s/30001/30003/; 118180, 8080");
  });

  test("expected lines are looked for in order, an ellipsis for anything", () => {
    expect(missingLine("x\npid 12 ok\nlast", ["pid … ok", "last"])).toBeUndefined();
    expect(missingLine("last\npid 12 ok", ["pid … ok", "last"])).toBe("last");
    expect(missingLine("a+b", ["a.b"])).toBe("a.b");
  });
});
