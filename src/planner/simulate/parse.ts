/**
 * From what people write to a design: defaults filled in, names resolved, cycles refused. All problems at once.
 *
 * What a gateway's group, an autoscaler and a deploy may hold is the config's own business, so the config reads it.
 */
import {
  nearest,
  type Problem,
  parseConfig,
  type ServiceConfig,
  shapes,
  type TargetGroupConfig,
} from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import type {
  Arrivals,
  Call,
  ClientsDesign,
  Design,
  Fault,
  NodeDesign,
  RunDesign,
  ServiceDesign,
  Work,
} from "./design.ts";
import type { Distribution } from "./distribution.ts";
import { type ClientsDraft, designShape, type FaultDraft, type RunDraft } from "./draft.ts";
import type { CallDraft, NodeDraft, NodeDrafts, WorkDraft } from "./node-draft.ts";

/** A design, or everything that is wrong with it. */
export function parseDesign(input: unknown): Outcome<Design> {
  const problems: Problem[] = [];
  const draft = designShape.read(input, { path: "", problems });
  if (draft === undefined || problems.length > 0) return refused(problems);
  const nodes = [...(draft.nodes ?? [])].map(([name, node]) => createNode(name, node, problems));
  const clients = [...(draft.clients ?? [])].map(([name, one]) => createClients(name, one));
  const faults = (draft.faults ?? []).flatMap((fault) => createFault(fault));
  checkNames({ clients, nodes, faults }, problems);
  if (problems.length === 0) checkCycles(nodes, problems);
  if (problems.length > 0) return refused(problems);
  return ok({ name: draft.name ?? "design", clients, nodes, faults, run: createRun(draft.run ?? {}) });
}

function refused(problems: readonly Problem[]): Outcome<never> {
  return { kind: "problems", problems: shapes.bounded(problems) };
}

const NOTHING: Distribution = { kind: "constant", meanMs: 0 };
const UNBOUNDED = 10_000_000;

/** A retry for every request, and a million a second beside. */
const NO_BUDGET = { ratio: 1, perSecond: 1_000_000 };

/** What a run is when nothing is said about it: a minute after ten seconds of warming up. */
function createRun(draft: Partial<RunDraft>): RunDesign {
  const durationMs = draft.durationMs ?? 70_000;
  return {
    durationMs,
    warmUpMs: Math.min(draft.warmUpMs ?? Math.min(10_000, durationMs / 6), durationMs * 0.9),
    seed: draft.seed ?? 1,
    inSystemMax: draft.inSystemMax ?? 200_000,
    requestsMax: draft.requestsMax ?? 50_000_000,
    windowMs: draft.windowMs ?? Math.max(1000, durationMs / 300),
    objective: { p99Ms: draft.objective?.p99Ms ?? 500, errorShare: draft.objective?.errors ?? 0.01 },
  };
}

function createClients(name: string, draft: Partial<ClientsDraft>): ClientsDesign {
  const routes = [...(draft.routes ?? [["request", 1] as const])].map(([route, weight]) => ({
    name: route,
    weight,
  }));
  return {
    name,
    to: draft.to ?? "",
    arrivals: arrivalsOf(draft),
    routes,
    timeoutMs: draft.timeoutMs ?? 30_000,
    retries: draft.retries ?? 0,
    keys: { count: draft.keys?.count ?? 0, skew: draft.keys?.skew ?? 0 },
  };
}

/** Points of one period of a sine: straight lines between them are within 0.1 % of it. */
const SINE_POINTS = 64;

/** Periods that are laid out: a month of days. */
const SINE_PERIODS = 31;

function arrivalsOf({ users, think, herd, points, sine, rateRps, even }: Partial<ClientsDraft>): Arrivals {
  if (users !== undefined) return { kind: "closed", users, think: think ?? NOTHING };
  if (herd !== undefined) return { kind: "herd", count: herd.count, atMs: herd.atMs ?? 0 };
  const spacing = even === true ? "even" : "poisson";
  if (sine !== undefined) return { kind: "open", spacing, points: sinePoints(sine) };
  return { kind: "open", spacing, points: points ?? [[0, rateRps ?? 0]] };
}

/** The greatest at a quarter of the period, as noon comes after midnight. */
function sinePoints({ meanRps, peakRps, periodMs }: ClientsDraft["sine"]): [number, number][] {
  return Array.from({ length: SINE_POINTS * SINE_PERIODS + 1 }, (_, i) => {
    const swing = Math.sin((2 * Math.PI * i) / SINE_POINTS) * (peakRps - meanRps);
    return [(i * periodMs) / SINE_POINTS, Math.max(0, meanRps + swing)];
  });
}

