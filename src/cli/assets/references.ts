/**
 * References from one file of a folder to another: found in the text without parsing its language, and rewritten.
 *
 * What stands whole between two equal quotation marks, in `url(…)`, in a `srcset` or after `sourceMappingURL=`, and
 * leads to a file that is there, is a reference. A word that only looks like one leads nowhere and is left alone. The
 * text is taken byte by byte (ISO 8859-1), so that any encoding with ASCII in it comes out as it went in.
 */
import { posix } from "node:path";

/** A reference in a text: where it stands, and the file that it leads to. */
export interface Reference {
  readonly start: number;
  readonly end: number;
  readonly target: string;
}

/** Where references lead. */
export interface Surroundings {
  /** The path, below the folder, of the file that refers. */
  readonly from: string;
  /** The path under which the folder is served: "/assets", or "" for the root. */
  readonly prefix: string;
  /** Whether there is such a file that may be referred to by its version. */
  readonly has: (path: string) => boolean;
}

const QUOTED = /(["'`])([^\s"'`<>\\]+)(?=\1)/dg;
const IN_URL = /url\(\s*()([^\s"'()\\]+)\s*\)/dgi;
const SOURCE_MAP = /[#@]\s*()sourceMappingURL=([^\s'"*]+)/dg;
const SRCSET = /srcset\s*=\s*(["'])([^"']*)\1/dgi;

/** How to read one kind of file. */
interface Reading {
  readonly patterns: readonly RegExp[];
  /** A quoted bare name, "app.js", is a reference; where it is not, it is more often a word than a file. */
  readonly bareNames: boolean;
}

const MARKUP: Reading = { patterns: [QUOTED, IN_URL, SRCSET], bareNames: true };
const SCRIPT: Reading = { patterns: [QUOTED, SOURCE_MAP], bareNames: false };
const DATA: Reading = { patterns: [QUOTED], bareNames: false };

/** Ending -> how references stand in it. Files with other endings hold none. */
const READINGS: Readonly<Record<string, Reading>> = {
  ".html": MARKUP,
  ".htm": MARKUP,
  ".svg": MARKUP,
  ".css": { patterns: [QUOTED, IN_URL, SOURCE_MAP], bareNames: true },
  ".js": SCRIPT,
  ".mjs": SCRIPT,
  ".json": DATA,
  ".webmanifest": DATA,
  ".map": { ...DATA, bareNames: true },
};

const NONE: Reading = { patterns: [], bareNames: false };

/** Whether references are looked for in a file of this name. */
export function mayRefer(path: string): boolean {
  return posix.extname(path).toLowerCase() in READINGS;
}

/** The references of a text, in its order. O(length). */
export function referencesIn(text: string, surroundings: Surroundings): readonly Reference[] {
  const { patterns, bareNames } = READINGS[posix.extname(surroundings.from).toLowerCase()] ?? NONE;
  const references = new Map<number, Reference>();
  for (const pattern of patterns) {
    for (const [start, end] of candidates(text, pattern)) {
      const written = text.slice(start, end);
      const target = targetOf(written, surroundings);
      const isWord = pattern === QUOTED && !bareNames && !written.includes("/");
      if (target !== undefined && !isWord) references.set(start, { start, end, target });
    }
  }
  return [...references.values()].toSorted((a, b) => a.start - b.start);
}

/** The text with the hashes of its references' targets put in; one without a hash stays as it is. */
export function rewrite(
  text: string,
  references: readonly Reference[],
  hashOf: (target: string) => string | undefined,
): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end, target } of references) {
    const hash = hashOf(target);
    if (hash === undefined) continue;
    const [path, suffix] = divided(text.slice(start, end));
    pieces.push(text.slice(at, start), versionedName(path, hash), suffix);
    at = end;
  }
  return pieces.join("") + text.slice(at);
}

/** "css/app.css" -> "css/app.HASH.css"; a name without an ending has the hash at its end. */
export function versionedName(path: string, hash: string): string {
  const end = path.length - posix.extname(path).length;
  return `${path.slice(0, end)}.${hash}${path.slice(end)}`;
}

type Span = readonly [start: number, end: number];

function candidates(text: string, pattern: RegExp): readonly Span[] {
  return [...text.matchAll(pattern)].flatMap(({ indices }) => {
    const [start, end] = indices?.[2] ?? [0, 0];
    return pattern === SRCSET ? sources(text, start, end) : [[start, end] as const];
  });
}

/** "a.png 1x, b.png 2x": the first word of each. */
function sources(text: string, start: number, end: number): readonly Span[] {
  return [...text.slice(start, end).matchAll(/(?:^|,)\s*([^\s,]+)/dg)].map(({ indices }) => {
    const [from, to] = indices?.[1] ?? [0, 0];
    return [start + from, start + to];
  });
}

function targetOf(written: string, { from, prefix, has }: Surroundings): string | undefined {
  const [raw] = divided(written);
  const path = decoded(raw);
  if (path === undefined || raw === "" || /^[a-z][a-z0-9+.-]*:|^\/\//i.test(path)) return undefined;
  const isAbsolute = path.startsWith("/");
  if (isAbsolute && !path.startsWith(`${prefix}/`)) return undefined;
  const target = isAbsolute
    ? posix.normalize(path.slice(prefix.length + 1))
    : posix.join(posix.dirname(from), path);
  // An encoded dot would put the hash elsewhere than in the file's name.
  const isPlain = decoded(versionedName(raw, "0")) === versionedName(path, "0");
  return isPlain && has(target) ? target : undefined;
}

/** The path, and the query and fragment behind it. */
function divided(written: string): readonly [path: string, suffix: string] {
  const end = written.search(/[?#]/);
  return end < 0 ? [written, ""] : [written.slice(0, end), written.slice(end)];
}

function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(Buffer.from(raw, "latin1").toString("utf8"));
  } catch {
    return undefined; // a stray "%" is in no URL
  }
}
