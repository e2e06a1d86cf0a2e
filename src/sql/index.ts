/** SQL as a router sees it: tokens, what a statement does to its session, whether a replica may run it. */
export type { AccessReason, Effect, StatementFacts, TextFacts } from "./facts.ts";
export {
  type Consistency,
  formatConsistency,
  hintStatements,
  parseConsistency,
  parseTarget,
  ROUTING_PREFIX,
  ROUTING_SETTINGS,
  type RoutingHint,
  type RoutingStatement,
  type RoutingTarget,
  routingHint,
  routingStatement,
  withHint,
} from "./routing.ts";
export { type Parse, Statements } from "./statements.ts";
export { templateOf } from "./template.ts";
export { VOLATILE_SQL, VolatileFunctions } from "./volatile.ts";
