/** What a statement leaves behind in its transaction and session. */
import type { Effect } from "./facts.ts";
import { KIND, type Tokens } from "./tokens.ts";

/** A statement's tokens: `[start, end)` of `tokens`, without the semicolon. */
export interface Span {
  readonly tokens: Tokens;
  readonly start: number;
  readonly end: number;
}

/** First word -> its effects. */
const EFFECTS: Readonly<Record<string, (span: Span) => Effect[]>> = {
  begin,
  start: begin,
  commit: (span) => (wordAt(span, 1) === "prepared" ? [] : [{ kind: "commit", chain: chains(span) }]),
  end: (span) => [{ kind: "commit", chain: chains(span) }],
  rollback,
  abort: (span) => [{ kind: "rollback", chain: chains(span) }],
  savepoint: () => [{ kind: "savepoint" }],
  release: () => [{ kind: "savepoint" }],
  prepare: (span) =>
    wordAt(span, 1) === "transaction" && span.tokens.kind(span.start + 2) === KIND.text
      ? [{ kind: "prepare-transaction" }]
      : [{ kind: "prepare", name: wordAt(span, 1) }],
  execute: (span) => [{ kind: "execute", name: wordAt(span, 1) }],
  explain: explained,
  deallocate,
  set,
  reset,
  discard,
  listen: () => [{ kind: "listen" }],
  unlisten: () => [{ kind: "unlisten" }],
  declare: (span) => (holds(span) ? [{ kind: "cursor-with-hold" }] : []),
  load: () => [{ kind: "session-change" }],
  create: (span) => (createsTemporary(span) ? [{ kind: "temporary-table" }] : []),
  select: intoTemporary,
  with: intoTemporary,
};

/** Functions with an effect. `pg_advisory_xact_lock` is not among them: its lock ends with the transaction. */
const CALLS: Readonly<Record<string, Effect>> = {
  pg_advisory_lock: { kind: "advisory-lock" },
  pg_advisory_lock_shared: { kind: "advisory-lock" },
  pg_try_advisory_lock: { kind: "advisory-lock" },
  pg_try_advisory_lock_shared: { kind: "advisory-lock" },
  pg_advisory_unlock: { kind: "advisory-unlock" },
  pg_advisory_unlock_shared: { kind: "advisory-unlock" },
  pg_advisory_unlock_all: { kind: "advisory-unlock" },
};

/** All effects of a statement with this first word and these calls. */
export function sessionEffects(span: Span, verb: string, functions: readonly string[]): Effect[] {
  const effects = EFFECTS[verb]?.(span) ?? [];
  for (const name of functions) {
    const effect = CALLS[name];
    if (effect !== undefined) effects.push(effect);
    else if (name === "set_config") effects.push(...setConfigs(span));
  }
  return effects;
}

/** The word at an offset from the statement's first. */
const wordAt = ({ tokens, start, end }: Span, offset: number): string =>
  start + offset < end ? tokens.name(start + offset) : "";

function has(span: Span, ...words: readonly string[]): boolean {
  for (let offset = 1; span.start + offset + words.length <= span.end; offset++)
    if (words.every((word, index) => wordAt(span, offset + index) === word)) return true;
  return false;
}

/** AND CHAIN; AND NO CHAIN does not. */
const chains = (span: Span): boolean => has(span, "and", "chain");

function begin(span: Span): Effect[] {
  if (wordAt(span, 0) === "start" && wordAt(span, 1) !== "transaction") return [];
  const readOnly = has(span, "read", "only") && !has(span, "read", "write"); // the last one holds
  return [{ kind: "begin", readOnly, serializable: has(span, "serializable") }];
}

/** EXPLAIN … EXECUTE: the prepared statement is the session's, and may write. */
function explained(span: Span): Effect[] {
  for (let offset = 1; span.start + offset < span.end; offset++)
    if (wordAt(span, offset) === "execute") return [{ kind: "execute", name: wordAt(span, offset + 1) }];
  return [];
}

function rollback(span: Span): Effect[] {
  if (wordAt(span, 1) === "prepared") return [];
  return has(span, "to") ? [{ kind: "savepoint" }] : [{ kind: "rollback", chain: chains(span) }];
}

function deallocate(span: Span): Effect[] {
  const offset = wordAt(span, 1) === "prepare" && wordAt(span, 2) !== "" ? 2 : 1;
  const isAll = span.tokens.kind(span.start + offset) === KIND.word && wordAt(span, offset) === "all";
  return [{ kind: "deallocate", name: isAll ? undefined : wordAt(span, offset) }];
}

