/**
 * `tenfold top` as lines: pure, from the last two readings, for a screen of a given size.
 *
 * What matters most stands first and is never cut: the controller, the listeners, one line for each group and
 * service, the errors with their reasons. Targets and events share the rows that are left.
 */
import type { CacheStatus, EventRecord, GroupStatus, ServiceStatus, Status } from "../../app/index.ts";
import { formatBytes } from "../../base/index.ts";
import { GATEWAY_ERRORS } from "../../gateway/index.ts";
import { REQUEST_ERRORS } from "../../http/index.ts";
import { eventLine } from "../events.ts";
import type { Style } from "../style.ts";
import { cacheLine, cachePage, cacheRps } from "./cache.ts";
import { ago, count, latency, NONE, percent, plural, timeOfDay } from "./figures.ts";
import { paintOf, stateOfTarget } from "./status.ts";
import { type Cell, type Column, cut, table } from "./table.ts";

/** A status and when it was read. */
export interface Reading {
  readonly status: Status;
  readonly wallMs: number;
}

/** What targets are sorted by; `s` goes round. */
export const SORTS = ["name", "rps", "in-flight", "failures"] as const;

/** One of `SORTS`. */
export type Sort = (typeof SORTS)[number];

/** What is shown: everything, or the cache alone. */
export type Page = "all" | "cache";

/** All that the picture is made of. */
export interface TopView {
  readonly reading: Reading;
  /** The one before, for rates of errors. */
  readonly previous?: Reading;
  /** Oldest first. */
  readonly events: readonly EventRecord[];
  /** Since when the controller does not answer. */
  readonly awaySinceMs?: number;
  readonly paused: boolean;
  readonly sort: Sort;
  readonly page: Page;
}

/** Size and looks of the screen. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
  readonly wallMs: number;
}

/** Errors shown; the rest is in `/metrics`. */
const ERRORS_SHOWN_MAX = 5;

/** Rows that events get before targets take them. */
const EVENTS_WANTED = 4;

/** At most `rows` lines, each at most `columns` wide. */
export function renderTop(view: TopView, screen: Screen): string[] {
  const { gateway, services } = view.reading.status;
  if (view.page === "cache" && gateway.cache !== null) return renderCache(view, gateway.cache, screen);
  const head = [...headLines(view, screen), ...listenerLines(view.reading.status, screen)];
  const serviceLines = services.length === 0 ? [] : ["", ...servicesTable(services, screen)];
  const errors = errorLines(view, screen);
  const cache = cacheLines(gateway.cache, screen);
  const fixed =
    head.length + cache.length + serviceLines.length + errors.length + gateway.groups.length + FRAME_ROWS;
  const spare = Math.max(0, screen.rows - fixed);
  const perGroup = Math.floor(Math.max(0, spare - EVENTS_WANTED) / Math.max(1, gateway.groups.length));
  const groups = groupsTable(gateway.groups, perGroup, view.sort, screen);
  const above = [...head, "", ...groups, ...cache, ...serviceLines, ...errors];
  const events = eventLines(view.events, screen.rows - above.length - 1, screen);
  const lines = [...above, ...events].slice(0, Math.max(0, screen.rows - 1));
  return [...lines, footer(view, screen)].map((line) => cut(line, screen.columns));
}

function renderCache(view: TopView, cache: CacheStatus, screen: Screen): string[] {
  const page = cachePage(cache, screen.style, screen.columns);
  const lines = [...headLines(view, screen), "", ...page].slice(0, Math.max(0, screen.rows - 1));
  return [...lines, footer(view, screen)].map((line) => cut(line, screen.columns));
}

function cacheLines(cache: CacheStatus | null, { style }: Screen): string[] {
  if (cache === null) return [];
  const saved = `${formatBytes(cache.servedBytes)} saved`;
  return ["", `${style.name("cache")}  ${count(cacheRps(cache))} requests/s; ${cacheLine(cache)}; ${saved}`];
}

/** Blank lines, the groups' titles, and the footer. */
const FRAME_ROWS = 3;

