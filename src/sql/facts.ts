/** What a router has to know of a statement before PostgreSQL sees it: may a replica run it, and what it leaves behind in its session. */

/** Why a statement is taken for a read, or is not. */
export type AccessReason =
  | "reads"
  | "writes"
  | "locks-rows"
  | "command"
  | "unparsable"
  | "several-statements"
  | "session-state";

/** What a statement does to its transaction or session. */
export type Effect =
  | { readonly kind: "begin"; readonly readOnly: boolean; readonly serializable: boolean }
  | { readonly kind: "commit" | "rollback"; readonly chain: boolean }
  | { readonly kind: "savepoint" }
  /** PREPARE TRANSACTION: the transaction lives on without a session. */
  | { readonly kind: "prepare-transaction" }
  /** `again`: a statement that sets it the same on another server. `local`: gone with the transaction. */
  | { readonly kind: "set"; readonly name: string; readonly again: string; readonly local: boolean }
  /** `name` undefined: all. */
  | { readonly kind: "reset"; readonly name: string | undefined }
  | { readonly kind: "discard"; readonly what: "all" | "plans" | "sequences" | "temp" }
  | { readonly kind: "listen" | "unlisten" }
  | { readonly kind: "prepare" | "execute"; readonly name: string }
  /** `name` undefined: all. */
  | { readonly kind: "deallocate"; readonly name: string | undefined }
  | { readonly kind: "cursor-with-hold" }
  | { readonly kind: "temporary-table" }
  | { readonly kind: "advisory-lock" | "advisory-unlock" }
  /** LOAD, and what else changes a session in ways that cannot be repeated elsewhere. */
  | { readonly kind: "session-change" };

/** One statement. */
export interface StatementFacts {
  /** Its first word in lower case: "select". */
  readonly verb: string;
  /** "read": a replica may run it, unless one of `functions` is volatile. */
  readonly access: "read" | "write";
  readonly reason: AccessReason;
  /** Names of what is called, without schemas, in lower case unless quoted; each once. Some are keywords or types: `count`, `varchar`. */
  readonly functions: readonly string[];
  readonly effects: readonly Effect[];
}

/** A text, which may hold several statements. */
export interface TextFacts {
  readonly statements: readonly StatementFacts[];
  /** A quote or a comment is open: PostgreSQL will refuse it, and nothing is to be concluded from it. */
  readonly unfinished: boolean;
}
