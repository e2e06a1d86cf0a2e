/**
 * Import rules: layers, doors, and who may touch the machine.
 *
 * A file under `src/<part>/` imports its own part freely, and another part only when that part lies strictly lower
 * in `LAYERS` and is entered through a door. Pure files import no IO module, no `io/` folder and no global that
 * reaches outside. Tests may open sockets and files, and may use another part's `testing.ts`; layers bind them too.
 */
import { posix } from "node:path";
import { IO_FOLDERS, IO_MODULES, LAYERS } from "../layers.ts";
import { codeOnly } from "./blank.ts";
import {
  isSource,
  isTest,
  lineAt,
  type Problem,
  type Repository,
  type RepositoryFile,
} from "./repository.ts";

/** One `import`, `export … from` or dynamic import. */
export interface ImportLine {
  readonly specifier: string;
  readonly line: number;
}

// Contents of strings are blank here; the specifier is read from the original text at the same offset.
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])( *)\1/g;

/** Every import of a source text, type-only ones included. */
export function importsOf(text: string): ImportLine[] {
  return [...codeOnly(text).matchAll(IMPORT)].map((match) => {
    const start = match.index + match[0].length - 1 - (match[2] ?? "").length;
    return {
      specifier: text.slice(start, match.index + match[0].length - 1),
      line: lineAt(text, match.index),
    };
  });
}

/** `layers`: every import obeys the layer table and enters through a door. */
export function checkLayers(repository: Repository): Problem[] {
  return productFiles(repository).flatMap((file) =>
    importsOf(file.text).flatMap(({ specifier, line }) => {
      const message = specifier.startsWith(".")
        ? relativeOffence(file.path, posix.join(posix.dirname(file.path), specifier))
        : moduleOffence(file.path, specifier);
      return message ? [{ rule: "layers", path: file.path, line, message }] : [];
    }),
  );
}

// A variable may be called `process` too: only members that nothing but the global has are looked for.
const PROCESS =
  "env|argv|exit|cwd|chdir|std(?:in|out|err)|on|once|off|send|hrtime|memoryUsage|uptime|platform|arch|version";

/** Globals that reach the machine; only IO folders and tests may use them. */
const IO_GLOBALS = new RegExp(
  String.raw`(?<![.\w])(?:Bun\s*\.|process\s*\.\s*(?:${PROCESS})|fetch\s*\(|new\s+WebSocket|require\s*\()`,
  "g",
);

/** `io-globals`: pure files get the machine through arguments. */
export function checkIoGlobals(repository: Repository): Problem[] {
  return productFiles(repository)
    .filter((file) => !mayDoIo(file.path))
    .flatMap((file) =>
      [...codeOnly(file.text).matchAll(IO_GLOBALS)].map((match) => ({
        rule: "io-globals",
        path: file.path,
        line: lineAt(file.text, match.index),
        message: `${match[0]} reaches outside from a pure file: move it to the part's io/ folder or take it as an argument`,
      })),
    );
}

/** `parts`: each folder under src/ has a row in the layer table, and each row has its folder's files. */
export function checkParts(repository: Repository): Problem[] {
  const seen = new Map(productFiles(repository).map((file) => [partOf(file.path), file.path]));
  return [...seen]
    .filter(([part]) => layerOf(part) === undefined)
    .map(([part, path]) => ({
      rule: "parts",
      path,
      line: 1,
      message: `part "${part}" has no row in tools/layers.ts: give it a layer`,
    }));
}

function productFiles(repository: Repository): RepositoryFile[] {
  return [...repository.values()].filter((file) => file.path.startsWith("src/") && isSource(file.path));
}

function relativeOffence(from: string, to: string): string | undefined {
  if (!to.startsWith("src/")) return `imports ${to}, outside src/: the product depends on nothing beside it`;
  if (!mayDoIo(from) && mayDoIo(to) && !isTest(to))
    return `a pure file imports ${to}: IO belongs to io/, app/ and cli/`;
  if (isTest(to) && !isTest(from)) return `imports ${to}, which does not ship`;
  return partOf(from) === partOf(to) ? undefined : crossPartOffence(from, to);
}

function crossPartOffence(from: string, to: string): string | undefined {
  const [own, other] = [partOf(from), partOf(to)];
  const [ownLayer, otherLayer] = [layerOf(own), layerOf(other)];
  if (ownLayer === undefined || otherLayer === undefined) return undefined; // `parts` reports it
  if (otherLayer >= ownLayer) {
    return `${own} (layer ${ownLayer}) imports ${other} (layer ${otherLayer}): imports go strictly down`;
  }
  const doors = [`src/${other}/index.ts`, `src/${other}/io/index.ts`];
  if (doors.includes(to) || (isTest(from) && isTest(to))) return undefined;
  return `imports ${to}: enter ${other} through ${doors.join(" or ")}`;
}

function moduleOffence(from: string, specifier: string): string | undefined {
  if (mayDoIo(from)) return undefined;
  const banned = IO_MODULES.some((name) => specifier === name || specifier === name.replace(/^node:/, ""));
  return banned ? `a pure file imports ${specifier}: IO belongs to io/, app/ and cli/` : undefined;
}

function mayDoIo(path: string): boolean {
  return (
    isTest(path) || IO_FOLDERS.some((folder) => path.startsWith(`src/${folder.replace("*", partOf(path))}/`))
  );
}

function partOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function layerOf(part: string): number | undefined {
  return LAYERS[part];
}
