/**
 * Systems as people write them: `series(lb 99.99, 2x app 99.95, db 99.99)`, `2of3(node 99.9)`, `db mtbf=30d mttr=1h`.
 *
 *   system   = group | part
 *   group    = ("series" | "parallel" | count) "(" system { "," system } ")" { option }
 *   part     = [count] name { value | option }
 *   count    = n "x" (one of n is enough) | k "of" n
 *
 * This file finds the structure; `settings.ts` reads values and options, `resolve.ts` finds what the names mean.
 */
import { nearest } from "../../config/index.ts";
import { resolve } from "./resolve.ts";
import type { System } from "./system.ts";
import { type ExpressionProblem, problemAt, type Token, tokensOf } from "./tokens.ts";
import type { Count, Written, WrittenGroup, WrittenPart } from "./written.ts";

/** A system, or all problems of its expression; they know where they are. */
export type SystemOutcome =
  | { readonly kind: "ok"; readonly value: System }
  | { readonly kind: "problems"; readonly problems: readonly ExpressionProblem[] };

/** Longest expression, in characters: a few screens. */
const TEXT_MAX = 20_000;

/** Brackets inside brackets. Nobody reads deeper, and the reader recurses. */
const DEPTH_MAX = 50;

/** A letter, then letters, digits, "-", "_" and ".". */
const NAME = /^\p{L}[\p{L}\p{N}_.-]*$/u;

interface Cursor {
  readonly tokens: readonly Token[];
  next: number;
  readonly problems: ExpressionProblem[];
}

/** The system that the text describes, or all that is wrong with it and where. */
export function parseSystem(text: string): SystemOutcome {
  const problems: ExpressionProblem[] = [];
  const written = text.length > TEXT_MAX ? tooLong(text, problems) : readAll(text, problems);
  const system = written === undefined ? undefined : resolve(written, problems);
  if (system !== undefined && problems.length === 0) return { kind: "ok", value: system };
  return { kind: "problems", problems: problems.toSorted((a, b) => a.at - b.at) };
}

function tooLong({ length }: string, problems: ExpressionProblem[]): undefined {
  const mend = `keep to ${TEXT_MAX}, with alike parts as 20x app`;
  problems.push({ path: "the expression", what: `has ${length} characters`, mend, at: 0, length: 1 });
}

function readAll(text: string, problems: ExpressionProblem[]): Written | undefined {
  const cursor: Cursor = { tokens: tokensOf(text), next: 0, problems };
  const written = readSystem(cursor, 0);
  const token = peek(cursor);
  if (written === undefined || token.kind === "end") return written;
  return token.kind === "close"
    ? refuse(cursor, token, "closes nothing", "leave it out")
    : refuse(cursor, token, "is left over", "write series(…, …) around parts that are all needed");
}

function readSystem(cursor: Cursor, depth: number): Written | undefined {
  const token = take(cursor);
  if (depth > DEPTH_MAX)
    return refuse(
      cursor,
      token,
      `is more than ${DEPTH_MAX} brackets deep`,
      "reckon inner parts on their own",
    );
  if (peek(cursor).kind === "open") return readGroup(cursor, token, depth);
  const count = countOf(token.text);
  if (count === undefined) return readPart(cursor, token);
  if (!isPossible(cursor, token, count)) return undefined;
  const name = take(cursor);
  if (peek(cursor).kind === "open")
    return refuse(cursor, name, "is a group that is to be copied", `write ${token.text}(${name.text}(…))`);
  return readPart(cursor, name, count);
}

function readPart(cursor: Cursor, token: Token, count?: Count): WrittenPart | undefined {
  if (token.kind === "end")
    return refuse(cursor, token, "comes too early", "write a part, such as app 99.95");
  if (wayOf(token.text) !== undefined)
    return refuse(cursor, token, "joins parts, and none follow", `write ${token.text}(…, …)`);
  if (!NAME.test(token.text)) return refuse(cursor, token, "is no name", nameMend(token.text));
  const part = { kind: "part", token, settings: settingsOf(cursor) } as const;
  return count === undefined ? part : { ...part, count };
}

function nameMend(text: string): string {
  const [, count, name] = /^(\d+x|\d+of\d+)(\p{L}.*)$/iu.exec(text) ?? [];
  if (name !== undefined) return `write ${count} ${name}`;
  const mend = "begin a part with its name, such as app 99.95";
  return /^\d/.test(text) ? `${mend}, and write decimals with a point` : mend;
}

function readGroup(cursor: Cursor, token: Token, depth: number): WrittenGroup | undefined {
  const way = wayOf(token.text);
  if (way === undefined) return refuse(cursor, token, "is no way to join parts", wayMend(token.text));
  if (typeof way === "object" && !isPossible(cursor, token, way)) return undefined;
  const members: Written[] = [];
  do {
    cursor.next++;
    const member = readSystem(cursor, depth + 1);
    if (member === undefined) return undefined;
    members.push(member);
  } while (peek(cursor).kind === "comma");
  const end = take(cursor);
  if (end.kind === "end") return refuse(cursor, end, "comes too early", `write ")" to end ${token.text}(`);
  if (end.kind !== "close") return refuse(cursor, end, "is not expected here", 'write "," or ")"');
  return { kind: "group", token, way, members, settings: settingsOf(cursor) };
}

function wayOf(text: string): WrittenGroup["way"] | undefined {
  const word = text.toLowerCase();
  return word === "series" || word === "parallel" ? word : countOf(word);
}

function wayMend(text: string): string {
  const near = nearest(text, ["series", "parallel"]);
  return near === undefined ? "write series(…), parallel(…) or 2of3(…)" : `did you mean ${near}?`;
}

/** "2of3"; "3x" is one of three. */
function countOf(text: string): Count | undefined {
  const [all, needed = "1", of, times] = /^(?:(\d+)of(\d+)|(\d+)x)$/i.exec(text) ?? [];
  return all === undefined ? undefined : { needed: Number(needed), of: Number(of ?? times) };
}

function isPossible(cursor: Cursor, token: Token, { needed, of }: Count): boolean {
  if (needed >= 1 && needed <= of) return true;
  const what = needed > of && of > 0 ? "needs more than there are" : "is none at all";
  refuse(cursor, token, what, "write 2of3 for two of three, or 3x for one of three");
  return false;
}

function settingsOf(cursor: Cursor): Token[] {
  const settings: Token[] = [];
  while (peek(cursor).kind === "word" || peek(cursor).kind === "option") settings.push(take(cursor));
  return settings;
}

function refuse({ problems }: Cursor, token: Token, what: string, mend: string): undefined {
  problems.push(problemAt(token, what, mend));
}

/** The last token is the end, and is never passed. */
function peek({ tokens, next }: Cursor): Token {
  const token = tokens[Math.min(next, tokens.length - 1)];
  if (token === undefined) throw new RangeError("availability: an expression without an end");
  return token;
}

function take(cursor: Cursor): Token {
  const token = peek(cursor);
  cursor.next++;
  return token;
}
