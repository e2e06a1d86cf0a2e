/** What is to be known of a query's text to place it, made once for each text. */
import { memoized } from "../../base/index.ts";
import {
  type RoutingHint,
  type RoutingStatement,
  routingHint,
  routingStatement,
  type StatementFacts,
  Statements,
  type TextFacts,
} from "../../sql/index.ts";
import type { ReadReason } from "./reasons.ts";

/** What a text is, as far as it alone can tell. */
export interface TextPlan {
  readonly text: string;
  /** "read": a replica may run it, unless one of `functions` may write. */
  readonly access: "read" | "primary";
  readonly reason: ReadReason;
  /** Names of what it calls. */
  readonly functions: readonly string[];
  readonly hint: RoutingHint | undefined;
  /** It is only about one of the router's own settings. */
  readonly routing: RoutingStatement | undefined;
}

/** Texts remembered, as many as `Statements` remembers. */
const TEXTS_MAX = 5000;

/** Longer ones are read each time. */
const REMEMBERED_LENGTH_MAX = 8192;

/** What these say is of the server that they run on, and apps ask them to find the primary. */
const ABOUT_SERVER: ReadonlySet<string> = new Set([
  "pg_is_in_recovery",
  "pg_last_wal_receive_lsn",
  "pg_last_wal_replay_lsn",
  "pg_last_xact_replay_timestamp",
  "pg_is_wal_replay_paused",
  "inet_server_addr",
  "inet_server_port",
]);

/** Makes plans of texts. `statements`: shared with whoever else asks for facts. */
export function textPlans(statements: Statements = new Statements()): (text: string) => TextPlan {
  const make = (text: string): TextPlan => planOf(text, statements.of(text));
  const remembered = memoized(TEXTS_MAX, make);
  return (text) => (text.length > REMEMBERED_LENGTH_MAX ? make(text) : remembered(text));
}

function planOf(text: string, facts: TextFacts): TextPlan {
  const functions = facts.statements.flatMap((statement) => statement.functions);
  const reason = reasonOf(facts);
  return {
    text,
    access: reason === "read" || reason === "read-only-transaction" ? "read" : "primary",
    reason,
    functions,
    hint: routingHint(text),
    routing: routingStatement(text),
  };
}

function reasonOf({ statements, unfinished }: TextFacts): ReadReason {
  const [first] = statements;
  if (unfinished) return "unparsable";
  if (first === undefined) return "no-statement";
  const isTransaction = beginsReadOnly(first);
  for (const statement of statements) {
    const reason = statementReason(statement);
    if (reason === "read" || (isTransaction && staysInTransaction(statement))) continue;
    return statements.length > 1 ? "several-statements" : reason;
  }
  return isTransaction ? "read-only-transaction" : "read";
}

function statementReason({ verb, access, reason, functions }: StatementFacts): ReadReason {
  if (reason !== "reads") return reason;
  // What SHOW tells may be the server's own ("transaction_read_only").
  if (access !== "read" || verb === "show") return "command";
  return functions.some((name) => ABOUT_SERVER.has(name)) ? "about-server" : "read";
}

function beginsReadOnly({ effects }: StatementFacts): boolean {
  const [effect] = effects;
  return effects.length === 1 && effect?.kind === "begin" && effect.readOnly && !effect.serializable;
}

/** What may stand behind BEGIN READ ONLY in one text. */
function staysInTransaction({ effects }: StatementFacts): boolean {
  return (
    effects.length > 0 &&
    effects.every(({ kind }) => kind === "begin" || kind === "commit" || kind === "rollback")
  );
}
