/** Explanations as lines: why this route, why this number of tasks. */
import type { ScaleExplanation, ScaleRecord } from "../../app/index.ts";
import { formatDuration } from "../../base/index.ts";
import { describeAction, describeMatch, formatAddress, type TargetGroupConfig } from "../../config/index.ts";
import type { ListenerRoute, RouteExplanation } from "../route-explanation.ts";
import type { Style } from "../style.ts";
import { plural, timeOfDay } from "./figures.ts";

/** One paragraph for each listener. */
export function renderRoutes(explanation: RouteExplanation, style: Style): string[] {
  if (explanation.kind === "refused")
    return [style.bad(`refused before any rule: ${explanation.code}`), explanation.message];
  return explanation.routes.flatMap((route) => routeLines(route, style));
}

function routeLines({ listener, passed, rule, groups }: ListenerRoute, style: Style): string[] {
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
  ];
}

function groupLine({ name, algorithm, service, targets }: TargetGroupConfig): string {
  const members =
    service === undefined
      ? targets.map(({ address }) => formatAddress(address)).join(", ")
      : `the healthy tasks of service ${service}`;
  return `${name}: ${algorithm} over ${members === "" ? "no targets: 503 no-target" : members}`;
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
