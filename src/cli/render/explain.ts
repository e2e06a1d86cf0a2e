/** Explanations as lines: why this route, why this number of tasks. */
import type { ScaleExplanation, ScaleRecord } from "../../app/index.ts";
import { formatBytes, formatDuration } from "../../base/index.ts";
import { describeAction, describeMatch, formatAddress, type TargetGroupConfig } from "../../config/index.ts";
import type { CacheExplanation, StoredFacts } from "../../gateway/io/index.ts";
import type { ListenerRoute, RouteExplanation } from "../route-explanation.ts";
import type { Style } from "../style.ts";
import { notKeptWords, reasonWords } from "./cache-words.ts";
import { plural, timeOfDay } from "./figures.ts";

/** One paragraph for each listener. */
export function renderRoutes(explanation: RouteExplanation, style: Style): string[] {
  if (explanation.kind === "refused")
    return [style.bad(`refused before any rule: ${explanation.code}`), explanation.message];
  return explanation.routes.flatMap((route) => routeLines(route, style));
}

function routeLines({ listener, passed, rule, groups, cache }: ListenerRoute, style: Style): string[] {
  const misses = passed.map(
    ({ rule: name, condition }) => `  ${name} does not match: ${style.warn(condition)} does not hold`,
  );
  if (rule === undefined)
    return [`listener ${style.name(listener)}`, ...misses, style.bad("  no rule matches: 404 no-rule")];
  return [
    `listener ${style.name(listener)}`,
    ...misses,
    style.good(`  ${rule.name} matches (${describeMatch(rule.match)}) -> ${describeAction(rule.action)}`),
    ...groups.map((group) => `    ${groupLine(group)}`),
    ...(cache === undefined ? [] : cacheLines(cache, style).map((line) => `  ${line}`)),
  ];
}

/** What there is, then what would be done and why. */
function cacheLines(cache: CacheExplanation, style: Style): string[] {
  const { key, decision, hasLooked, stored } = cache;
  return [
    `${style.bold("cache")}  key     ${[key.url, ...key.parts].join("   ")}`,
    `       stored  ${stored === undefined ? absenceOf(cache) : factsOf(stored, cache.variants)}`,
    ...(hasLooked ? notKeptLines(cache, style) : []),
    `       now     ${decisionOf(decision, hasLooked, style)}`,
  ];
}

function absenceOf({ hasLooked, variants }: CacheExplanation): string {
  if (!hasLooked) return "unknown: no gateway runs here whose cache could be looked into";
  return variants === 0 ? "nothing" : `nothing for this request; ${plural(variants, "variant")} for others`;
}

/** "200, 1.2KiB, 12s old, fresh for 48s more, 2 tags, 1 of 3 variants (by accept-encoding)". */
function factsOf(stored: StoredFacts, variants: number): string {
  const { status, bodyBytes, freshForMs, isGuess, tags, vary } = stored;
  const left = formatDuration(Math.abs(toSeconds(freshForMs)));
  const guess = isGuess ? " (a guess from Last-Modified)" : "";
  return [
    `${status}`,
    formatBytes(bodyBytes),
    `${formatDuration(toSeconds(stored.ageMs))} old`,
    `${freshForMs > 0 ? `fresh for ${left} more` : `stale for ${left}`}${guess}`,
    ...(tags === 0 ? [] : [plural(tags, "tag")]),
    ...(vary === "" ? [] : [`${variantsOf(variants)} by ${vary.replaceAll(",", " and ")}`]),
  ].join(", ");
}

function variantsOf(variants: number): string {
  return variants === 1 ? "the only variant" : `1 of ${variants} variants`;
}

function toSeconds(ms: number): number {
  return Math.trunc(ms / 1000) * 1000;
}

function notKeptLines({ notKept, stored }: CacheExplanation, style: Style): string[] {
  if (notKept === undefined || stored !== undefined) return [];
  return [`       last    ${style.warn(`not kept, ${notKept}`)}: ${notKeptWords(notKept)}`];
}

