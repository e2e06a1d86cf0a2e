/** A good config in a few lines: what would listen, where rules lead, what would run. */
import { formatDuration } from "../../base/index.ts";
import {
  type ActionConfig,
  type Config,
  formatAddress,
  type ListenerConfig,
  type MatchConfig,
  type PathMatch,
  type ServiceConfig,
  type TargetGroupConfig,
  type ValueMatch,
} from "../../config/index.ts";
import type { Style } from "../style.ts";
import { plural } from "./figures.ts";

/** The summary that `tenfold check` prints. */
export function renderConfig(config: Config, path: string, style: Style): string[] {
  const { listeners, services } = config;
  const groups = config.targetGroups.filter((group) => group.service === undefined);
  return [
    style.good(`${path} is good`),
    ...listeners.flatMap((listener) => listenerLines(listener, style)),
    ...groups.map((group) => groupLine(group, style)),
    ...services.map((service) => serviceLine(service, style)),
    `${plural(config.gateway.workers, "gateway worker")}, admin API on ${formatAddress(config.admin.address)}`,
  ];
}

function listenerLines({ name, address, protocol, rules }: ListenerConfig, style: Style): string[] {
  const head = `listener ${style.name(name)}  ${protocol}://${formatAddress(address)}`;
  return [
    head,
    ...rules.map(({ match, action }) => `  ${describeMatch(match)} -> ${describeAction(action)}`),
  ];
}

function groupLine({ name, algorithm, targets, health }: TargetGroupConfig, style: Style): string {
  const checks =
    health === undefined ? "no checks" : `${health.kind} checks every ${formatDuration(health.intervalMs)}`;
  return `group ${style.name(name)}  ${algorithm}, ${plural(targets.length, "target")}, ${checks}`;
}

function serviceLine({ name, command, tasks, autoscale, health }: ServiceConfig, style: Style): string {
  const range = autoscale === undefined ? "" : `, autoscale ${autoscale.min} to ${autoscale.max}`;
  const ready = health.kind === "http" ? `ready at ${health.path}` : "ready when it listens";
  return `service ${style.name(name)}  ${plural(tasks, "task")}${range}, ${ready}: ${command.join(" ")}`;
}

/** All conditions of a rule in words; "everything" when there are none. */
export function describeMatch(match: MatchConfig): string {
  const conditions = [
    ...alternatives("", match.methods),
    ...alternatives("host ", match.hosts),
    ...alternatives("", match.paths.map(describePath)),
    ...match.headers.map(({ name, value }) => `header ${name} ${describeValue(value)}`),
    ...match.queries.map(({ name, value }) => `query ${name} ${describeValue(value)}`),
    ...alternatives("from ", match.sourceIps),
  ];
  return conditions.length === 0 ? "everything" : conditions.join(", ");
}

/** A rule's action in words. */
export function describeAction(action: ActionConfig): string {
  switch (action.kind) {
    case "forward":
      return action.groups
        .map(({ group, weight }) => (action.groups.length === 1 ? group : `${group} (${weight})`))
        .join(", ");
    case "redirect":
      return `redirect ${action.status} ${action.location}`;
    case "respond":
      return `respond ${action.status}`;
  }
}

function alternatives(prefix: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [`${prefix}${words.join(" or ")}`];
}

function describePath(path: PathMatch): string {
  switch (path.kind) {
    case "exact":
      return path.path;
    case "prefix":
      return `${path.path}/*`;
    case "glob":
    case "regex":
      return `~ ${path.source}`;
  }
}

function describeValue(value: ValueMatch): string {
  switch (value.kind) {
    case "present":
      return "is there";
    case "absent":
      return "is not there";
    case "exact":
      return `is "${value.value}"`;
    case "regex":
      return `~ ${value.source}`;
  }
}