function createNode(name: string, node: NodeDraft, problems: Problem[]): NodeDesign {
  const base = { name, pricePerMonth: node.draft.pricePerMonth ?? 0 };
  switch (node.kind) {
    case "delay":
      return { ...base, kind: "delay", time: node.draft.time ?? NOTHING, ...optionalTo(node.draft.to) };
    case "gateway":
      return { ...base, kind: "gateway", ...gatewayParts(name, node.draft, problems) };
    case "service":
      return { ...base, kind: "service", ...serviceParts(name, node.draft, problems) };
    case "cache":
      return { ...base, kind: "cache", ...cacheParts(node.draft) };
    case "pool": {
      const { to = "", size = 1, queueMax = 10_000, queueTimeoutMs = 5000 } = node.draft;
      return { ...base, kind: "pool", to, size, queueMax, queueTimeoutMs };
    }
    case "database":
      return { ...base, kind: "database", ...databaseParts(node.draft) };
    case "queue": {
      const { time = NOTHING, workers = 1, work = NOTHING, depthMax = UNBOUNDED, to } = node.draft;
      return { ...base, kind: "queue", time, workers, work, depthMax, ...optionalTo(to) };
    }
  }
}

function optionalTo(to: string | undefined): { to?: string } {
  return to === undefined ? {} : { to };
}

function gatewayParts(name: string, draft: Partial<NodeDrafts["gateway"]>, problems: Problem[]) {
  const config = readAsConfig(name, "group", asSettings(draft.group), problems);
  const { attempts = 1, budget = true } = draft.retry ?? {};
  return {
    to: draft.to ?? "",
    count: draft.count ?? 1,
    group: budget ? config.group : { ...config.group, retryBudget: NO_BUDGET },
    retry: { attempts },
    firstByteMs: draft.firstByteMs ?? 30_000,
    queueMax: draft.queueMax ?? 1024,
    time: draft.time ?? NOTHING,
    cores: draft.cores ?? 1,
  };
}

function serviceParts(
  name: string,
  draft: Partial<NodeDrafts["service"]>,
  problems: Problem[],
): Omit<ServiceDesign, "name" | "kind" | "pricePerMonth"> {
  const settings = {
    ...(draft.autoscale === undefined ? {} : { autoscale: draft.autoscale }),
    ...(draft.deploy === undefined ? {} : { deploy: draft.deploy }),
  };
  const { service } = readAsConfig(name, undefined, settings, problems);
  const other = { time: draft.time ?? NOTHING, calls: (draft.calls ?? []).map(callOf) };
  const routes = [...(draft.routes ?? [])].map(([route, work]) => [route, workOf(work, other)] as const);
  return {
    tasks: draft.tasks ?? 1,
    cores: draft.cores ?? 1,
    concurrency: draft.concurrency ?? Infinity,
    queueMax: draft.queueMax ?? 10_000,
    timeLimitMs: draft.timeLimitMs ?? 0,
    work: { "*": other, ...Object.fromEntries(routes) },
    errorShare: draft.errors ?? 0,
    coldStart: { ms: draft.coldStart?.forMs ?? 0, factor: draft.coldStart?.factor ?? 1 },
    pauses: draft.pauses ?? { everyMs: 0, pauseMs: 0 },
    startDelayMs: draft.startDelayMs ?? 2000,
    zones: draft.zones ?? 1,
    deploy: service.deploy,
    ...(service.autoscale === undefined ? {} : { autoscale: service.autoscale }),
  };
}

function workOf({ time, calls }: Partial<WorkDraft>, other: Work): Work {
  return { time: time ?? other.time, calls: calls?.map(callOf) ?? other.calls };
}

function callOf({
  to = "",
  share = 1,
  times = 1,
  parallel = false,
  optional = false,
}: Partial<CallDraft>): Call {
  return { to, share, times, parallel, optional };
}

function cacheParts({
  to = "",
  time,
  hits,
  entries = 1,
  ttlMs = 0,
  coalesce = true,
  bypass = [],
}: Partial<NodeDrafts["cache"]>) {
  return {
    to,
    time: time ?? NOTHING,
    hits:
      hits === undefined
        ? ({ kind: "keys", entries, ttlMs } as const)
        : ({ kind: "share", share: hits } as const),
    coalesce,
    bypass,
  };
}

function databaseParts(draft: Partial<NodeDrafts["database"]>) {
  const read = draft.read ?? NOTHING;
  return {
    cores: draft.cores ?? 4,
    read,
    write: draft.write ?? read,
    writes: draft.writes ?? ["write"],
    replicas: draft.replicas ?? 0,
    readFromReplicas: draft.readFromReplicas ?? true,
    sync: draft.sync ?? false,
    lagMs: draft.lagMs ?? 1,
    failoverMs: draft.failoverMs ?? 7000,
    shards: draft.shards ?? 1,
    skew: draft.skew ?? 0,
    queueMax: draft.queueMax ?? 10_000,
  };
}

