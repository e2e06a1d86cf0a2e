/** Partitioning a table that is written meanwhile: what is refused, and the SQL of each step. */
export {
  keptOf,
  parseName,
  parseTableName,
  quoteName,
  quoteTable,
  quoteText,
  stateOf,
  type TableName,
  twinOf,
  wordOf,
} from "./names.ts";
export { PartitionProblem } from "./problem.ts";
export { refuse } from "./refusals.ts";
export { PERIODS, type Period, partsOf, type Scheme, type Seen } from "./scheme.ts";
export * from "./steps.ts";
export { factsQuery, fingerprintOf, type TableFacts } from "./table-facts.ts";
