/** Answers about queues as reports: each number with its formula. */
import { figure } from "../report/figure.ts";
import type { Report, Section } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { boundedReport } from "./bounded-report.ts";
import { type Mmc, mmc, responseQuantile } from "./mmc.ts";
import { inputsOf, type QueueQuestion } from "./question.ts";
import { type ServiceObjective, serversFor } from "./staffing.ts";
import { fullAfterMs, type Unstable } from "./steady.ts";
import { curve, generalTable, markovTable, serversTable } from "./tables.ts";

/** A queue as long as this counts as full when it grows without end: a gateway's default bound. */
const QUEUE_SHOWN = 1000;

/** The whole answer about one queue. */
export function queueReport(question: QueueQuestion): Report {
  const queue = mmc(question);
  if (question.capacity !== undefined) return boundedReport(question, question.capacity);
  if (queue.kind === "unstable") return unstableReport(question, queue);
  const isMarkov = question.arrivalCv === 1 && question.serviceCv === 1;
  const sections: Section[] = [isMarkov ? markovTable(queue) : generalTable(question)];
  if (isMarkov) sections.push(serversTable(question), curve(question));
  return {
    title: `${modelName(question)}: ${formatNumber(question.rateRps, "perSecond")}, ${formatNumber(question.serviceMs, "ms")} each, ${question.servers} servers`,
    answer: answerOf(question, queue, isMarkov),
    sections,
  };
}

function modelName({ arrivalCv, serviceCv, servers }: QueueQuestion): string {
  const arrivals = arrivalCv === 1 ? "M" : "G";
  const services = serviceCv === 1 ? "M" : "G";
  return `${arrivals}/${services}/${servers}`;
}

function answerOf(question: QueueQuestion, queue: Mmc, isMarkov: boolean): string[] {
  const busy = formatNumber(queue.utilisation, "share", 3);
  const lines = [`The servers are ${busy} busy.`];
  if (isMarkov) {
    const waits = formatNumber(queue.waitShare, "share", 3);
    const p99 = formatNumber(responseQuantile(queue, 0.99), "ms", 3);
    lines.push(`${waits} of the requests wait; 99 % are answered within ${p99}.`);
  }
  if (question.objective !== undefined) lines.push(staffingSentence(question, question.objective));
  return lines;
}

function staffingSentence({ rateRps, serviceMs }: QueueQuestion, objective: ServiceObjective): string {
  const wish = objectiveText(objective);
  const servers = serversFor(rateRps, serviceMs, objective);
  if (servers === undefined)
    return `No number of servers keeps ${wish}: the service alone takes too long. Make it faster, or ask for less.`;
  return `${wish} needs ${servers} servers.`;
}

/** The objective in words. */
export function objectiveText(objective: ServiceObjective): string {
  switch (objective.kind) {
    case "wait-share":
      return `a wait for at most ${formatNumber(objective.share, "share")}`;
    case "mean":
      return `a mean of at most ${formatNumber(objective.ms, "ms")}`;
    case "quantile":
      return `p${Number((objective.q * 100).toPrecision(6))} of at most ${formatNumber(objective.ms, "ms")}`;
  }
}

function unstableReport(question: QueueQuestion, queue: Unstable): Report {
  const { rateRps, serviceMs, servers } = question;
  const inputs = inputsOf(question);
  const least = Math.floor((rateRps * serviceMs) / 1000) + 1;
  const growth =
    queue.growthRps === 0
      ? "At exactly 100 % chance alone makes the queue longer and longer."
      : `It grows by ${formatNumber(queue.growthRps, "perSecond")}, and is ${QUEUE_SHOWN} long after ${formatNumber(fullAfterMs(queue, QUEUE_SHOWN), "ms", 3)}.`;
  return {
    title: `${servers} servers cannot keep up with ${formatNumber(rateRps, "perSecond")} of ${formatNumber(serviceMs, "ms")}`,
    answer: [
      `Utilisation would be ${formatNumber(queue.utilisation, "share", 4)}: there is no steady state. ${growth}`,
      `Use at least ${least} servers, make requests cheaper, or turn some away (--capacity).`,
      ...(question.objective === undefined ? [] : [staffingSentence(question, question.objective)]),
    ],
    sections: [
      valueTable("Overload", [
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
          key: "serversMin",
          label: "fewest servers that keep up",
          value: least,
          unit: "count",
          formula: "floor(rate x time) + 1",
          inputs,
        }),
      ]),
    ],
  };
}
