/** SQL as a router sees it: tokens, what a statement does to its session, whether a replica may run it. */
export type { AccessReason, Effect, StatementFacts, TextFacts } from "./facts.ts";
export { type Parse, Statements } from "./statements.ts";
export { VOLATILE_SQL, VolatileFunctions } from "./volatile.ts";
