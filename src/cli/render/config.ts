/** A good config in a few lines: what would listen, where rules lead, what would run. */
import { formatDuration } from "../../base/index.ts";
import {
  type Config,
  type DatabaseConfig,
  describeAction,
  describeMatch,
  formatAddress,
  type ListenerConfig,
  type ServiceConfig,
  type SteeringConfig,
  type TargetGroupConfig,
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
    ...config.databases.map((database) => databaseLine(database, style)),
    ...(config.steering === undefined ? [] : [steeringLine(config.steering, style)]),
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

function steeringLine({ zone, address, edges, regions }: SteeringConfig, style: Style): string {
  const names = edges.map(({ name, region }) => `${name} in ${region}`).join(", ");
  const where = `${plural(regions.length, "region")}, DNS on ${formatAddress(address)}`;
  return `steering ${style.name(zone)}  ${names}; ${where}`;
}

function databaseLine(database: DatabaseConfig, style: Style): string {
  const { name, url, replicaUrls, replicas, witness, address, mode, consistency } = database;
  const copies = plural(url === undefined ? replicas : replicaUrls.length, "replica");
  const servers = witness ? `a primary, ${copies} and a witness` : `a primary and ${copies}`;
  const where = url === undefined ? `, ${mode}` : ", elsewhere";
  const router = `router on ${formatAddress(address)}, reads: ${consistency}`;
  return `database ${style.name(name)}  ${servers}${where}, ${router}`;
}

function serviceLine({ name, command, tasks, autoscale, health }: ServiceConfig, style: Style): string {
  const range = autoscale === undefined ? "" : `, autoscale ${autoscale.min} to ${autoscale.max}`;
  const ready = health.kind === "http" ? `ready at ${health.path}` : "ready when it listens";
  return `service ${style.name(name)}  ${plural(tasks, "task")}${range}, ${ready}: ${command.join(" ")}`;
}
