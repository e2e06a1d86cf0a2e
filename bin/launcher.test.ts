import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformPackages } from "./find-bun.js";

const ROOT = join(import.meta.dir, "..");
const scratch = mkdtempSync(join(tmpdir(), "tenfold-launcher-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs a launcher under Node, as a shell would. */
function run(command: string, args: string[], env: Record<string, string> = {}) {
  const child = Bun.spawnSync(["node", command, ...args], { env: { ...process.env, ...env } });
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() };
}

/** A copy of bin/ with nothing installed beside it. */
function bareCopy(): string {
  const folder = mkdtempSync(join(scratch, "bare-"));
  cpSync(join(ROOT, "bin"), join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return folder;
}

/** The same, with a platform package whose "binary" is a shell script: what `npm ci --ignore-scripts` leaves. */
function copyWithBinary(script: string): string {
  const folder = bareCopy();
  const machine = { platform: process.platform, arch: process.arch, musl: false, avx2: true };
  for (const name of [...platformPackages(machine), ...platformPackages({ ...machine, musl: true })]) {
    const home = join(folder, "node_modules", name);
    mkdirSync(join(home, "bin"), { recursive: true });
    writeFileSync(join(home, "package.json"), "{}");
    writeFileSync(join(home, "bin/bun"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}

describe("which packages can run here", () => {
  const linux = { platform: "linux", arch: "x64", musl: false, avx2: true };
  const rows: [string, Parameters<typeof platformPackages>[0], string[]][] = [
    ["x64 with AVX2", linux, ["@oven/bun-linux-x64", "@oven/bun-linux-x64-baseline"]],
    ["x64 without AVX2", { ...linux, avx2: false }, ["@oven/bun-linux-x64-baseline", "@oven/bun-linux-x64"]],
    ["musl", { ...linux, musl: true }, ["@oven/bun-linux-x64-musl", "@oven/bun-linux-x64-musl-baseline"]],
    ["arm64", { ...linux, arch: "arm64" }, ["@oven/bun-linux-aarch64"]],
    ["arm64 with musl", { ...linux, arch: "arm64", musl: true }, ["@oven/bun-linux-aarch64-musl"]],
    ["a Mac", { ...linux, platform: "darwin", arch: "arm64" }, ["@oven/bun-darwin-aarch64"]],
    ["Windows", { ...linux, platform: "win32" }, ["@oven/bun-windows-x64", "@oven/bun-windows-x64-baseline"]],
  ];
  for (const [name, machine, packages] of rows) {
    test(`on ${name}: ${packages[0]} first`, () => expect(platformPackages(machine)).toEqual(packages));
  }

  test("the names that matter most are in the lock file", () => {
    const lock = readFileSync(join(ROOT, "package-lock.json"), "utf8");
    for (const arch of ["x64", "arm64"]) {
      expect(lock).toContain(`"node_modules/${platformPackages({ ...linux, arch })[0]}"`);
      expect(lock).toContain(`"node_modules/${platformPackages({ ...linux, arch, musl: true })[0]}"`);
    }
  });
});

describe("bin/bun", () => {
  test("is the pinned Bun", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(run(join(ROOT, "bin/bun"), ["--version"])).toMatchObject({
      code: 0,
      out: `${dependencies.bun}\n`,
    });
  });

  test("finds the platform package's binary when no install script ran", () => {
    const folder = copyWithBinary('echo "args: $*"; exit 7');
    expect(run(join(folder, "bin/bun"), ["a", "b"])).toEqual({ code: 7, out: "args: a b\n", err: "" });
  });

  test("finds the binary that the install script moved into the bun package, and not its placeholder", () => {
    const folder = bareCopy();
    const home = join(folder, "node_modules/bun");
    mkdirSync(join(home, "bin"), { recursive: true });
    writeFileSync(join(home, "package.json"), "{}");
    const program = (size: number) =>
      writeFileSync(join(home, "bin/bun.exe"), `#!/bin/sh\necho moved\nexit\n`.padEnd(size), { mode: 0o755 });
    program(450);
    expect(run(join(folder, "bin/bun"), []).err).toContain("no Bun binary for");
    program(2 << 20);
    expect(run(join(folder, "bin/bun"), [])).toEqual({ code: 0, out: "moved\n", err: "" });
  });

  test("says what is missing and how to mend it", () => {
    const { code, err } = run(join(bareCopy(), "bin/bun"), ["--version"]);
    expect(code).toBe(1);
    expect(err).toContain("no Bun binary for");
    expect(err).toContain("npm ci");
  });

  test("TENFOLD_BUN names another Bun, and a wrong one is named in the error", () => {
    const command = join(bareCopy(), "bin/bun");
    expect(run(command, ["--version"], { TENFOLD_BUN: process.execPath }).code).toBe(0);
    expect(run(command, [], { TENFOLD_BUN: "/nowhere/bun" }).err).toContain("cannot start /nowhere/bun");
  });

  test("ends as Bun ended: the signal's number plus 128", () => {
    expect(run(join(copyWithBinary("kill -TERM $$"), "bin/bun"), []).code).toBe(143);
  });

  test("passes a signal on", async () => {
    const script = 'sleep 9 >/dev/null & trap "echo stopping; kill $!; exit 3" TERM; echo ready; wait';
    const child = Bun.spawn(["node", join(copyWithBinary(script), "bin/bun")], { stdout: "pipe" });
    const decoder = new TextDecoder();
    let out = "";
    for await (const chunk of child.stdout) {
      out += decoder.decode(chunk);
      if (out === "ready\n") child.kill("SIGTERM");
    }
    expect([out, await child.exited]).toEqual(["ready\nstopping\n", 3]);
  });
});

describe("bin/tenfold", () => {
  test("hands its arguments to src/cli/main.ts, also through npx's symbolic link", () => {
    const folder = copyWithBinary('echo "$*"');
    symlinkSync(join(folder, "bin/tenfold"), join(folder, "tenfold"));
    const { code, out } = run(join(folder, "tenfold"), ["up", "--detach"]);
    expect([code, out.trim().endsWith("/src/cli/main.ts up --detach")]).toEqual([0, true]);
  });
});
