/** How many servers a rate of requests takes, as a report of its own. */

import { type Outcome, ok } from "../outcome.ts";
import { objectiveText } from "../queueing/index.ts";
import type { Report } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { answerServers, coresProblem, type ServersAnswer, type ServersQuestion } from "./servers.ts";
import { serversTable } from "./servers-table.ts";
import { counted, grouped } from "./text.ts";
import { DEFAULTS } from "./workload.ts";

/** Cores and servers for one rate: the textbook's question, and the honest answer. */
export function cpuReport(
  question: Pick<ServersQuestion, "rateRps"> & Partial<ServersQuestion>,
): Outcome<Report> {
  const full: ServersQuestion = { ...DEFAULTS, ...question };
  const answer = answerServers(full);
  const problem = coresProblem(answer.servers.cores);
  if (problem !== undefined) return { kind: "problems", problems: [problem] };
  return ok({
    title: `${formatNumber(full.rateRps, "perSecond")} of ${formatNumber(full.cpuMs, "ms")} CPU`,
    answer: [coresSentence(full, answer), FLOOR_SENTENCE, ...inTimeSentences(full, answer)],
    sections: [serversTable(full, answer, { formula: "as given" })],
  });
}

const FLOOR_SENTENCE =
  "The floor keeps all cores 100 % busy, and queues then have no end: plan with the last number.";

function coresSentence(question: ServersQuestion, { servers }: ServersAnswer): string {
  const { coresPerServer, busyTarget, spareServers } = question;
  const cores = `${formatNumber(servers.cores, "cores", 3)} ${servers.cores === 1 ? "core" : "cores"}`;
  return `${cores}: ${counted(servers.floor, "server")} of ${coresPerServer} as the floor, ${grouped(servers.target)} at ${formatNumber(busyTarget, "share")} busy, ${grouped(servers.withSpare)} with ${spareServers} to spare.`;
}

/** What the objective makes of it; nothing without one. */
export function inTimeSentences(
  { objective, spareServers }: ServersQuestion,
  { inTime, servers }: ServersAnswer,
): string[] {
  if (objective === undefined || inTime === undefined) return [];
  const wish = objectiveText(objective);
  switch (inTime.kind) {
    case "never":
      return [
        `No number of servers keeps ${wish}: the CPU alone takes too long. Make it faster, or ask for less.`,
      ];
    case "too-many":
      return [`No sensible number of servers keeps ${wish}: check the units of rate and CPU.`];
    case "servers": {
      const { together, apart } = inTime;
      const most = Math.max(servers.target, apart) + spareServers;
      const range = together === apart ? grouped(together) : `${grouped(together)} to ${grouped(apart)}`;
      return [
        `${wish[0]?.toUpperCase()}${wish.slice(1)} needs ${range} of them, by how well they are balanced; ${grouped(most)} keep it with ${spareServers} to spare.`,
      ];
    }
  }
}
