/** Availability: of parts together, where the downtime comes from, what to double next. */
export { copiesFor, nextPurchase, type Part, partsOf, withOneMore } from "./dominance.ts";
export { parseSystem } from "./expression.ts";
export { allowedReport, systemReport } from "./report.ts";
export { type Component, type GroupOptions, type System, unavailabilityOf } from "./tree.ts";