/** What a fault needs beyond its node, and what it is when left out. */
function createFault({
  kind,
  atMs = 0,
  node = "",
  task,
  zone = 0,
  shard = 0,
  factor = 10,
  forMs = 30_000,
}: Partial<FaultDraft>): Fault[] {
  const at = { atMs, node };
  if (kind === undefined) return [];
  switch (kind) {
    case "kill-task":
      return [{ kind, ...at, task: task ?? 0 }];
    case "kill-zone":
      return [{ kind, ...at, zone }];
    case "slow-task":
      return [{ kind, ...at, task: task ?? 0, factor, forMs }];
    case "partition":
      return [{ kind, ...at, forMs, ...(task === undefined ? {} : { task }) }];
    case "kill-primary":
      return [{ kind, ...at, shard }];
    case "flush":
    case "deploy":
      return [{ kind, ...at }];
    case "lose-metrics":
      return [{ kind, ...at, forMs }];
  }
}

function asSettings(group: unknown): Record<string, unknown> {
  return shapes.sortOf(group) === "object" ? (group as Record<string, unknown>) : {};
}

/** Reads settings as those of a service in a config; problems come back under the node's own path. */
function readAsConfig(
  node: string,
  key: string | undefined,
  settings: Record<string, unknown>,
  problems: Problem[],
): { readonly service: ServiceConfig; readonly group: TargetGroupConfig } {
  const parse = (given: Record<string, unknown>) =>
    parseConfig({ services: { [node]: { command: ["simulated"], ...given } } }, { folder: "/", cores: 1 });
  const given = parse(settings);
  if (given.kind === "problems") {
    const path = `nodes.${node}${key === undefined ? "" : `.${key}`}`;
    problems.push(
      ...given.problems.map((one) => ({ ...one, path: one.path.replace(`services.${node}`, path) })),
    );
  }
  const outcome = given.kind === "ok" ? given : parse({});
  const [service] = outcome.kind === "ok" ? outcome.config.services : [];
  const [group] = outcome.kind === "ok" ? outcome.config.targetGroups : [];
  if (service === undefined || group === undefined)
    throw new Error("simulate: the config's defaults are no config");
  return { service, group };
}

/** Nodes that this one sends requests to, with where it says so. */
function calledBy(node: NodeDesign): { readonly to: string; readonly path: string }[] {
  const at = `nodes.${node.name}`;
  if (node.kind === "service")
    return Object.entries(node.work).flatMap(([route, { calls }]) =>
      calls.map(({ to }) => ({ to, path: route === "*" ? `${at}.calls` : `${at}.routes.${route}.calls` })),
    );
  return "to" in node && node.to !== undefined ? [{ to: node.to, path: `${at}.to` }] : [];
}

/** Kinds of nodes that a fault can befall. */
const FAULT_KINDS: Readonly<Record<Fault["kind"], NodeDesign["kind"]>> = {
  "kill-task": "service",
  "kill-zone": "service",
  "slow-task": "service",
  partition: "service",
  "kill-primary": "database",
  flush: "cache",
  deploy: "service",
  "lose-metrics": "service",
};

function checkNames(
  { clients, nodes, faults }: Pick<Design, "clients" | "nodes" | "faults">,
  problems: Problem[],
): void {
  const kinds = new Map(nodes.map(({ name, kind }) => [name, kind]));
  const check = (to: string, path: string, wanted?: NodeDesign["kind"]): void => {
    const found = kinds.get(to);
    const near = nearest(to, kinds.keys());
    const mend =
      near === undefined ? `there are: ${[...kinds.keys()].join(", ")}` : `did you mean "${near}"?`;
    if (found === undefined) problems.push({ path, what: `names "${to}", which is no node`, mend });
    else if (wanted !== undefined && found !== wanted)
      problems.push({ path, what: `names "${to}", a ${found}`, mend: `name a ${wanted}` });
  };
  for (const { name, to } of clients) check(to, `clients.${name}.to`);
  for (const node of nodes)
    for (const { to, path } of calledBy(node))
      check(to, path, node.kind === "gateway" ? "service" : undefined);
  for (const [index, { node, kind }] of faults.entries())
    check(node, `faults[${index}].node`, FAULT_KINDS[kind]);
  if (clients.length === 0)
    problems.push({ path: "clients", what: "is empty", mend: 'write web: { to: …, rate: "100/s" }' });
}

/** A request that comes back to where it was would never end. Iterative, so that a long chain is no deep one. */
function checkCycles(nodes: readonly NodeDesign[], problems: Problem[]): void {
  const next = new Map(nodes.map((node) => [node.name, [...new Set(calledBy(node).map(({ to }) => to))]]));
  const done = new Set<string>();
  for (const { name } of nodes) {
    const path: string[] = [];
    const stack: { readonly name: string; at: number }[] = [{ name, at: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top === undefined) break;
      if (top.at === 0) path.push(top.name);
      const child = done.has(top.name) ? undefined : next.get(top.name)?.[top.at++];
      if (child === undefined) {
        done.add(top.name);
        path.pop();
        stack.pop();
      } else if (path.includes(child)) {
        const cycle = [...path.slice(path.indexOf(child)), child].join(" -> ");
        problems.push({
          path: `nodes.${child}`,
          what: `calls itself: ${cycle}`,
          mend: "take one of these calls out",
        });
        return;
      } else if (!done.has(child)) stack.push({ name: child, at: 0 });
    }
  }
}
