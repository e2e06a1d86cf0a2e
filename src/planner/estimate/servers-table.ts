/** Servers as a table: the floor, the target, some to spare, and what an objective needs. */
import { objectiveText } from "../queueing/index.ts";
import type { FigureParts } from "../report/figure.ts";
import type { Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { asItIs, inBrackets, inHead, type Mental, over, times } from "./mental.ts";
import { type Inputs, type MentalRow, mentalRow, mentalTable } from "./mental-table.ts";
import type { Servers, ServersAnswer, ServersQuestion } from "./servers.ts";

/** Where the rate comes from. */
export type Came = Pick<FigureParts, "formula" | "inputs">;

/** The answers with what went into them. */
export function serversTable(question: ServersQuestion, answer: ServersAnswer, came: Came): Table {
  return mentalTable("Servers", [
    mentalRow(inHead(question.rateRps, "perSecond"), [
      "originRps",
      "requests that reach them at the peak",
      question.rateRps,
      "perSecond",
      came.formula,
      { inputs: came.inputs ?? [], digits: 3 },
    ]),
    ...serverRows(question, answer.servers),
    ...inTimeRows(question, answer),
  ]);
}

function serverRows(question: ServersQuestion, servers: Servers): MentalRow[] {
  const { rateRps, cpuMs, coresPerServer, busyTarget, spareServers } = question;
  const busy = formatNumber(busyTarget, "share");
  const work: Inputs = [
    ["requests", rateRps, "perSecond"],
    ["CPU", cpuMs, "ms"],
  ];
  const per: Inputs = [
    ["cores", servers.cores, "cores"],
    ["cores of a server", coresPerServer, "count"],
  ];
  const targets: Inputs = [...per, ["busy target", busyTarget, "share"]];
  const mental = mentalServers(question);
  const usable = "cores / (cores of a server x busy target)";
  return [
    mentalRow(mental.cores, [
      "cores",
      "cores that are busy",
      servers.cores,
      "cores",
      "requests x CPU",
      { inputs: work, source: "utilisation law", digits: 3 },
    ]),
    mentalRow(mental.floor, [
      "serversFloor",
      "servers, 100 % busy: the floor",
      servers.floor,
      "count",
      "cores / cores of a server, rounded up",
      { inputs: per },
    ]),
    mentalRow(mental.target, [
      "serversTarget",
      `servers, ${busy} busy`,
      servers.target,
      "count",
      `${usable}, rounded up`,
      { inputs: targets },
    ]),
    mentalRow(mental.withSpare, [
      "serversWithSpare",
      `servers, ${busy} busy, ${spareServers} to spare`,
      servers.withSpare,
      "count",
      `${usable}, rounded up, + spare`,
      { inputs: [...targets, ["spare", spareServers, "count"]] },
    ]),
  ];
}

interface MentalServers {
  readonly cores: Mental;
  readonly floor: Mental;
  readonly target: Mental;
  readonly withSpare: Mental;
}

function mentalServers({
  rateRps,
  cpuMs,
  coresPerServer,
  busyTarget,
  spareServers,
}: ServersQuestion): MentalServers {
  const cpu = inHead(cpuMs, "ms");
  const cores = times(inHead(rateRps, "perSecond"), { ...cpu, value: cpu.value / 1000 });
  const [box, busy] = [asItIs(coresPerServer, "count"), asItIs(busyTarget, "share")];
  const whole = (mental: Mental): Mental => ({
    ...mental,
    value: Math.max(1, Math.ceil(mental.value - 1e-9)),
  });
  const target = whole(over(cores, inBrackets(times(box, busy))));
  const withSpare = {
    ...target,
    value: target.value + spareServers,
    words: `${target.words} + ${spareServers}`,
  };
  return { cores, floor: whole(over(cores, box)), target, withSpare };
}

function inTimeRows(
  { objective, cpuMs, rateRps, coresPerServer }: ServersQuestion,
  { inTime }: ServersAnswer,
): MentalRow[] {
  if (objective === undefined || inTime?.kind !== "servers") return [];
  const inputs: Inputs = [
    ["requests", rateRps, "perSecond"],
    ["CPU", cpuMs, "ms"],
    ["cores of a server", coresPerServer, "count"],
  ];
  const own = { inputs, source: "M/M/c (Erlang 1917)" };
  const wish = objectiveText(objective);
  return [
    mentalRow(undefined, [
      "serversTogether",
      `servers for ${wish}, one queue`,
      inTime.together,
      "count",
      "fewest cores of one M/M/c queue that keep it / cores of a server, rounded up",
      own,
    ]),
    mentalRow(undefined, [
      "serversApart",
      "the same, a queue to each server",
      inTime.apart,
      "count",
      "fewest servers, each an M/M/c queue with its share of the requests, that keep it",
      own,
    ]),
  ];
}
