/** An estimate as a report: the answer, then every figure exact and in one's head, then what was assumed. */
import type { ServiceObjective } from "../queueing/index.ts";
import type { Notes, Report } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { bandwidthTable } from "./bandwidth-report.ts";
import { costsTable } from "./costs-report.ts";
import { databasesTable } from "./databases-report.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Prices } from "./prices.ts";
import { ratesTable } from "./rates-report.ts";
import { answerServers, type ServersQuestion } from "./servers.ts";
import { inTimeSentences } from "./servers-report.ts";
import { type Came, serversTable } from "./servers-table.ts";
import { storageTable } from "./storage-report.ts";
import { copiesText, counted, grouped, yearsText } from "./text.ts";
import { verdictOf } from "./verdict.ts";
import { type Load, loadsOf, type Workload } from "./workload.ts";

/** The whole estimate of one workload; with an objective, also the servers that keep it. */
export function estimateReport(workload: Workload, prices: Prices, objective?: ServiceObjective): Report {
  const result = estimate(workload, prices);
  const question: ServersQuestion = {
    ...workload,
    rateRps: result.rates.originRps,
    cpuMs: result.rates.cpuMs,
    ...(objective === undefined ? {} : { objective }),
  };
  const servers = answerServers(question);
  return {
    title: titleOf(workload),
    answer: [
      loadSentence(workload, result),
      serverSentence(workload, result, prices),
      ...inTimeSentences(question, servers),
      ...growthSentences(workload, result),
      ...verdictOf(workload, result),
    ],
    sections: [
      ratesTable(workload, result.rates),
      ...(keepsAnything(result) ? [storageTable(workload, result)] : []),
      bandwidthTable(workload, result.bandwidth),
      serversTable(question, servers, originOf(result)),
      databasesTable(workload, result),
      costsTable(workload, result, prices),
      assumptions(workload),
    ],
  };
}

function keepsAnything({ storage }: Estimate): boolean {
  return storage.rowsPerDay + storage.filesPerDay > 0;
}

function titleOf({ name, users }: Workload): string {
  return users === 0 ? name : `${name}: ${formatNumber(users, "count")} users a day`;
}

function loadSentence({ years, copies }: Workload, { rates, storage }: Estimate): string {
  const { peakReadRps, peakWriteRps } = rates;
  const kept =
    storage.keptCopied > 0
      ? `; ${formatNumber(storage.keptCopied, "bytes", 3)} kept after ${yearsText(years)} in ${copiesText(copies)}`
      : "";
  return `${formatNumber(peakReadRps, "perSecond", 3)} reads and ${formatNumber(peakWriteRps, "perSecond", 3)} writes at the peak${kept}.`;
}

function serverSentence(workload: Workload, { servers, costs }: Estimate, { currency }: Prices): string {
  const { coresPerServer, busyTarget, spareServers } = workload;
  return `${counted(servers.withSpare, "server")} of ${counted(coresPerServer, "core")}, ${formatNumber(busyTarget, "share")} busy and ${spareServers} to spare (the floor is ${grouped(servers.floor)}); about ${formatNumber(Number(costs.total.toPrecision(2)), "money")} ${currency} a month in the first year.`;
}

/** Servers are bought as they are needed, so the first year's are the answer; but the reader is told what comes. */
function growthSentences(workload: Workload, { rates }: Estimate): string[] {
  const { growth, years } = workload;
  if (growth === 0) return [];
  const later = answerServers({ ...workload, cpuMs: rates.cpuMs, rateRps: rates.originRps * rates.grown });
  return [
    `At ${formatNumber(growth, "share")} growth a year the traffic is ${formatNumber(rates.grown, "ratio", 2)} times as much after ${yearsText(years)}: ${counted(later.servers.withSpare, "server")}.`,
  ];
}

function originOf({ rates }: Estimate): Came {
  return {
    formula: "reads at the peak, past the CDN + writes at the peak",
    inputs: [
      ["reads past the CDN", rates.originReadRps, "perSecond"],
      ["writes", rates.peakWriteRps, "perSecond"],
    ],
  };
}

function assumptions(workload: Workload): Notes {
  const { peak, cdnShare } = workload;
  const cdn =
    cdnShare > 0
      ? `, ${formatNumber(cdnShare, "share")} by a CDN where an action does not say otherwise`
      : "";
  return {
    kind: "notes",
    title: "Assumed",
    lines: [
      ...loadsOf(workload).map(loadLine),
      `the busiest moment has ${formatNumber(peak, "ratio")} times the mean${cdn}`,
      "files come from an object store, past the servers; headers, indexes, logs and retries are not counted: add what you measure",
    ],
  };
}

function loadLine({
  name,
  kind,
  times,
  per,
  storedBytes,
  answerBytes,
  cpuMs,
  cdnShare,
  attachment,
}: Load): string {
  return [
    `${name}: ${kind}s, ${formatNumber(times, "ratio")} a ${per}`,
    ...(storedBytes > 0 ? [`${formatNumber(storedBytes, "bytes")} kept`] : []),
    ...(answerBytes > 0 ? [`${formatNumber(answerBytes, "bytes")} sent`] : []),
    ...(attachment === undefined
      ? []
      : [
          `${formatNumber(attachment.share, "share")} with a file of ${formatNumber(attachment.bytes, "bytes")}`,
        ]),
    `${formatNumber(cpuMs, "ms")} of CPU`,
    ...(cdnShare > 0 ? [`${formatNumber(cdnShare, "share")} by the CDN`] : []),
  ].join(", ");
}
