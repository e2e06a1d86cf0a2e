/** `tenfold status` as lines: the controller, then workers, listeners, services with tasks, groups with targets. */
import type {
  CacheStatus,
  DatabaseStatus,
  EdgeStatus,
  GroupStatus,
  ListenerStatus,
  ServiceStatus,
  Status,
  TargetStatus,
  TaskStatus,
  WorkerStatus,
} from "../../app/index.ts";
import { formatBytes } from "../../base/index.ts";
import type { Paint, Style } from "../style.ts";
import { cacheLine } from "./cache.ts";
import { ago, count, latency, NONE, percent, plural } from "./figures.ts";
import { type Cell, type Column, cut, table } from "./table.ts";

/** When, how wide, how painted. */
export interface View {
  readonly wallMs: number;
  readonly width: number;
  readonly style: Style;
}

/** The whole picture. */
export function renderStatus(status: Status, view: View): string[] {
  const { gateway, services, databases = [] } = status;
  const lines = [
    ...controllerLines(status, view),
    ...workerLines(gateway.workers, view),
    ...cacheLines(gateway.cache, view),
    ...edgeLines(gateway.edges ?? [], view),
    ...section("listeners", gateway.listeners, listenerLines, view),
    ...section("services", services, serviceLines, view),
    ...section("databases", databases, databaseLines, view),
    ...section("target groups", gateway.groups, groupLines, view),
  ];
  return lines.map((line) => cut(line, view.width));
}

function controllerLines({ controller, gateway, version }: Status, { wallMs, style }: View): string[] {
  const { state, since, pid, revision, configPath, problem } = controller;
  const serving = gateway.workers.filter((worker) => worker.state === "serving").length;
  const workers = `${serving} of ${plural(gateway.workers.length, "gateway worker")} serving`;
  const facts = [
    `pid ${pid}`,
    `${state} for ${ago(since, wallMs)}`,
    workers,
    `revision ${revision}`,
    `tenfold ${version}`,
  ];
  return [
    `${style.bold("controller")}  ${facts.join(", ")}`,
    ...(problem === null ? [] : [style.bad(`problem     ${problem}`)]),
    style.dim(`config      ${configPath ?? "none"}`),
    style.dim(`state       ${controller.stateDirectory}`),
  ];
}

const WORKER_COLUMNS: readonly Column[] = [
  { title: "  WORKER" },
  { title: "STATE" },
  { title: "PID", align: "right" },
  { title: "REVISION", align: "right" },
  { title: "CONNECTIONS", align: "right" },
];

function workerLines(workers: readonly WorkerStatus[], { style, width }: View): string[] {
  if (workers.length === 0) return [];
  const rows = workers.map(({ index, state, pid, revision, connections }): Cell[] => [
    `  ${index + 1}`,
    { text: state, paint: paintOf(state, style) },
    `${pid}`,
    `${revision}`,
    count(connections),
  ]);
  return ["", style.bold("gateway"), ...table(WORKER_COLUMNS, rows, width, style.dim)];
}

function cacheLines(cache: CacheStatus | null, { style }: View): string[] {
  return cache === null ? [] : ["", `${style.bold("cache")}  ${cacheLine(cache)}`];
}

const EDGE_COLUMNS: readonly Column[] = [
  { title: "  EDGE" },
  { title: "ROLE" },
  { title: "ACKNOWLEDGED", align: "right" },
  { title: "LAG", align: "right" },
  { title: "FOR", align: "right" },
  { title: "PROBLEM" },
];

function edgeLines(edges: readonly EdgeStatus[], { style, width }: View): string[] {
  if (edges.length === 0) return [];
  const rows = edges.map(({ edge, role, acknowledged, lag, lagMs, problem }): Cell[] => [
    `  ${edge}`,
    role,
    acknowledged === null ? NONE : `${acknowledged}`,
    { text: count(lag), paint: lag > 0 ? style.warn : style.good },
    lag === 0 ? NONE : latency(lagMs),
    { text: problem, paint: style.bad },
  ]);
  return ["", style.bold("edges"), ...table(EDGE_COLUMNS, rows, width, style.dim)];
}

function section<T>(
  title: string,
  items: readonly T[],
  lines: (item: T, view: View) => string[],
  view: View,
): string[] {
  if (items.length === 0) return [];
  return [
    "",
    view.style.bold(title),
    ...items.flatMap((item) => lines(item, view)).map((line) => `  ${line}`),
  ];
}

function listenerLines({ name, url, rules }: ListenerStatus, { style, width }: View): string[] {
  const rows = rules.map(({ match, action }): Cell[] => ["", match, `-> ${action}`]);
  const [, ...lines] = table([{ title: "" }, { title: "" }, { title: "" }], rows, width - 2, style.dim);
  return [`${style.name(name)}  ${url}`, ...lines];
}

const TASK_COLUMNS: readonly Column[] = [
  { title: "  TASK" },
  { title: "STATE" },
  { title: "FOR", align: "right" },
  { title: "PID", align: "right" },
  { title: "PORT", align: "right" },
  { title: "IN-FLIGHT", align: "right" },
  { title: "CPU", align: "right" },
  { title: "RESTARTS", align: "right" },
  { title: "REVISION" },
  { title: "REASON" },
];

