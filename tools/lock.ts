/**
 * Keeps package-lock.json complete for every platform.
 *
 * `npm install` leaves out of the lock file the platform packages that its registry does not serve (a partial mirror),
 * and then `npm ci` refuses the lock file everywhere. Their names and versions stand in the packages that want
 * them, and what they run on stands in their names; so the missing rows can be written, if without a checksum.
 *
 * Usage: bin/bun tools/lock.ts     (after npm install)
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A row of the lock file, as far as it is read or written here. */
interface Locked {
  readonly version?: string;
  readonly cpu?: readonly string[];
  readonly dev?: boolean;
  readonly libc?: readonly string[];
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, Locked>>;
}

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "x64"];

/** Rows for optional packages that some package wants and the lock file lacks: "node_modules/NAME" -> row. */
export function missingRows({ packages }: LockFile): Record<string, Locked> {
  const missing: Record<string, Locked> = {};
  for (const { optionalDependencies = {}, dev } of Object.values(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const key = `node_modules/${name}`;
      if (!(key in packages)) missing[key] = { ...platformRow(name, version), ...(dev && { dev }) };
    }
  }
  return missing;
}

/** "@oxlint/binding-linux-x64-musl" runs on linux, x64, musl. */
function platformRow(name: string, version: string): Locked {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (!os || !cpu)
    throw new Error(`${name}: its name does not say what it runs on; lock it with npm install`);
  const musl = words.some((word) => word.startsWith("musl"));
  const libc = os === "linux" && (musl || name.includes("gnu")) ? { libc: [musl ? "musl" : "glibc"] } : {};
  return { version, cpu: [cpu], ...libc, optional: true, os: [os] };
}

if (import.meta.main) {
  const path = join(import.meta.dir, "../package-lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8")) as LockFile;
  const rows = missingRows(lock);
  const packages = Object.entries({ ...lock.packages, ...rows }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(rows).length} rows added`);
}
