/** Explanations as lines: why this route, why this number of tasks. */
import type { ScaleExplanation, ScaleRecord } from "../../app/index.ts";
import { formatAddress, type TargetGroupConfig } from "../../config/index.ts";
import type { ListenerRoute, RouteExplanation } from "../route-explanation.ts";
import type { Style } from "../style.ts";
import { describeAction, describeMatch } from "./config.ts";
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

/** Decisions shown; the API has more for who wants them. */
const DECISIONS_SHOWN = 10;

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
    ...decisions.slice(0, DECISIONS_SHOWN).flatMap((decision) => decisionLines(decision, style)),
  ];
}

/** The message is the decision in words: the outcome first, then what was seen, each vote and each clamp. */
function decisionLines({ at, from, to, message }: ScaleRecord, style: Style): string[] {
  const [outcome = "", ...facts] = message.split("\n");
  const painted = from === to ? outcome : style.bold(outcome);
  return [
    `${style.dim(timeOfDay(at))}  ${painted}`,
    ...facts.map((fact) => `${" ".repeat(TIME_WIDTH)}${fact}`),
  ];
}

/** "cpu 0.7, inFlight 20": what is not set is left out. */
function settings(record: Readonly<Record<string, unknown>>): string {
  return Object.entries(record)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(", ");
}

function shown(value: unknown): string {
  if (typeof value === "number") return `${Number(value.toPrecision(3))}`;
  return typeof value === "string" ? value : JSON.stringify(value);
}
