/** Answers about one queue as reports: each number with its formula. */
import { figure } from "../report/figure.ts";
import type { Report, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { boundedReport } from "./bounded-report.ts";
import { type Ggc, ggc } from "./ggc.ts";
import { inputsOf, isMarkov, type QueueQuestion } from "./question.ts";
import { keeps, SERVERS_MAX, type ServiceObjective, serversFor, serversMin } from "./staffing.ts";
import { fullAfterMs, type Unstable } from "./steady.ts";
import { curve, doubts, serversTable, steadyTable } from "./tables.ts";
import { responseQuantile } from "./tails.ts";

/** A queue as long as this counts as full when it grows without end: a gateway's default bound. */
const QUEUE_SHOWN = 1000;

/** The whole answer about one queue. */
export function queueReport(question: QueueQuestion): Report {
  if (question.capacity !== undefined) return boundedReport(question, question.capacity);
  const queue = ggc(question);
  if (queue.kind === "unstable") return unstableReport(question, queue);
  const { rateRps, serviceMs, servers } = question;
  return {
    title: `${modelName(question)}: ${formatNumber(rateRps, "perSecond")}, ${formatNumber(serviceMs, "ms")} each, ${serversText(servers)}`,
    answer: answerOf(question, queue),
    sections: [steadyTable(question, queue), ...doubts(question), serversTable(question), curve(question)],
  };
}

function modelName({ arrivalCv, serviceCv, servers }: QueueQuestion): string {
  return `${letterOf(arrivalCv)}/${letterOf(serviceCv)}/${servers}`;
}

/** Kendall's letters: deterministic, Markov, general. */
function letterOf(cv: number): string {
  if (cv === 0) return "D";
  return cv === 1 ? "M" : "G";
}

function answerOf(question: QueueQuestion, queue: Ggc): string[] {
  const share = (value: number): string => formatNumber(value, "share", 3);
  const about = aboutOf(question);
  const p99 = formatNumber(responseQuantile(queue, 0.99), "ms", isMarkov(question) ? 3 : 2);
  return [
    `${question.servers === 1 ? "The server is" : "The servers are"} ${share(queue.utilisation)} busy.`,
    capital(
      `${about}${share(queue.waitShare)} of the requests wait; 99 % are answered within ${about}${p99}.`,
    ),
    ...(question.objective === undefined ? [] : [objectiveSentence(question, queue, question.objective)]),
  ];
}

function objectiveSentence(question: QueueQuestion, queue: Ggc, objective: ServiceObjective): string {
  const staffing = serversFor(question, objective);
  if (staffing.kind !== "servers") return staffingSentence(question, objective);
  const [asked, wish] = [serversText(question.servers), objectiveText(objective)];
  if (staffing.servers === question.servers) return `${capital(asked)}: no fewer keep ${wish}.`;
  return keeps(queue, objective)
    ? `${capital(asked)}: ${wish} is kept; ${aboutOf(question)}${staffing.servers} would do.`
    : `${capital(asked)}: ${wish} is broken; it needs ${aboutOf(question)}${staffing.servers}.`;
}

function staffingSentence(question: QueueQuestion, objective: ServiceObjective): string {
  const wish = objectiveText(objective);
  const staffing = serversFor(question, objective);
  switch (staffing.kind) {
    case "servers":
      return `${capital(wish)} needs ${aboutOf(question)}${serversText(staffing.servers)}.`;
    case "never":
      return `No number of servers keeps ${wish}: the service alone takes too long. Make it faster, or ask for less.`;
    case "too-many":
      return `${capital(wish)} needs more than ${formatNumber(SERVERS_MAX, "count")} servers: check the units of rate and time.`;
  }
}

/** "about " where the model is an approximation. */
function aboutOf(question: QueueQuestion): string {
  return isMarkov(question) ? "" : "about ";
}

/** Servers to look at when none were named: as many as the objective needs, else as keep up, else one. */
export function serversAsked(question: QueueQuestion): number {
  if (question.objective === undefined) return 1;
  const staffing = serversFor(question, question.objective);
  return staffing.kind === "servers" ? staffing.servers : Math.min(serversMin(question), SERVERS_MAX);
}

/** The objective in words. */
export function objectiveText(objective: ServiceObjective): string {
  switch (objective.kind) {
    case "wait-share":
      return `a wait for at most ${formatNumber(objective.share, "share")}`;
    case "mean":
      return `a mean of at most ${formatNumber(objective.ms, "ms")}`;
    case "quantile":
      return `a p${Number((objective.q * 100).toPrecision(6))} of at most ${formatNumber(objective.ms, "ms")}`;
  }
}

function serversText(servers: number): string {
  return servers === 1 ? "1 server" : `${formatNumber(servers, "count")} servers`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function unstableReport(question: QueueQuestion, queue: Unstable): Report {
  const { rateRps, serviceMs, servers, objective } = question;
  const growth =
    queue.growthRps === 0
      ? "At exactly 100 % chance alone makes the queue longer and longer."
      : `The queue grows by ${formatNumber(queue.growthRps, "perSecond")}, and is ${formatNumber(QUEUE_SHOWN, "count")} long after ${formatNumber(fullAfterMs(queue, QUEUE_SHOWN), "ms", 3)}.`;
  return {
    title: `${serversText(servers)} cannot keep up with ${formatNumber(rateRps, "perSecond")} of ${formatNumber(serviceMs, "ms")}`,
    answer: [
      `Utilisation would be ${formatNumber(queue.utilisation, "share", 4)}: there is no steady state. ${growth}`,
      `Use at least ${serversText(serversMin(question))}, make requests cheaper, or turn some away (--capacity).`,
      ...(objective === undefined ? [] : [staffingSentence(question, objective)]),
    ],
    sections: [overloadTable(question, queue)],
  };
}

function overloadTable(question: QueueQuestion, queue: Unstable): Table {
  const inputs = inputsOf(question);
  return valueTable("Overload", [
    figure({
      key: "utilisation",
      label: "utilisation",
      value: queue.utilisation,
      unit: "share",
      formula: "rate x time / servers",
      inputs,
    }),
    figure({
      key: "growthRps",
      label: "growth of the queue",
      value: queue.growthRps,
      unit: "perSecond",
      formula: "rate - servers / time",
      inputs,
    }),
    figure({
      key: "fullAfterMs",
      label: `until ${formatNumber(QUEUE_SHOWN, "count")} wait`,
      value: fullAfterMs(queue, QUEUE_SHOWN),
      unit: "ms",
      formula: "queue / growth",
      inputs: [
        ["queue", QUEUE_SHOWN, "count"],
        ["growth", queue.growthRps, "perSecond"],
      ],
    }),
    figure({
      key: "serversMin",
      label: "fewest servers that keep up",
      value: serversMin(question),
      unit: "count",
      formula: "floor(rate x time) + 1",
      inputs,
    }),
  ]);
}