function serviceLines(service: ServiceStatus, { style, width, wallMs }: View): string[] {
  const { name, healthy, wanted, state, autoscale, revision, message } = service;
  const range = autoscale === null ? "" : `, autoscale ${autoscale.min} to ${autoscale.max}`;
  const paint = paintOf(state, style);
  const head = `${style.name(name)}  ${healthy} of ${wanted} healthy, ${paint(state)}, revision ${revision}${range}`;
  const rows = service.tasks.map((task) => taskRow(task, wallMs, style));
  return [
    head,
    ...(message === "" ? [] : [`  ${paint(cut(message, width - 4))}`]),
    ...(rows.length === 0 ? [] : table(TASK_COLUMNS, rows, width - 2, style.dim)),
  ];
}

function taskRow(task: TaskStatus, wallMs: number, style: Style): Cell[] {
  return [
    `  ${task.id}`,
    { text: task.state, paint: paintOf(task.state, style) },
    ago(task.since, wallMs),
    task.pid === null ? NONE : `${task.pid}`,
    task.port === null ? NONE : `${task.port}`,
    count(task.inFlight),
    percent(task.cpu),
    `${task.restarts}`,
    task.revision,
    task.reason,
  ];
}

const SERVER_COLUMNS: readonly Column[] = [
  { title: "  SERVER" },
  { title: "ROLE" },
  { title: "STATE" },
  { title: "ADDRESS" },
  { title: "LAG", align: "right" },
  { title: "NOTE" },
];

function databaseLines(database: DatabaseStatus, { style, width }: View): string[] {
  const { name, router, mode, servers } = database;
  const rows = servers.map(({ name: server, role, state, address, lagBytes, note }): Cell[] => [
    `  ${server}`,
    role ?? NONE,
    { text: state, paint: paintOf(state, style) },
    address ?? NONE,
    lagBytes === null ? NONE : formatBytes(lagBytes),
    note,
  ]);
  return [
    `${style.name(name)}  router at ${router}, ${mode}`,
    ...table(SERVER_COLUMNS, rows, width - 2, style.dim),
  ];
}

const TARGET_COLUMNS: readonly Column[] = [
  { title: "  TARGET" },
  { title: "HEALTH" },
  { title: "WEIGHT", align: "right" },
  { title: "RPS", align: "right" },
  { title: "IN-FLIGHT", align: "right" },
  { title: "REQUESTS", align: "right" },
  { title: "5XX", align: "right" },
  { title: "FAILURES", align: "right" },
  { title: "TASK" },
];

function groupLines(group: GroupStatus, { style, width }: View): string[] {
  const { name, algorithm, rps, latency: times, panic } = group;
  const figures = `${count(rps)} requests/s, p50 ${latency(times.p50Ms)}, p99 ${latency(times.p99Ms)}`;
  const alarm = panic ? style.bad(", panic: too few targets are healthy, so all are used") : "";
  const rows = group.targets.map((target) => targetRow(target, style));
  return [
    `${style.name(name)}  ${algorithm}, ${figures}${alarm}`,
    ...errorLine(group.errors, style),
    ...fallbackLine(group.fallback, style),
    ...(rows.length === 0 ? [style.warn("  no targets")] : table(TARGET_COLUMNS, rows, width - 2, style.dim)),
  ];
}

function errorLine(errors: Readonly<Record<string, number>>, style: Style): string[] {
  const listed = Object.entries(errors)
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, times]) => `${code} ${count(times)}`);
  return listed.length === 0 ? [] : [style.warn(`  errors: ${listed.join(", ")}`)];
}

function fallbackLine(fallback: GroupStatus["fallback"], style: Style): string[] {
  if (fallback === undefined) return [];
  const { group, requestsMax, inFlight, requests, refused } = fallback;
  const line = `  fallback: ${group}, ${count(inFlight)} of ${count(requestsMax)} in flight, ${plural(requests, "request")}, ${count(refused)} refused`;
  return [inFlight > 0 || refused > 0 ? style.warn(line) : line];
}

function targetRow(target: TargetStatus, style: Style): Cell[] {
  const word = stateOfTarget(target);
  return [
    `  ${target.id}`,
    { text: word, paint: paintOf(word, style) },
    `${target.weight}`,
    count(target.rps),
    count(target.inFlight),
    count(target.requests),
    count(target.status5xx),
    count(target.failures),
    target.task ?? "",
  ];
}

/** The one word that says whether a target gets requests, and if not, why not. */
export function stateOfTarget({ state, ejected, health }: TargetStatus): string {
  if (state === "draining") return "draining";
  return ejected ? "ejected" : health;
}

const LOOKS: Readonly<Record<string, "good" | "warn" | "bad">> = {
  healthy: "good",
  steady: "good",
  succeeded: "good",
  serving: "good",
  running: "good",
  failing: "bad",
  unhealthy: "bad",
  ejected: "bad",
  backoff: "bad",
  dead: "bad",
  crashed: "bad",
  fenced: "bad",
  "no-agent": "bad",
  failed: "bad",
  "rolling-back": "bad",
  "rolled-back": "bad",
};

/** The look of a state's word; what is under way is neither good nor bad. */
export function paintOf(state: string, style: Style): Paint {
  return style[LOOKS[state] ?? "warn"];
}
