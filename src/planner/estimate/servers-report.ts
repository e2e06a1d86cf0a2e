/** How many servers a rate of requests takes: the floor, the target, and one to spare. */
import { figure } from "../report/figure.ts";
import type { Report, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { serversFor } from "./estimate.ts";
import { DEFAULTS, type Workload } from "./workload.ts";

/** The three answers with what went into them. */
export function serverTable(workload: Workload, rps: number): Table {
  const servers = serversFor(rps, workload);
  const { cpuMs, coresPerServer, busyTarget, spareServers } = workload;
  const inputs: [string, number, "perSecond" | "ms" | "count" | "share"][] = [
    ["requests that reach them at the peak", rps, "perSecond"],
    ["CPU", cpuMs, "ms"],
    ["cores per server", coresPerServer, "count"],
    ["busy target", busyTarget, "share"],
    ["spare", spareServers, "count"],
  ];
  return valueTable("Servers", [
    figure({
      key: "originPeakRps",
      label: "requests that reach them at the peak",
      value: rps,
      unit: "perSecond",
      formula: "(reads x (1 - CDN share) + writes) x peak",
    }),
    figure({
      key: "cores",
      label: "cores that are busy",
      value: servers.cores,
      unit: "cores",
      formula: "rate x CPU",
      inputs,
      source: "utilisation law",
    }),
    figure({
      key: "serversFloor",
      label: "servers, all cores 100 % busy (a floor: queues without end)",
      value: servers.floor,
      unit: "count",
      formula: "ceil(cores / cores per server)",
      inputs,
    }),
    figure({
      key: "serversTarget",
      label: `servers at ${formatNumber(busyTarget, "share")} busy`,
      value: servers.target,
      unit: "count",
      formula: "ceil(cores / (cores per server x busy target))",
      inputs,
    }),
    figure({
      key: "serversWithSpare",
      label: `servers with ${spareServers} to spare`,
      value: servers.withSpare,
      unit: "count",
      formula: "that + spare",
      inputs,
    }),
  ]);
}

/** Cores and servers for one rate: the textbook's question. */
export function cpuReport(rps: number, over: Partial<Workload>): Report {
  const workload: Workload = { ...DEFAULTS, name: "cpu", users: 0, actions: [], ...over };
  const servers = serversFor(rps, workload);
  return {
    title: `${formatNumber(rps, "perSecond")} of ${formatNumber(workload.cpuMs, "ms")} CPU`,
    answer: [
      `${formatNumber(servers.cores, "cores")} cores: ${servers.floor} servers of ${workload.coresPerServer} as the floor, ${servers.target} at ${formatNumber(workload.busyTarget, "share")} busy, ${servers.withSpare} with ${workload.spareServers} to spare.`,
      "The floor has queues without end; plan with the last number.",
    ],
    sections: [serverTable(workload, rps)],
  };
}
