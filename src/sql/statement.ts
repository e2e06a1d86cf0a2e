/**
 * A statement's facts, from its tokens. Where it is not certain it errs to the side of the primary: a column called "update" costs a
 * trip there, unless the parser is asked (`Statements`).
 */
import { type Span, sessionEffects } from "./effects.ts";
import type { AccessReason, StatementFacts, TextFacts } from "./facts.ts";
import { type Keyword, KIND, type Tokens } from "./tokens.ts";

const OPEN = 40;
const CLOSE = 41;
const SEMICOLON = 59;

/** First words of statements that only read, if nothing in them says otherwise. EXPLAIN ANALYZE runs what it explains, whose words are there. */
const READS: ReadonlySet<string> = new Set(["select", "with", "values", "table", "explain", "show", "("]);

/** Words that make a query a write wherever they stand. Those that are not reserved may also be names. */
const WRITES: ReadonlySet<string> = new Set<Keyword>([
  "insert",
  "update",
  "delete",
  "merge",
  "into",
  "call",
  "create",
  "refresh",
]);

/** Words that stand before a parenthesis and call nothing. */
const NOT_CALLED: ReadonlySet<string> = new Set(
  `all and any array as asc between by case cast check cube distinct else end except exists filter for from full group
   grouping having ilike in inner intersect interval into is join lateral left like limit materialized natural not null
   offset on only or order outer over partition right row rows select set sets some table then to union unique using
   values when where window with within`.split(/\s+/),
);

/** The facts of the statements of a text. */
export function factsOf(tokens: Tokens): TextFacts {
  const statements = spansOf(tokens).map(statementFacts);
  return { statements, unfinished: tokens.unfinished };
}

/** Cuts at semicolons; those inside of parentheses (rules) and of BEGIN ATOMIC … END (function bodies) belong to their statement. */
function spansOf(tokens: Tokens): Span[] {
  const spans: Span[] = [];
  let start = 0;
  let depth = 0;
  let blocks = 0;
  for (let at = 0; at < tokens.count; at++) {
    const kind = tokens.kind(at);
    if (kind === KIND.operator) {
      const code = tokens.text.charCodeAt(tokens.start(at));
      if (code === OPEN) depth++;
      else if (code === CLOSE) depth = Math.max(0, depth - 1);
      else if (code === SEMICOLON && depth === 0 && blocks === 0) {
        if (at > start) spans.push({ tokens, start, end: at });
        start = at + 1;
      }
    } else if (kind === KIND.word) blocks = blocksAfter(tokens, at, blocks);
  }
  if (tokens.count > start) spans.push({ tokens, start, end: tokens.count });
  return spans;
}

/** How many BEGIN ATOMIC and CASE are open: END ends either. Only CREATE has such a body. */
function blocksAfter(tokens: Tokens, at: number, open: number): number {
  const word = tokens.keyword(at);
  if (word === "atomic" && tokens.keyword(at - 1) === "begin") return open + 1;
  if (open === 0) return 0;
  if (word === "case") return open + 1;
  return word === "end" ? open - 1 : open;
}

function statementFacts(span: Span): StatementFacts {
  const verb = span.tokens.name(span.start);
  const functions = calledIn(span);
  const effects = sessionEffects(span, verb, functions);
  const reason = effects.length > 0 ? "session-state" : accessOf(span, verb);
  return { verb, access: reason === "reads" ? "read" : "write", reason, functions, effects };
}

function accessOf(span: Span, verb: string): AccessReason {
  if (!READS.has(verb)) return "command";
  const { tokens } = span;
  for (let at = span.start; at < span.end; at++) {
    const word = tokens.keyword(at);
    if (word === "") continue;
    if (WRITES.has(word)) return isRowLock(tokens, at, word) ? "locks-rows" : "writes";
    if (word === "share" && isRowLock(tokens, at, word)) return "locks-rows";
  }
  return "reads";
}

/** FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE. */
function isRowLock(tokens: Tokens, at: number, word: Keyword): boolean {
  if (word !== "update" && word !== "share") return false;
  const before = tokens.keyword(at - 1);
  return before === "for" || before === "key";
}

/** Names before a parenthesis, each once. */
function calledIn({ tokens, start, end }: Span): string[] {
  const names: string[] = [];
  for (let at = start + 1; at < end; at++) {
    if (tokens.text.charCodeAt(tokens.start(at)) !== OPEN) continue;
    const kind = tokens.kind(at - 1);
    if (kind !== KIND.word && kind !== KIND.quoted) continue;
    const name = tokens.name(at - 1);
    if (kind === KIND.word && NOT_CALLED.has(name)) continue;
    if (!names.includes(name)) names.push(name);
  }
  return names;
}
