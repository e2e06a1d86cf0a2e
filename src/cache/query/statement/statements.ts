/**
 * Statements by their text: parsed once, then found. Bounded; the one that was not asked for longest goes first.
 */

import { classify, type ParseNode, UNPARSABLE } from "./classify.ts";
import type { Facts } from "./facts.ts";

/** The part of libpg-query that is used. */
interface Parser {
  readonly loadModule: () => Promise<void>;
  readonly parseSync: (text: string) => { readonly stmts?: readonly { readonly stmt?: unknown }[] };
  readonly scanSync: (text: string) => {
    readonly tokens: readonly { readonly text: string; readonly tokenName: string }[];
  };
}

/** One statement text. */
export interface Statement {
  readonly text: string;
  /** Without comments, spaces made one, keywords and plain names in lower case. Texts that agree in it mean the same. */
  readonly normalised: string;
  readonly facts: Facts;
}

/** Statements kept: more than the distinct texts of most apps; about 2 KiB each. */
const STATEMENTS_MAX = 2000;

/** A longer text is parsed each time: one big INSERT should not push a thousand queries out, or stay in memory. */
const KEPT_TEXT_MAX = 16 * 1024;

/** A comment at the end, as tracing adds it with a new value each time. It holds no `*` or `/`, so it is one comment. */
const TRACE_COMMENT = /\s*\/\*[^*/]*\*\/\s*$/;

/** Texts -> statements. */
export class Statements {
  readonly #kept = new Map<string, Statement>();
  #parser: Parser | undefined;
  #loading: Promise<void> | undefined;

  /** Whether `of` may be called. */
  get ready(): boolean {
    return this.#parser !== undefined;
  }

  /** Loads the parser (WebAssembly, about 20 ms). */
  load(): Promise<void> {
    this.#loading ??= import("libpg-query").then(async (parser) => {
      await parser.loadModule();
      this.#parser = parser;
    });
    return this.#loading;
  }

  /** The statement of a text. Throws an Error before `load` is done. */
  of(text: string): Statement {
    const shown = text.endsWith("*/") ? text.replace(TRACE_COMMENT, "") : text;
    const known = this.#kept.get(shown);
    if (known !== undefined) {
      this.#kept.delete(shown);
      this.#kept.set(shown, known);
      return known;
    }
    const statement = this.#parse(shown);
    if (shown.length <= KEPT_TEXT_MAX) this.#keep(statement);
    return statement;
  }

  #keep(statement: Statement): void {
    this.#kept.set(statement.text, statement);
    if (this.#kept.size <= STATEMENTS_MAX) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  #parse(text: string): Statement {
    const parser = this.#parser;
    if (parser === undefined) throw new Error("the parser is not loaded");
    try {
      const nodes = (parser.parseSync(text).stmts ?? []).map((each) => (each.stmt ?? {}) as ParseNode);
      const facts =
        nodes.length === 0
          ? { ...UNPARSABLE, effect: "none" as const, session: "kept" as const }
          : classify(nodes);
      return { text, normalised: facts.refusal === undefined ? this.#normalise(text, parser) : text, facts };
    } catch {
      return { text, normalised: text, facts: UNPARSABLE };
    }
  }

  /** The scanner counts bytes: a text with other characters than ASCII stays as it is. */
  #normalise(text: string, parser: Parser): string {
    if (/[^\t-~]/.test(text)) return text;
    return parser
      .scanSync(text)
      .tokens.filter((token) => token.tokenName !== "SQL_COMMENT" && token.tokenName !== "C_COMMENT")
      .map((token) => (/^[A-Za-z0-9_]+$/.test(token.text) ? token.text.toLowerCase() : token.text))
      .join(" ")
      .replace(/( ;)+$/, "");
  }
}
