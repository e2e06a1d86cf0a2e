/** Where a statement goes, and why. Pure; the reasons are counted in the client's metrics. */
import type { AccessReason, TextFacts, VolatileFunctions } from "../sql/index.ts";

/** Why a statement went where it went. */
export type RouteReason =
  | AccessReason
  | "volatile-function"
  | "read-only-transaction"
  | "in-transaction"
  | "session-pinned"
  | "stream"
  | "target"
  | "no-replicas"
  /** A replica refused this text before: a function of the user's writes. */
  | "refused-before"
  | "functions-unknown";

/** A place and its reason. */
export interface Route {
  readonly to: "primary" | "replica";
  readonly reason: RouteReason;
}

/** What is known beside the text. */
export interface RouteContext {
  readonly hasReplicas: boolean;
  readonly target: "primary" | "replica" | undefined;
  /** undefined: not read from the database yet. */
  readonly volatile: VolatileFunctions | undefined;
  readonly refused: ReadonlySet<string>;
}

/** The route of a text outside of transactions and pinned sessions. */
export function routeOf(text: string, facts: TextFacts, context: RouteContext): Route {
  const primary = (reason: RouteReason): Route => ({ to: "primary", reason });
  if (!context.hasReplicas) return primary("no-replicas");
  if (context.target !== undefined) return { to: context.target, reason: "target" };
  const [only] = facts.statements;
  if (only === undefined || facts.unfinished) return primary("unparsable");
  if (facts.statements.length > 1) return primary("several-statements");
  if (startsReadOnly(facts)) return { to: "replica", reason: "read-only-transaction" };
  if (only.access === "write") return primary(only.reason);
  if (only.effects.length > 0) return primary("session-state");
  if (context.volatile === undefined) return primary("functions-unknown");
  if (context.volatile.among(only.functions) !== undefined) return primary("volatile-function");
  if (context.refused.has(text)) return primary("refused-before");
  return { to: "replica", reason: "reads" };
}

function startsReadOnly({ statements }: TextFacts): boolean {
  const [only] = statements;
  return (
    statements.length === 1 &&
    only?.effects.length === 1 &&
    only.effects.some((effect) => effect.kind === "begin" && effect.readOnly && !effect.serializable)
  );
}

/** What a text does to the connection it runs on. */
export interface SessionStep {
  /** After it: within a transaction, outside of one, or as before. */
  readonly transaction: "begun" | "ended" | "same";
  /** It ended a transaction by COMMIT. */
  readonly commits: boolean;
  /** It leaves something in the session beyond a transaction. */
  readonly pins: boolean;
}

/** The effects of all statements in a text together. */
export function sessionStep({ statements }: TextFacts): SessionStep {
  let transaction: SessionStep["transaction"] = "same";
  let commits = false;
  let pins = false;
  for (const { effects } of statements)
    for (const effect of effects) {
      if (effect.kind === "begin") transaction = "begun";
      else if (effect.kind === "commit" || effect.kind === "rollback") {
        transaction = effect.chain ? "begun" : "ended";
        commits ||= effect.kind === "commit";
      } else if (effect.kind === "prepare-transaction") transaction = "ended";
      else if (!("local" in effect && effect.local) && effect.kind !== "savepoint") pins = true;
    }
  return { transaction, commits, pins };
}

/** Whether a text may be sent again when its connection was lost: it only reads, and calls nothing that writes. */
export function isRepeatable(facts: TextFacts, volatile: VolatileFunctions | undefined): boolean {
  return (
    facts.statements.length > 0 &&
    !facts.unfinished &&
    volatile !== undefined &&
    facts.statements.every(
      ({ access, effects, functions }) =>
        access === "read" && effects.length === 0 && volatile.among(functions) === undefined,
    )
  );
}
