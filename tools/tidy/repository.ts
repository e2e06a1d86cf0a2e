/**
 * The repository as data: every tracked or new file with its text, read once.
 *
 * Rules are pure functions over this record, so that their own tests plant offences in a handful of literals and
 * never touch a disk.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One file. `path` is relative to the root, with forward slashes. */
export interface RepositoryFile {
  readonly path: string;
  readonly text: string;
}

/** All files of the repository by path. */
export type Repository = ReadonlyMap<string, RepositoryFile>;

/** Something to mend: where, which rule, what and how. */
export interface Problem {
  readonly rule: string;
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

/** Extensions whose text no rule reads. */
const BINARY = /\.(?:png|jpg|gif|ico|woff2?|gz|br|zst|wasm)$/;

/** Reads what git tracks or would track: ignored files are not part of the repository. */
export function readRepository(root: string): Repository {
  const listing = Bun.spawnSync(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  if (listing.exitCode !== 0) throw new Error(`git ls-files failed in ${root}: ${listing.stderr.toString()}`);
  const paths = listing.stdout.toString().split("\0").filter(Boolean);
  // A file that was deleted but not yet committed is still listed.
  const present = paths.filter((path) => existsSync(join(root, path)));
  return repositoryOf(Object.fromEntries(present.map((path) => [path, readText(root, path)])));
}

/** Builds a repository from literals: path -> text. */
export function repositoryOf(texts: Readonly<Record<string, string>>): Repository {
  return new Map(Object.entries(texts).map(([path, text]) => [path, { path, text }]));
}

/** The line number, from 1, of a character offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** TypeScript and JavaScript, the launcher's files without extension included. */
export function isSource(path: string): boolean {
  return /\.(?:ts|tsx|js|mjs|cjs)$/.test(path) || /^bin\/[a-z-]+$/.test(path);
}

/** Tests, their builders and the suites they share: what never ships. */
export function isTest(path: string): boolean {
  return (
    /\.test\.(?:ts|tsx|js|mjs)$/.test(path) || /(?:^|\/)testing(?:\.ts|\/)|(?:^|[/-])suite\.ts$/.test(path)
  );
}

function readText(root: string, path: string): string {
  return BINARY.test(path) ? "" : readFileSync(join(root, path), "utf8");
}
