/** Availability: of parts together, where the downtime comes from, what to double next. */
export { type Addition, cheapestReach, type Reach } from "./cheapest.ts";
export { type CommonContribution, commonContributionsOf } from "./common-causes.ts";
export {
  type Contribution,
  contributionsOf,
  nextPurchases,
  withOneMore,
} from "./dominance.ts";
export { allowedReport } from "./downtime.ts";
export { parseSystem, type SystemOutcome } from "./expression.ts";
export { readPrices } from "./price-list.ts";
export { systemReport } from "./report.ts";
export type { Component, GroupOptions, Member, SeriesGroup, SomeGroup, System } from "./system.ts";
export { type ExpressionProblem, pointAt } from "./tokens.ts";
export { unavailabilityOf } from "./unavailability.ts";
