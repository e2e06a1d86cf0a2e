/**
 * From draft to `Config`: defaults filled in, shorthands gone, services given their target groups.
 *
 * Nothing is judged here. Where the draft lacks what it must have (and a problem already says so), a placeholder
 * stands in, so that the checks over the whole file can still run and report everything at once.
 */
import type { CacheConfig, CacheStoreConfig } from "./cache.ts";
import type { CacheDraft } from "./cache-schema.ts";
import type {
  ActionConfig,
  Address,
  AutoscaleConfig,
  Config,
  GatewayConfig,
  HealthConfig,
  ListenerConfig,
  MatchConfig,
  PathMatch,
  RuleConfig,
  ServiceConfig,
  TargetConfig,
  TargetGroupConfig,
} from "./config.ts";
import { normaliseDatabase } from "./database-normalise.ts";
import { DEFAULTS, SERVICE_HOLD_MS } from "./defaults.ts";
import type {
  ConfigDraft,
  GatewayDraft,
  GroupSettings,
  ListenerDraft,
  MatchDraft,
  RuleDraft,
  ServiceDraft,
  TargetGroupDraft,
} from "./draft.ts";
import type { EdgeConfig, FallbackConfig } from "./edges.ts";
import type { EdgeDraft } from "./edges-schema.ts";
import { resolvePath } from "./resolve-path.ts";
import { WORKERS_MAX } from "./snapshot.ts";
import { normaliseSteering } from "./steering-normalise.ts";
import type { StoreConfig } from "./store.ts";
import type { StoreDraft } from "./store-schema.ts";

/** What a config takes from the machine it is loaded on. */
export interface Surroundings {
  /** Folder of the config file, absolute; relative folders in the file start here. */
  readonly folder: string;
  /** Processor cores; what `workers: "auto"` resolves to. */
  readonly cores: number;
}

/** Stands for an address that could not be read. Port 0 clashes with nothing. */
const NOWHERE: Address = { host: "", port: 0 };

/** Stands for an action that could not be read. */
const NO_ACTION: ActionConfig = { kind: "respond", status: 404, headers: [], body: "" };

/** Fills in every default. */
export function normalise(draft: ConfigDraft, surroundings: Surroundings): Config {
  const services = [...(draft.services ?? [])];
  const groups = [...(draft.targetGroups ?? [])].filter(([name]) => !draft.services?.has(name));
  return {
    admin: { ...DEFAULTS.admin, ...draft.admin },
    gateway: gateway(draft.gateway ?? {}, surroundings),
    listeners: [...(draft.listeners ?? [])].map(([name, entry]) => listener(name, entry)),
    targetGroups: [
      ...groups.map(([name, entry]) => targetGroup(name, entry)),
      ...services.map(([name, entry]) => serviceGroup(name, settingsOf(draft, name, entry))),
    ],
    services: services.map(([name, entry]) =>
      service(name, settingsOf(draft, name, entry), surroundings.folder),
    ),
    edges: [...(draft.edges ?? [])].map(([name, entry]) => edge(name, entry, surroundings.folder)),
    stores: [...(draft.stores ?? [])].map(([name, entry]) => store(name, entry, surroundings.folder)),
    databases: [...(draft.databases ?? [])].map(([name, entry]) =>
      normaliseDatabase(name, entry, surroundings.folder),
    ),
    ...(draft.steering === undefined ? {} : { steering: normaliseSteering(draft.steering) }),
  };
}

/** A service and the `targetGroups` entry of its name are one thing; the service's own words count. */
function settingsOf(draft: ConfigDraft, name: string, entry: ServiceDraft): ServiceDraft {
  const { targets: _, ...settings } = draft.targetGroups?.get(name) ?? {};
  return { ...settings, ...entry };
}

function gateway(draft: GatewayDraft, { cores, folder }: Surroundings): GatewayConfig {
  const { limits, timeouts, forwarded, cache, workers = DEFAULTS.gateway.workers, ...rest } = draft;
  return {
    ...DEFAULTS.gateway,
    ...rest,
    workers: workers === "auto" ? Math.min(Math.max(1, cores), WORKERS_MAX / 2) : workers,
    limits: { ...DEFAULTS.limits, ...limits },
    timeouts: { ...DEFAULTS.timeouts, ...timeouts },
    forwarded: { ...DEFAULTS.forwarded, ...forwarded },
    cache: cacheStore(cache ?? {}, folder),
  };
}

function cacheStore(draft: Partial<CacheStoreConfig>, folder: string): CacheStoreConfig {
  const { purgeTokenFile, disk } = draft;
  const token = purgeTokenFile === undefined ? {} : { purgeTokenFile: resolvePath(folder, purgeTokenFile) };
  const place =
    disk?.folder === undefined ? {} : { disk: { ...disk, folder: resolvePath(folder, disk.folder) } };
  return { ...DEFAULTS.cacheStore, ...draft, ...token, ...place };
}

function edge(name: string, draft: EdgeDraft, folder: string): EdgeConfig {
  const { admin = "", tokenFile = "", role = "edge" } = draft;
  return { name, admin, tokenFile: resolvePath(folder, tokenFile), role };
}

function store(name: string, { tls, ...draft }: StoreDraft, folder: string): StoreConfig {
  const ofUse = draft.use === "cache" ? { eviction: DEFAULTS.cacheEviction } : {};
  const plain = { name, url: "", ...DEFAULTS.store, ...ofUse, ...draft };
  if (tls === undefined) return plain;
  const { host, ...names } = tls;
  const files = Object.entries(names).map(([which, path]) => [which, resolvePath(folder, path)] as const);
  return { ...plain, tls: { ...Object.fromEntries(files), ...(host === undefined ? {} : { host }) } };
}

