/** Door of `resilience`: what keeps a failure from growing; pure. */
export { RetryBudget, type RetryBudgetPolicy } from "./retry-budget.ts";