function headLines({ reading, awaySinceMs }: TopView, { style, wallMs }: Screen): string[] {
  const { controller, gateway, version } = reading.status;
  const clock = timeOfDay(new Date(wallMs).toISOString());
  if (awaySinceMs !== undefined) {
    const since = new Date(awaySinceMs).toISOString();
    return [
      `${style.bold("tenfold")}  ${style.bad(`controller away for ${ago(since, wallMs)}`)}, since ${timeOfDay(since)}  ${clock}`,
      style.warn(
        "gateway and tasks may go on; below is the last that was seen. `tenfold up` starts it again",
      ),
    ];
  }
  const serving = gateway.workers.filter(({ state }) => state === "serving").length;
  const connections = gateway.workers.reduce((sum, worker) => sum + worker.connections, 0);
  const workers = `${serving}/${gateway.workers.length} workers`;
  const painted = serving === gateway.workers.length ? workers : style.bad(workers);
  const { state, since, pid, revision, problem } = controller;
  return [
    `${style.bold("tenfold")} ${version}  ${state} for ${ago(since, wallMs)}, pid ${pid}, revision ${revision}  ` +
      `${painted}, ${plural(connections, "connection")}  ${clock}`,
    ...(problem === null ? [] : [style.bad(problem)]),
  ];
}

function listenerLines({ gateway }: Status, { style }: Screen): string[] {
  return gateway.listeners.map(
    ({ name, url, rules }) => `${style.name(name)}  ${url}  ${plural(rules.length, "rule")}`,
  );
}

const GROUP_COLUMNS: readonly Column[] = [
  { title: "GROUP / TARGET" },
  { title: "HEALTH" },
  { title: "REQ/S", align: "right" },
  { title: "P50", align: "right" },
  { title: "P99", align: "right" },
  { title: "IN-FLIGHT", align: "right" },
  { title: "WEIGHT", align: "right" },
  { title: "5XX", align: "right" },
  { title: "FAILURES", align: "right" },
  { title: "TASK" },
];

function groupsTable(
  groups: readonly GroupStatus[],
  targetRows: number,
  sort: Sort,
  screen: Screen,
): string[] {
  const { style, columns } = screen;
  if (groups.length === 0) return [style.dim("no target groups")];
  const rows = groups.flatMap((group) => [
    groupRow(group, style),
    ...targetRowsOf(group, targetRows, sort, style),
  ]);
  return table(GROUP_COLUMNS, rows, columns, style.dim);
}

function groupRow(group: GroupStatus, style: Style): Cell[] {
  const { name, targets, panic, rps, inFlight, latency: times, statuses, algorithm } = group;
  const healthy = targets.filter((target) => stateOfTarget(target) === "healthy").length;
  const health = panic ? `${healthy}/${targets.length} panic` : `${healthy}/${targets.length}`;
  return [
    { text: name, paint: style.name },
    { text: health, paint: panic || targets.length === 0 ? style.bad : (text) => text },
    count(rps),
    latency(times.p50Ms),
    latency(times.p99Ms),
    count(inFlight),
    "",
    count(statuses[4] ?? 0),
    count(Object.values(group.errors).reduce((sum, times5) => sum + times5, 0)),
    { text: algorithm, paint: style.dim },
  ];
}

type Target = GroupStatus["targets"][number];

const COMPARE: Readonly<Record<Sort, (a: Target, b: Target) => number>> = {
  name: (a, b) => a.id.localeCompare(b.id, "en", { numeric: true }),
  rps: (a, b) => b.rps - a.rps,
  "in-flight": (a, b) => b.inFlight - a.inFlight,
  failures: (a, b) => b.failures + b.status5xx - a.failures - a.status5xx,
};

/** At most `rowsMax` rows; when that is too few, the last says how many targets are not shown. */
function targetRowsOf({ targets }: GroupStatus, rowsMax: number, sort: Sort, style: Style): Cell[][] {
  const sorted = targets.toSorted((a, b) => COMPARE[sort](a, b) || COMPARE.name(a, b));
  if (sorted.length <= rowsMax) return sorted.map((target) => targetRow(target, style));
  if (rowsMax === 0) return [];
  const shown = sorted.slice(0, rowsMax - 1).map((target) => targetRow(target, style));
  return [...shown, [{ text: `  … ${sorted.length - rowsMax + 1} more`, paint: style.dim }]];
}

function targetRow(target: Target, style: Style): Cell[] {
  const word = stateOfTarget(target);
  return [
    `  ${target.id}`,
    { text: word, paint: paintOf(word, style) },
    count(target.rps),
    "",
    "",
    count(target.inFlight),
    `${target.weight}`,
    count(target.status5xx),
    count(target.failures),
    target.task ?? "",
  ];
}