const DECISION_WORDS: Readonly<Record<CacheExplanation["decision"]["kind"], string>> = {
  hit: "answered from the cache",
  stale: "answered from the cache, though past its time",
  revalidate: "the app is asked whether what is stored is right",
  miss: "the app answers",
  bypass: "the app answers, around the cache",
  "gateway-timeout": "answered with 504",
};

function decisionOf(
  { kind, reason }: CacheExplanation["decision"],
  hasLooked: boolean,
  style: Style,
): string {
  if (!hasLooked && kind === "miss" && reason === "absent")
    return "answered from the cache if something fresh is stored for this key; else by the app";
  const word = kind === "hit" || kind === "stale" ? style.good(kind) : style.warn(kind);
  return `${word}, ${reason}: ${DECISION_WORDS[kind]}. ${reasonWords(reason)}`;
}

function groupLine({ name, algorithm, service, targets, fallback }: TargetGroupConfig): string {
  const members =
    service === undefined
      ? targets.map(({ address }) => formatAddress(address)).join(", ")
      : `the healthy tasks of service ${service}`;
  const then =
    fallback === undefined
      ? ""
      : `; when none answers, ${fallback.group} (${fallback.requestsMax} requests at once, more get 503 fallback-full)`;
  return `${name}: ${algorithm} over ${members === "" ? "no targets: 503 no-target" : members}${then}`;
}

/** Changes of mind shown; the API has every decision for who wants them. */
const TURNS_SHOWN = 8;

/** "09:05:03  ". */
const TIME_WIDTH = 10;

/** The policy, then the decisions, newest first. */
export function renderScale(
  { service, wanted, policy, decisions }: ScaleExplanation,
  style: Style,
): string[] {
  const head = `${style.name(service)}  ${plural(wanted, "task")} wanted`;
  if (policy === null) return [head, "no autoscaling: the number is what the config or `tenfold scale` says"];
  const none = decisions.length === 0 ? ["no decisions yet"] : [];
  return [
    head,
    `policy    ${settings(policy)}`,
    ...none,
    ...turnsOf(decisions)
      .slice(0, TURNS_SHOWN)
      .flatMap((turn) => turnLines(turn, style)),
  ];
}

/** Decisions in a row that say the same: one is made every second, and most repeat the one before. */
interface Turn {
  readonly newest: ScaleRecord;
  /** Time of the oldest. */
  readonly since: string;
}

/** Newest first, as the decisions are. */
function turnsOf(decisions: readonly ScaleRecord[]): Turn[] {
  const turns: Turn[] = [];
  for (const decision of decisions) {
    const last = turns.at(-1);
    if (last !== undefined && isSame(last.newest, decision))
      turns[turns.length - 1] = { ...last, since: decision.at };
    else turns.push({ newest: decision, since: decision.at });
  }
  return turns;
}

function isSame(a: ScaleRecord, b: ScaleRecord): boolean {
  return a.from === b.from && a.to === b.to && a.reason === b.reason;
}

/** The message is the decision in words: the outcome first, then what was seen, each vote and each clamp. */
function turnLines({ newest: { at, from, to, message }, since }: Turn, style: Style): string[] {
  const [outcome = "", ...facts] = message.split("\n");
  const painted = from === to ? outcome : style.bold(outcome);
  const repeated = since === at ? "" : style.dim(`, since ${timeOfDay(since)}`);
  return [
    `${style.dim(timeOfDay(at))}  ${painted}${repeated}`,
    ...facts.map((fact) => `${" ".repeat(TIME_WIDTH)}${fact}`),
  ];
}

/** "cpu 0.7, inFlight 20, downWindow 5m", as in the config: what is not set is left out. */
function settings(policy: NonNullable<ScaleExplanation["policy"]>): string {
  return Object.entries(policy)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => setting(name, value))
    .join(", ");
}

function setting(name: string, value: unknown): string {
  if (typeof value !== "number") return `${name} ${JSON.stringify(value)}`;
  if (name.endsWith("Ms")) return `${name.slice(0, -"Ms".length)} ${formatDuration(value)}`;
  return `${name} ${Number(value.toPrecision(3))}`;
}
