// Finds the Bun binary that npm installed beside this package.
//
// npm brings it in a package for the platform. The install script of the `bun` package moves it from there into its own
// folder, over a placeholder; but npm may be told not to run install scripts. So look in both, best match first.
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);

/** The placeholder is a text of some hundred bytes, Bun a hundred megabytes. */
const PLACEHOLDER_BYTES_MAX = 1 << 20;

/**
 * What decides which binaries run: operating system, processor, C library, vector instructions.
 * @typedef {{ platform: string, arch: string, musl: boolean, avx2: boolean }} Machine
 */

/**
 * Names of the platform packages that can run on a machine, best first.
 * A "baseline" build runs on any x64 processor; the other one needs AVX2.
 * @param {Machine} machine
 * @returns {string[]}
 */
export function platformPackages({ platform, arch, musl, avx2 }) {
  const system = platform === "win32" ? "windows" : platform;
  const cpu = arch === "arm64" ? "aarch64" : arch;
  const name = `@oven/bun-${system}-${cpu}${platform === "linux" && musl ? "-musl" : ""}`;
  if (cpu !== "x64") return [name];
  return avx2 ? [name, `${name}-baseline`] : [`${name}-baseline`, name];
}

/** Absolute path of the Bun binary. Throws an error that says how to mend a missing one. */
export function findBun(machine = thisMachine()) {
  const names = platformPackages(machine);
  const program = machine.platform === "win32" ? "bun.exe" : "bun";
  for (const name of names) {
    const binary = fileIn(name, program);
    if (binary) return binary;
  }
  const moved = fileIn("bun", "bun.exe"); // its name on every platform
  if (moved && statSync(moved).size > PLACEHOLDER_BYTES_MAX) return moved;
  throw new Error(
    `tenfold: no Bun binary for ${machine.platform}-${machine.arch} (looked for ${names.join(", ")}).\n` +
      "Mend: run `npm ci` (not with --omit=optional), or install Bun and set TENFOLD_BUN to its path.",
  );
}

function fileIn(name, program) {
  try {
    const file = join(require.resolve(`${name}/package.json`), "..", "bin", program);
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined; // not installed, or moved: the next one is tried
  }
}

function thisMachine() {
  const { platform, arch } = process;
  return { platform, arch, musl: platform === "linux" && isMusl(), avx2: platform !== "linux" || hasAvx2() };
}

function isMusl() {
  process.report.excludeNetwork = true; // else the report looks up names of open sockets, which may take seconds
  return !process.report.getReport().header.glibcVersionRuntime;
}

function hasAvx2() {
  try {
    return /\bavx2\b/.test(readFileSync("/proc/cpuinfo", "latin1"));
  } catch {
    return true; // unknown: most machines have it
  }
}
