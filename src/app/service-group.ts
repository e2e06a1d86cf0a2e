/** The target group of a service that nobody wrote: its tasks are checked, and no rule sends requests to them. */
import { DEFAULTS, type ServiceConfig, type TargetGroupConfig } from "../config/index.ts";

/** By the service's own health check. */
export function groupOfService({ name, health }: ServiceConfig): TargetGroupConfig {
  return {
    name,
    ...DEFAULTS.group,
    algorithm: DEFAULTS.algorithm,
    hashKey: DEFAULTS.hashKey,
    ejection: DEFAULTS.ejection,
    retryBudget: DEFAULTS.retryBudget,
    connections: DEFAULTS.connections,
    targets: [],
    service: name,
    health,
  };
}
