/**
 * Facts of texts, remembered. The lexer decides at once; where it only suspects a write (a column is called "update"), PostgreSQL's own
 * grammar is asked.
 */
import { memoized } from "../base/index.ts";
import type { StatementFacts, TextFacts } from "./facts.ts";
import { factsOf } from "./statement.ts";
import { Lexer } from "./tokens.ts";

/** PostgreSQL's grammar: a parse tree as plain objects. Throws for what it refuses. */
export type Parse = (text: string) => unknown;

/** Texts remembered: more than the distinct ones of most apps that use parameters; about 1 KiB each. */
const TEXTS_MAX = 5000;

/** Longer texts are read each time: 10 µs per KiB. */
const REMEMBERED_LENGTH_MAX = 8192;

/** A text longer than this is not parsed to settle a doubt: parsing takes 100 times as long as lexing. */
const PARSED_LENGTH_MAX = 65_536;

/** Gives the facts of texts. `parse`: PostgreSQL's grammar, as soon as it is there. */
export class Statements {
  readonly #lexer = new Lexer();
  readonly #remembered: (text: string) => TextFacts;
  #parse: Parse | undefined;

  constructor(parse?: Parse) {
    this.#parse = parse;
    this.#remembered = memoized(TEXTS_MAX, (text) => this.#read(text, false));
  }

  /**
   * The facts of a text, shared and frozen by habit. `backslashes`: standard_conforming_strings is off in its session, which is rare
   * enough not to be remembered.
   */
  of(text: string, backslashes = false): TextFacts {
    if (backslashes || text.length > REMEMBERED_LENGTH_MAX) return this.#read(text, backslashes);
    return this.#remembered(text);
  }

  #read(text: string, backslashes: boolean): TextFacts {
    const facts = factsOf(this.#lexer.read(text, backslashes));
    const [only] = facts.statements;
    if (only === undefined || facts.statements.length > 1 || !this.#isDoubtful(only, text)) return facts;
    return { ...facts, statements: [this.#settled(only, text)] };
  }

  #isDoubtful({ verb, reason }: StatementFacts, text: string): boolean {
    return reason === "writes" && QUERIES.has(verb) && text.length <= PARSED_LENGTH_MAX;
  }

  #settled(facts: StatementFacts, text: string): StatementFacts {
    try {
      const tree = this.#parse?.(text);
      if (tree === undefined || changesData(tree)) return facts;
      return { ...facts, access: "read", reason: "reads" };
    } catch {
      return facts; // PostgreSQL will say what is wrong with it
    }
  }
}

const QUERIES: ReadonlySet<string> = new Set(["select", "with", "values", "table", "explain", "("]);

/** Nodes of a parse tree that write, lock rows, or run something else. */
const CHANGES: ReadonlySet<string> = new Set([
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
  "intoClause",
  "lockingClause",
  "CreateTableAsStmt",
  "ExecuteStmt",
  "CallStmt",
  "RefreshMatViewStmt",
  "DeclareCursorStmt",
]);

/** Whether a parse tree has a node that changes something. */
export function changesData(tree: unknown): boolean {
  if (Array.isArray(tree)) return tree.some(changesData);
  if (typeof tree !== "object" || tree === null) return false;
  return Object.entries(tree).some(([key, value]) => CHANGES.has(key) || changesData(value));
}
