/** The database tier: what is pure of it. */

export { POOL_DEFAULTS, type PoolMode, type PoolSettings } from "./router/pool-settings.ts";
export { ROUTER_REFUSALS, type RouterErrorCode } from "./router/refusals.ts";
export {
  type LookAt,
  lookAtStatement,
  NO_EFFECTS,
  PIN_REASONS,
  type PinReason,
  type SettingChange,
  type StatementEffects,
} from "./router/statement-effects.ts";
export type { ClusterServer, ClusterView } from "./view.ts";