const SERVICE_COLUMNS: readonly Column[] = [
  { title: "SERVICE" },
  { title: "HEALTHY", align: "right" },
  { title: "WANTED", align: "right" },
  { title: "CPU", align: "right" },
  { title: "STATE" },
  { title: "MESSAGE" },
];

function servicesTable(services: readonly ServiceStatus[], { style, columns }: Screen): string[] {
  const rows = services.map((service): Cell[] => {
    const { name, healthy, wanted, state, message } = service;
    return [
      { text: name, paint: style.name },
      { text: `${healthy}`, paint: healthy < wanted ? style.warn : (text) => text },
      `${wanted}`,
      percent(cpuOf(service)),
      { text: state, paint: paintOf(state, style) },
      message,
    ];
  });
  return table(SERVICE_COLUMNS, rows, columns, style.dim);
}

/** The mean over its tasks, as autoscaling sees it. */
function cpuOf({ tasks }: ServiceStatus): number | null {
  const known = tasks.flatMap(({ cpu }) => (cpu === null ? [] : [cpu]));
  return known.length === 0 ? null : known.reduce((sum, share) => sum + share, 0) / known.length;
}

interface ErrorCount {
  readonly code: string;
  readonly group: string;
  readonly total: number;
  readonly perSecond: number;
}

const ERROR_COLUMNS: readonly Column[] = [
  { title: "ERROR" },
  { title: "/S", align: "right" },
  { title: "TOTAL", align: "right" },
  { title: "GROUP" },
  { title: "MEANING" },
];

function errorLines(view: TopView, { style, columns }: Screen): string[] {
  const errors = countErrors(view)
    .toSorted((a, b) => b.perSecond - a.perSecond || b.total - a.total)
    .slice(0, ERRORS_SHOWN_MAX);
  if (errors.length === 0) return [];
  const rows = errors.map(({ code, perSecond, total, group }): Cell[] => [
    { text: code, paint: perSecond > 0 ? style.bad : style.warn },
    count(perSecond),
    count(total),
    group,
    { text: meaningOf(code), paint: style.dim },
  ]);
  return ["", ...table(ERROR_COLUMNS, rows, columns, style.dim)];
}

function countErrors({ reading, previous }: TopView): ErrorCount[] {
  const seconds = previous === undefined ? 0 : (reading.wallMs - previous.wallMs) / 1000;
  const before = new Map(
    previous === undefined ? [] : totalsOf(previous.status).map((row) => [keyOf(row), row.total]),
  );
  return totalsOf(reading.status).map((row) => {
    const grown = Math.max(0, row.total - (before.get(keyOf(row)) ?? 0));
    return { ...row, perSecond: seconds > 0 ? grown / seconds : 0 };
  });
}

type ErrorTotal = Omit<ErrorCount, "perSecond">;

function totalsOf({ gateway }: Status): ErrorTotal[] {
  const sources = [...gateway.groups, { name: NONE, errors: gateway.noGroup.errors }];
  return sources.flatMap(({ name, errors }) =>
    Object.entries(errors).map(([code, total]) => ({ code, group: name, total })),
  );
}

function keyOf({ code, group }: ErrorTotal): string {
  return `${group} ${code}`;
}

const MEANINGS: Readonly<Record<string, { readonly message: string } | undefined>> = {
  ...REQUEST_ERRORS,
  ...GATEWAY_ERRORS,
};

function meaningOf(code: string): string {
  return MEANINGS[code]?.message ?? "";
}

/** The newest events that fit, oldest first. */
function eventLines(events: readonly EventRecord[], rows: number, { style }: Screen): string[] {
  const room = rows - 1;
  if (room <= 0 || events.length === 0) return [];
  return ["", ...events.slice(-room).map((event) => eventLine(event, style))];
}

function footer({ paused, sort, page, reading }: TopView, { style }: Screen): string {
  const state = paused ? `${style.warn("paused")}   ` : "";
  const hasCache = reading.status.gateway.cache !== null;
  const other = page === "cache" ? "c all" : "c cache";
  const sorts = page === "cache" && hasCache ? [] : [`s sort: ${sort}`];
  const keys = ["q quit", "p pause", ...(hasCache ? [other] : []), ...sorts];
  return `${state}${style.dim(keys.join("   "))}`;
}
