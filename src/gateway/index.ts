/** The gateway's pure side: rules, groups, errors, the scoreboard and what is read off it. */
export { cacheMetrics } from "./cache-metrics.ts";
export { GATEWAY_ERRORS, type GatewayErrorCode, REASONS } from "./errors.ts";
export { Group, type GroupContext } from "./group.ts";
export { gatewayMetrics } from "./metrics.ts";
export { type FailedAttempt, maySendAgain, type RetryPolicy } from "./retry.ts";
export { compileRoutes, findRoute, type RequestView, type Route } from "./route.ts";
export {
  type Column,
  columnsFor,
  formatScoreboard,
  GROUP_COUNTER,
  HEALTH,
  NO_GROUP,
  Scoreboard,
  scoreboardBytes,
  TARGET_COUNTER,
  WORKER_COUNTER,
} from "./scoreboard.ts";
