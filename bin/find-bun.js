// Finds the Bun binary that npm installed beside this package.
//
// The `bun` package's own launcher is written by its install script, and npm may be told not to run
// install scripts. The platform package holds the real binary either way, so look there, best match first.
import { accessSync, constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);

/** Names of the platform packages that can run on this machine, best first. */
export function platformPackages(platform = process.platform, arch = process.arch) {
  const cpu = arch === "arm64" ? "aarch64" : arch;
  const libc = platform === "linux" && isMusl() ? "-musl" : "";
  const base = `@oven/bun-${platform === "win32" ? "windows" : platform}-${cpu}${libc}`;
  if (cpu !== "x64") return [base];
  return hasAvx2(platform) ? [base, `${base}-baseline`] : [`${base}-baseline`, base];
}

/** Absolute path of the Bun binary. Throws an error that says how to mend a missing one. */
export function findBun() {
  const names = platformPackages();
  for (const name of names) {
    const binary = binaryIn(name);
    if (binary) return binary;
  }
  throw new Error(
    `tenfold: no Bun binary for ${process.platform}-${process.arch} (looked for ${names.join(", ")}).\n` +
      "Mend: run `npm ci` (not with --omit=optional), or install Bun and set TENFOLD_BUN to its path.",
  );
}

function binaryIn(name) {
  try {
    const root = join(require.resolve(`${name}/package.json`), "..");
    const binary = join(root, "bin", process.platform === "win32" ? "bun.exe" : "bun");
    accessSync(binary, constants.X_OK);
    return binary;
  } catch {
    return undefined; // not installed for this platform: the next name is tried
  }
}

function isMusl() {
  return !process.report?.getReport?.().header?.glibcVersionRuntime;
}

function hasAvx2(platform) {
  if (platform !== "linux") return true;
  try {
    return /\bavx2\b/.test(readFileSync("/proc/cpuinfo", "latin1"));
  } catch {
    return true;
  }
}