function listener(name: string, draft: ListenerDraft): ListenerConfig {
  return {
    name,
    address: draft.address ?? NOWHERE,
    protocol: draft.protocol ?? "http",
    rules: (draft.rules ?? []).map((entry, index) => rule(`${name}/${index}`, entry)),
  };
}

function rule(name: string, draft: RuleDraft): RuleConfig {
  return {
    name,
    match: match(draft.match ?? {}),
    action: draft.forward ?? draft.redirect ?? draft.respond ?? NO_ACTION,
    timeouts: draft.timeouts ?? {},
    retry: { ...DEFAULTS.retry, ...draft.retry },
    ...(draft.bodyBytesMax === undefined ? {} : { bodyBytesMax: draft.bodyBytesMax }),
    ...(draft.cache ? { cache: ruleCache(draft.cache) } : {}),
    host: draft.host ?? DEFAULTS.ruleHost,
  };
}

function ruleCache(draft: CacheDraft): CacheConfig {
  return { ...DEFAULTS.cache, ...draft, key: { ...DEFAULTS.cache.key, ...draft.key } };
}

function match(draft: MatchDraft): MatchConfig {
  return {
    hosts: draft.host ?? [],
    paths: paths(draft.path ?? []),
    methods: draft.method ?? [],
    headers: draft.header ?? [],
    queries: draft.query ?? [],
    sourceIps: draft.source ?? [],
  };
}

/** A path that matches everything is no condition. */
function paths(alternatives: readonly PathMatch[]): readonly PathMatch[] {
  const all = alternatives.some((path) => path.kind === "prefix" && path.path === "");
  return all ? [] : alternatives;
}

function targetGroup(name: string, draft: TargetGroupDraft): TargetGroupConfig {
  const targets = (draft.targets ?? []).map(
    ({ address = NOWHERE, weight = DEFAULTS.targetWeight, name: known }): TargetConfig => ({
      address,
      weight,
      ...(known === undefined ? {} : { name: known }),
    }),
  );
  const uneven = targets.some(({ weight }) => weight !== targets[0]?.weight);
  const checks = draft.health ? { health: health(draft.health, "http") } : {};
  return { name, ...shared(draft, uneven), targets, ...checks };
}

function serviceGroup(name: string, draft: ServiceDraft): TargetGroupConfig {
  const settings = shared(draft, false);
  const { holdMs = SERVICE_HOLD_MS } = draft.connections ?? {};
  const connections = { ...settings.connections, holdMs };
  return { name, ...settings, connections, targets: [], service: name, health: taskHealth(draft) };
}

type Shared = Omit<TargetGroupConfig, "name" | "targets" | "service" | "health">;

function shared(draft: GroupSettings, uneven: boolean): Shared {
  return {
    algorithm: draft.algorithm ?? (uneven ? "weighted-round-robin" : DEFAULTS.algorithm),
    hashKey: draft.on ?? DEFAULTS.hashKey,
    ejection: { ...DEFAULTS.ejection, ...draft.ejection },
    panicThreshold: draft.panicThreshold ?? DEFAULTS.group.panicThreshold,
    slowStartMs: draft.slowStartMs ?? DEFAULTS.group.slowStartMs,
    boundedLoad: draft.boundedLoad ?? DEFAULTS.group.boundedLoad,
    retryBudget: { ...DEFAULTS.retryBudget, ...draft.retryBudget },
    connections: { ...DEFAULTS.connections, ...draft.connections },
    ...(draft.fallback === undefined ? {} : { fallback: fallback(draft.fallback) }),
  };
}

function fallback({ group = "", requestsMax }: Partial<FallbackConfig>): FallbackConfig {
  return { group, requestsMax: requestsMax ?? DEFAULTS.fallback.requestsMax };
}

function health(draft: Partial<HealthConfig>, kind: HealthConfig["kind"]): HealthConfig {
  return { kind, ...DEFAULTS.health, ...draft };
}

/** A task without a `health` of its own is ready when its port accepts a connection. */
function taskHealth(draft: ServiceDraft): HealthConfig {
  return draft.health ? health(draft.health, "http") : health({}, "tcp");
}

function service(name: string, draft: ServiceDraft, folder: string): ServiceConfig {
  const scaling = draft.autoscale && autoscale(draft.autoscale);
  return {
    name,
    command: draft.command ?? [],
    cwd: resolvePath(folder, draft.cwd ?? "."),
    env: Object.fromEntries(draft.env ?? []),
    tasks: wantedTasks(draft, scaling),
    targetGroup: name,
    health: taskHealth(draft),
    startTimeoutMs: draft.startTimeoutMs ?? DEFAULTS.service.startTimeoutMs,
    drainTimeoutMs: draft.drainTimeoutMs ?? DEFAULTS.service.drainTimeoutMs,
    stopTimeoutMs: draft.stopTimeoutMs ?? DEFAULTS.service.stopTimeoutMs,
    deploy: { ...DEFAULTS.deploy, ...draft.deploy },
    limits: draft.limits ?? {},
    ...(scaling ? { autoscale: scaling } : {}),
  };
}

function autoscale(draft: Partial<AutoscaleConfig>): AutoscaleConfig {
  return { ...DEFAULTS.autoscale, max: DEFAULTS.autoscale.min, ...draft };
}

function wantedTasks(draft: ServiceDraft, scaling: AutoscaleConfig | undefined): number {
  const tasks = draft.tasks ?? DEFAULTS.service.tasks;
  return scaling ? Math.min(Math.max(tasks, scaling.min), scaling.max) : tasks;
}
