/**
 * The draft: what the user's file said, value by value, before defaults.
 *
 * Each value already means something (milliseconds, bytes, an address), but everything may be missing: because the
 * user left it out, or because it could not be read and a problem says so.
 */
import type { Forward, Redirect, Respond } from "./action.ts";
import type { CacheStoreConfig } from "./cache.ts";
import type { CacheDraft } from "./cache-schema.ts";
import type {
  AccessLogConfig,
  Address,
  AdminConfig,
  Algorithm,
  AutoscaleConfig,
  ConnectionsConfig,
  DeployConfig,
  EjectionConfig,
  FieldMatch,
  ForwardedConfig,
  HashKey,
  HealthConfig,
  LimitsConfig,
  ListenerConfig,
  PathMatch,
  RetryBudgetConfig,
  RetryConfig,
  RuleConfig,
  TargetConfig,
  TaskLimitsConfig,
  TimeoutsConfig,
} from "./config.ts";
import type { DatabaseDraft } from "./database-schema.ts";
import type { FallbackConfig } from "./edges.ts";
import type { EdgeDraft } from "./edges-schema.ts";
import type { SteeringDraft } from "./steering.ts";
import type { StoreDraft } from "./store-schema.ts";

/** A whole file. */
export interface ConfigDraft {
  readonly admin?: Partial<AdminConfig>;
  readonly gateway?: GatewayDraft;
  readonly listeners?: ReadonlyMap<string, ListenerDraft>;
  readonly targetGroups?: ReadonlyMap<string, TargetGroupDraft>;
  readonly services?: ReadonlyMap<string, ServiceDraft>;
  readonly edges?: ReadonlyMap<string, EdgeDraft>;
  readonly steering?: SteeringDraft;
  readonly stores?: ReadonlyMap<string, StoreDraft>;
  readonly databases?: ReadonlyMap<string, DatabaseDraft>;
}

/** See `GatewayConfig`. */
export interface GatewayDraft {
  readonly workers?: number | "auto";
  readonly accessLog?: AccessLogConfig;
  readonly limits?: Partial<LimitsConfig>;
  readonly timeouts?: Partial<TimeoutsConfig>;
  readonly forwarded?: Partial<ForwardedConfig>;
  readonly name?: string;
  readonly edge?: string;
  readonly stopTimeoutMs?: number;
  readonly cache?: Partial<CacheStoreConfig>;
}

/** See `ListenerConfig`. */
export interface ListenerDraft {
  readonly address?: Address;
  readonly protocol?: ListenerConfig["protocol"];
  readonly rules?: readonly RuleDraft[];
}

/** See `RuleConfig`; at most one of the three actions is there. */
export interface RuleDraft {
  readonly match?: MatchDraft;
  readonly forward?: Forward;
  readonly redirect?: Redirect;
  readonly respond?: Respond;
  readonly timeouts?: RuleConfig["timeouts"];
  readonly retry?: Partial<RetryConfig>;
  readonly bodyBytesMax?: number;
  readonly cache?: CacheDraft | false;
  readonly host?: RuleConfig["host"];
}

/** See `MatchConfig`; keys as the user writes them. */
export interface MatchDraft {
  readonly host?: readonly string[];
  readonly path?: readonly PathMatch[];
  readonly method?: readonly string[];
  readonly header?: readonly FieldMatch[];
  readonly query?: readonly FieldMatch[];
  readonly source?: readonly string[];
}

/** What a target group and a service have in common: how requests are shared among targets. */
export interface GroupSettings {
  readonly algorithm?: Algorithm;
  readonly on?: HashKey;
  readonly health?: Partial<HealthConfig>;
  readonly ejection?: Partial<EjectionConfig>;
  readonly panicThreshold?: number;
  readonly slowStartMs?: number;
  readonly boundedLoad?: number;
  readonly retryBudget?: Partial<RetryBudgetConfig>;
  readonly connections?: Partial<ConnectionsConfig>;
  readonly fallback?: Partial<FallbackConfig>;
}

/** See `TargetGroupConfig`. */
export interface TargetGroupDraft extends GroupSettings {
  readonly targets?: readonly Partial<TargetConfig>[];
}

/** See `ServiceConfig`. */
export interface ServiceDraft extends GroupSettings {
  readonly command?: readonly string[];
  readonly cwd?: string;
  readonly env?: ReadonlyMap<string, string>;
  readonly tasks?: number;
  readonly startTimeoutMs?: number;
  readonly drainTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
  readonly deploy?: Partial<DeployConfig>;
  readonly limits?: Partial<TaskLimitsConfig>;
  readonly autoscale?: Partial<AutoscaleConfig>;
}
