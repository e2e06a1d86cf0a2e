/**
 * Rules on one source file at a time: size, header, banned calls, unfinished work.
 *
 * Function length, nesting and parameters are the linter's; they are not repeated here.
 */
import { codeOnly } from "./blank.ts";
import {
  isSource,
  isTest,
  lineAt,
  type Problem,
  type Repository,
  type RepositoryFile,
} from "./repository.ts";

/** Longest source file, in lines: about what one reads in one sitting. */
export const FILE_LINES_MAX = 400;

/** `file-size`: a longer file is two files. */
export function checkSizes(repository: Repository): Problem[] {
  return sources(repository).flatMap((file) => {
    const lines = file.text.split("\n").length - 1;
    if (lines <= FILE_LINES_MAX) return [];
    const message = `${lines} lines, the bound is ${FILE_LINES_MAX}: split it by what it names`;
    return [{ rule: "file-size", path: file.path, line: lines, message }];
  });
}

/** `header`: a file opens by saying what it is. */
export function checkHeaders(repository: Repository): Problem[] {
  return sources(repository)
    .filter((file) => !isTest(file.path) && !/^(?:#![^\n]*\n)?\s*\/[/*]/.test(file.text))
    .map((file) => ({
      rule: "header",
      path: file.path,
      line: 1,
      message: "opens without a comment: say what it is, its model, its RFC or paper",
    }));
}

/** A call that has one right home. */
interface BannedCall {
  readonly name: string;
  readonly pattern: RegExp;
  readonly allowedIn: (path: string) => boolean;
  readonly instead: string;
}

const outsideProduct = (path: string): boolean => !path.startsWith("src/");
const inBase = (path: string): boolean => path.startsWith("src/base/") || outsideProduct(path);

/** Rows, not branches: one more ban is one more row. */
const BANNED_CALLS: readonly BannedCall[] = [
  { name: "Date.now", pattern: /\bDate\s*\.\s*now\b/g, allowedIn: inBase, instead: "take a Clock" },
  { name: "new Date()", pattern: /\bnew Date\(\s*\)/g, allowedIn: inBase, instead: "take a Clock" },
  {
    name: "performance.now",
    pattern: /\bperformance\s*\.\s*now\b/g,
    allowedIn: (path) => inBase(path) || isTest(path),
    instead: "take a Clock",
  },
  { name: "Math.random", pattern: /\bMath\s*\.\s*random\b/g, allowedIn: inBase, instead: "take a Random" },
  {
    name: "a bare timer",
    pattern: /(?<![.\w])(?:setTimeout|setInterval)\s*\(|\bBun\s*\.\s*sleep\b/g,
    allowedIn: (path) => inBase(path) || isTest(path),
    instead: "take a Scheduler",
  },
  {
    name: "console",
    pattern: /(?<![.\w])console\s*\.\s*\w+/g,
    allowedIn: (path) => outsideProduct(path) || /^src\/(?:cli|app)\//.test(path),
    instead: "take a Log",
  },
];

/** `banned-calls`: clock, random, timers and console come as arguments. */
export function checkBannedCalls(repository: Repository): Problem[] {
  return sources(repository).flatMap((file) => {
    const code = codeOnly(file.text);
    return BANNED_CALLS.filter((ban) => !ban.allowedIn(file.path)).flatMap((ban) =>
      [...code.matchAll(ban.pattern)].map((match) => ({
        rule: "banned-calls",
        path: file.path,
        line: lineAt(file.text, match.index),
        message: `calls ${ban.name}: ${ban.instead}`,
      })),
    );
  });
}

// Each word is broken by a character class, so that this file is not its own first offence.
const UNFINISHED = /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/g;

/** `unfinished`: work that is left is written where work is planned, not in the code. */
export function checkUnfinished(repository: Repository): Problem[] {
  const texts = [...repository.values()].filter((file) => isSource(file.path) || file.path.endsWith(".md"));
  return texts.flatMap((file) =>
    [...file.text.matchAll(UNFINISHED)].map((match) => ({
      rule: "unfinished",
      path: file.path,
      line: lineAt(file.text, match.index),
      message: `says ${match[0]}: finish it or take it out`,
    })),
  );
}

/** `focused-tests`: a focused test hides all others; a skipped one must say why in its name. */
export function checkFocusedTests(repository: Repository): Problem[] {
  return sources(repository)
    .filter((file) => isTest(file.path))
    .flatMap((file) =>
      [...codeOnly(file.text).matchAll(/\b(?:test|describe|it)\s*\.\s*(?:only|todo)\b/g)].map((match) => ({
        rule: "focused-tests",
        path: file.path,
        line: lineAt(file.text, match.index),
        message: `${match[0]} keeps other tests from running, or promises one that does not exist`,
      })),
    );
}

const EXPORT = /^export (?:declare |abstract |async )*(?:const|function|class|interface|type) (\w+)/;

/** `tsdoc`: an export of the product says what it is. The one a file is named after is what the file's header says. */
export function checkDocumented(repository: Repository): Problem[] {
  return sources(repository)
    .filter((file) => file.path.startsWith("src/") && !isTest(file.path))
    .flatMap((file) => {
      const lines = file.text.split("\n");
      return lines.flatMap((text, index) => {
        const name = EXPORT.exec(text)?.[1];
        if (!name || isMain(name, file.path) || isDocumented(lines, index)) return [];
        const message = `${name} is exported without a comment: say in a sentence what it is`;
        return [{ rule: "tsdoc", path: file.path, line: index + 1, message }];
      });
    });
}

/** `HttpListener` in listener.ts, `RequestIds` in request-id.ts, `METHOD` in methods.ts. */
function isMain(name: string, path: string): boolean {
  const singular = (words: string): string => words.toLowerCase().replace(/[-_]/g, "").replace(/s$/, "");
  return singular(name).endsWith(singular(path.replace(/^.*\/|\.ts$/g, "")));
}

/** One comment may stand over a run of one-line exports. */
function isDocumented(lines: readonly string[], index: number): boolean {
  const above = lines[index - 1] ?? "";
  if (/\*\/\s*$|^\s*\/\//.test(above)) return true;
  return (
    /^export .*;/.test(above) && /^export .*;/.test(lines[index] ?? "") && isDocumented(lines, index - 1)
  );
}

function sources(repository: Repository): RepositoryFile[] {
  return [...repository.values()].filter((file) => isSource(file.path));
}
