/**
 * From a path, or a folder to search, to a `Config`.
 *
 * Each format is one row of `FORMATS`. Programs (.ts, .js, .mjs) run in a fresh process, so that a reload sees the
 * text as it is now, and one that hangs or throws costs nothing but its message; data is read here.
 */
import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Config } from "../config.ts";
import type { Surroundings } from "../normalise.ts";
import { type ConfigOutcome, parseConfig } from "../parse-config.ts";
import type { Problem } from "../problem.ts";
import { evaluate } from "./evaluate.ts";
import { readJson } from "./read-json.ts";
import { readYaml } from "./read-yaml.ts";
import type { TextReading } from "./text-reading.ts";

/** A config and the file it came from, or everything that is wrong. */
export type LoadOutcome =
  | { readonly kind: "ok"; readonly config: Config; readonly path: string }
  | { readonly kind: "problems"; readonly problems: readonly Problem[]; readonly path?: string };

/** How to load; for tests and unusual hosts. */
export interface LoadOptions {
  /** Folder to search when no path is given, and that a relative path starts from. Default: the current one. */
  readonly folder?: string;
  /** How long a program may take to give its config. Default 10 s. */
  readonly timeoutMs?: number;
}

/** Names that are searched, in this order, when no path is given. */
export const CONFIG_NAMES = [
  "tenfold.config.ts",
  "tenfold.config.js",
  "tenfold.config.json",
  "tenfold.config.yaml",
] as const;

/** A config is written by hand. What is larger is another file, given by mistake. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Time for a program to give its config: reading a few files, not waiting for a network. */
const TIMEOUT_MS = 10_000;

type Load = (path: string, surroundings: Surroundings, timeoutMs: number) => Promise<ConfigOutcome>;

const FORMATS: Readonly<Record<string, Load>> = {
  ".ts": evaluate,
  ".mts": evaluate,
  ".js": evaluate,
  ".mjs": evaluate,
  ".json": fromText(readJson),
  ".yaml": fromText(readYaml),
  ".yml": fromText(readYaml),
};

/** Loads the config at `path`, or the first of `CONFIG_NAMES` in the folder. Never throws for bad input. */
export async function loadConfig(path?: string, options: LoadOptions = {}): Promise<LoadOutcome> {
  const folder = resolve(options.folder ?? ".");
  const found = path === undefined ? await search(folder) : resolve(folder, path);
  if (found === undefined) return { kind: "problems", problems: [noConfig(folder)] };
  const problem = await unreadable(found);
  if (problem) return { kind: "problems", problems: [problem], path: found };
  const surroundings = { folder: dirname(found), cores: availableParallelism() };
  const load = FORMATS[extname(found)] ?? unknownFormat;
  const outcome = await load(found, surroundings, options.timeoutMs ?? TIMEOUT_MS);
  return { ...outcome, path: found };
}

async function search(folder: string): Promise<string | undefined> {
  for (const name of CONFIG_NAMES) {
    const path = join(folder, name);
    if (
      await stat(path).then(
        (entry) => entry.isFile(),
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

function noConfig(folder: string): Problem {
  return {
    path: folder,
    what: `holds none of ${CONFIG_NAMES.join(", ")}`,
    mend: "write tenfold.config.ts, or name a file with -c FILE",
  };
}

/** Why the file system will not give us this file; undefined when it will. */
async function unreadable(path: string): Promise<Problem | undefined> {
  try {
    const entry = await stat(path);
    if (entry.isDirectory())
      return { path, what: "is a folder", mend: `name a file, such as ${join(path, CONFIG_NAMES[0])}` };
    if (entry.size <= FILE_BYTES_MAX) return undefined;
    return { path, what: `is ${entry.size} bytes long`, mend: `keep a config to ${FILE_BYTES_MAX} bytes` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    const what = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    return { path, what, mend: "check the name, or name another file with -c FILE" };
  }
}

function unknownFormat(path: string): Promise<ConfigOutcome> {
  const what = `has an ending that is no config format: "${extname(path)}"`;
  const mend = `use one of ${Object.keys(FORMATS).join(", ")}`;
  return Promise.resolve({ kind: "problems", problems: [{ path: basename(path), what, mend }] });
}

/** A loader of a data format: text -> value -> config. */
function fromText(read: (text: string) => TextReading): Load {
  return async (path, surroundings) => {
    const text = await readText(path);
    if (typeof text !== "string") return { kind: "problems", problems: [text] };
    const reading = read(text);
    if (reading.kind === "ok") return parseConfig(reading.value, surroundings);
    const { at, what, mend } = reading;
    const problem = { path: `${basename(path)}:${at.line}:${at.column}`, what, mend };
    return { kind: "problems", problems: [problem] };
  };
}

async function readText(path: string): Promise<string | Problem> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return { path, what: `cannot be read (${code})`, mend: "check who may read it" };
  }
}