/** SET [SESSION | LOCAL] name {TO | =} value, and the forms without either. */
function set(span: Span): Effect[] {
  const scope = wordAt(span, 1);
  const second = wordAt(span, 2);
  // SET TRANSACTION … is of this transaction, SET CONSTRAINTS too.
  if (scope === "transaction" || scope === "constraints") return [];
  if (scope === "session" && second === "characteristics") return [{ kind: "session-change" }];
  const isScoped = (scope === "session" || scope === "local") && second !== "to" && second !== "=";
  const local = isScoped && scope === "local";
  const offset = isScoped && !(scope === "session" && second === "authorization") ? 2 : 1;
  return [setting(span, offset, local)];
}

/** Settings with words of their own -> their names. */
const SPOKEN: readonly { readonly words: readonly string[]; readonly name: string }[] = [
  { words: ["time", "zone"], name: "timezone" },
  { words: ["session", "authorization"], name: "session_authorization" },
  { words: ["role"], name: "role" },
  { words: ["schema"], name: "search_path" },
  { words: ["names"], name: "client_encoding" },
  { words: ["xml", "option"], name: "xmloption" },
];

function spokenAt(span: Span, offset: number): string | undefined {
  return SPOKEN.find(({ words }) => words.every((word, index) => wordAt(span, offset + index) === word))
    ?.name;
}

function setting(span: Span, offset: number, local: boolean): Effect {
  const { tokens, start, end } = span;
  const isAssigned = (at: number): boolean => wordAt(span, at) === "to" || wordAt(span, at) === "=";
  const again = tokens.text.slice(tokens.start(start), tokens.end(end - 1));
  const spoken = isAssigned(offset + 1) ? undefined : spokenAt(span, offset);
  if (spoken !== undefined) return { kind: "set", name: spoken, again, local };
  let at = offset;
  let name = "";
  while (start + at < end && !isAssigned(at)) name += wordAt(span, at++);
  return { kind: "set", name: name.toLowerCase(), again, local };
}

function reset(span: Span): Effect[] {
  const spoken = spokenAt(span, 1);
  if (spoken !== undefined) return [{ kind: "reset", name: spoken }];
  let name = "";
  for (let offset = 1; span.start + offset < span.end; offset++) name += wordAt(span, offset);
  const isAll = name === "all" && span.tokens.kind(span.start + 1) === KIND.word;
  return [{ kind: "reset", name: isAll ? undefined : name.toLowerCase() }];
}

const DISCARDED: Readonly<Record<string, "all" | "plans" | "sequences" | "temp">> = {
  all: "all",
  plans: "plans",
  sequences: "sequences",
  temp: "temp",
  temporary: "temp",
};

function discard(span: Span): Effect[] {
  const what = DISCARDED[wordAt(span, 1)];
  return what === undefined ? [] : [{ kind: "discard", what }];
}

/** DECLARE c … CURSOR WITH HOLD FOR …: the words of its query come after FOR. */
function holds(span: Span): boolean {
  for (let offset = 1; span.start + offset < span.end && wordAt(span, offset) !== "for"; offset++)
    if (wordAt(span, offset) === "with" && wordAt(span, offset + 1) === "hold") return true;
  return false;
}

const isTemporary = (word: string): boolean => word === "temp" || word === "temporary";

/** CREATE [OR REPLACE] [LOCAL | GLOBAL] TEMP …, and a temporary table by its schema. */
function createsTemporary(span: Span): boolean {
  for (let offset = 1; offset <= 4; offset++) if (isTemporary(wordAt(span, offset))) return true;
  return has(span, "pg_temp");
}

/** SELECT … INTO TEMP t. */
function intoTemporary(span: Span): Effect[] {
  for (let offset = 1; span.start + offset < span.end; offset++) {
    if (span.tokens.keyword(span.start + offset) !== "into") continue;
    const next = wordAt(span, offset + 1);
    if (isTemporary(next) || isTemporary(wordAt(span, offset + 2)) || next === "pg_temp")
      return [{ kind: "temporary-table" }];
  }
  return [];
}

/** set_config('name', value, is_local): each call of it. Where its arguments are computed, nobody knows what is set. */
function setConfigs({ tokens, start, end }: Span): Effect[] {
  const effects: Effect[] = [];
  for (let at = start; at < end; at++) {
    if (tokens.keyword(at) !== "set_config" || tokens.name(at + 1) !== "(") continue;
    const isPlain =
      tokens.kind(at + 2) === KIND.text &&
      tokens.name(at + 3) === "," &&
      tokens.kind(at + 4) === KIND.text &&
      tokens.name(at + 5) === "," &&
      tokens.name(at + 7) === ")";
    const scope = tokens.name(at + 6);
    if (!isPlain || (scope !== "true" && scope !== "false")) effects.push({ kind: "session-change" });
    else
      effects.push({
        kind: "set",
        name: tokens
          .raw(at + 2)
          .slice(1, -1)
          .toLowerCase(),
        again: `SELECT ${tokens.text.slice(tokens.start(at), tokens.end(at + 7))}`,
        local: scope === "true",
      });
  }
  return effects;
}
