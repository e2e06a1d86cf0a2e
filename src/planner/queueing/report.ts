/** Answers about queues as reports: each number with its formula. */
import { type Figure, figure } from "../report/figure.ts";
import type { Report, Section, Series, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { erlangB, erlangC } from "./erlang.ts";
import { ggc, waitQuantileNear } from "./ggc.ts";
import { type Mmc, mmc, responseQuantile } from "./mmc.ts";
import { mmck } from "./mmck.ts";
import { type ServiceObjective, serversFor, squareRootStaffing } from "./staffing.ts";
import { fullAfterMs, type Unstable } from "./steady.ts";

/** What is asked about one queue. */
export interface QueueQuestion {
  readonly rateRps: number;
  readonly serviceMs: number;
  readonly servers: number;
  /** Coefficients of variation; 1 unless set. */
  readonly arrivalCv: number;
  readonly serviceCv: number;
  /** Most in the system; absent = no bound. */
  readonly capacity?: number;
  readonly objective?: ServiceObjective;
}

/** A queue as long as this counts as full when it grows without end: a gateway's default bound. */
const QUEUE_SHOWN = 1000;

/** Loads at which the curve is drawn, as shares of what the servers can do. */
const CURVE = Array.from({ length: 39 }, (_, i) => (i + 1) * 0.025);

const M_M_C = "Erlang 1917; Kleinrock, Queueing Systems I";

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

/** Name, value and inputs of the figures that every model has. */
function inputsOf({
  rateRps,
  serviceMs,
  servers,
}: Pick<QueueQuestion, "rateRps" | "serviceMs" | "servers">): [
  string,
  number,
  "perSecond" | "ms" | "count",
][] {
  return [
    ["rate", rateRps, "perSecond"],
    ["time", serviceMs, "ms"],
    ["servers", servers, "count"],
  ];
}

function markovTable(queue: Mmc): Table {
  const { rateRps, serviceMs, servers } = queue.input;
  const inputs = inputsOf(queue.input);
  const spare: [string, number, "perSecond"][] = [
    ["spare", (servers * 1000) / serviceMs - rateRps, "perSecond"],
  ];
  return valueTable("Steady state", [
    figure({
      key: "load",
      label: "load, erlangs",
      value: (rateRps * serviceMs) / 1000,
      unit: "ratio",
      formula: "rate x time",
      inputs,
    }),
    figure({
      key: "utilisation",
      label: "utilisation",
      value: queue.utilisation,
      unit: "share",
      formula: "rate x time / servers",
      inputs,
    }),
    figure({
      key: "emptyShare",
      label: "nobody there",
      value: queue.emptyShare,
      unit: "share",
      formula: "1 / (sum of load^k/k! for k < servers + load^servers/servers! / (1 - utilisation))",
      inputs,
      source: M_M_C,
    }),
    figure({
      key: "waitShare",
      label: "share that waits",
      value: queue.waitShare,
      unit: "share",
      formula: "C = B / (1 - utilisation x (1 - B)), B by Erlang's recursion",
      inputs,
      source: M_M_C,
    }),
    figure({
      key: "waitMs",
      label: "mean wait",
      value: queue.waitMs,
      unit: "ms",
      formula: "C / spare, spare = servers / time - rate",
      inputs: [...inputs, ...spare],
      source: M_M_C,
    }),
    figure({
      key: "responseMs",
      label: "mean answer",
      value: queue.responseMs,
      unit: "ms",
      formula: "wait + time",
      inputs: [["wait", queue.waitMs, "ms"], ...inputs],
    }),
    ...([0.5, 0.9, 0.99, 0.999] as const).map((q) =>
      figure({
        key: `p${String(q).slice(2)}Ms`,
        label: `p${q * 100} answer`,
        value: responseQuantile(queue, q),
        unit: "ms",
        formula:
          "the t at which (1-C)e^(-t/time) + C(spare e^(-t/time) - e^(-spare t)/time) / (spare - 1/time) has fallen to what is left",
        inputs: [...inputs, ...spare],
        source: M_M_C,
      }),
    ),
    figure({
      key: "queued",
      label: "mean number that waits",
      value: queue.queued,
      unit: "ratio",
      formula: "rate x wait",
      inputs: [["wait", queue.waitMs, "ms"], ...inputs],
      source: "Little 1961",
    }),
    figure({
      key: "inSystem",
      label: "mean number in the system",
      value: queue.inSystem,
      unit: "ratio",
      formula: "rate x answer",
      inputs: [["answer", queue.responseMs, "ms"], ...inputs],
      source: "Little 1961",
    }),
  ]);
}

function generalTable(question: QueueQuestion): Table {
  const queue = ggc(question);
  if (queue.kind === "unstable") return valueTable("Steady state", []);
  const inputs: [string, number, "perSecond" | "ms" | "count" | "ratio"][] = [
    ...inputsOf(question),
    ["arrival cv", question.arrivalCv, "ratio"],
    ["time cv", question.serviceCv, "ratio"],
  ];
  const exactness = queue.exact ? "exact" : "an approximation";
  const source =
    question.servers === 1 && question.arrivalCv === 1
      ? "Pollaczek 1930, Khinchine 1932"
      : "Allen & Cunneen 1978; Kingman 1961";
  return valueTable(`Steady state (${exactness})`, [
    figure({
      key: "utilisation",
      label: "utilisation",
      value: queue.utilisation,
      unit: "share",
      formula: "rate x time / servers",
      inputs,
    }),
    figure({
      key: "waitMs",
      label: "mean wait",
      value: queue.waitMs,
      unit: "ms",
      formula: "wait of M/M/c x (arrival cv^2 + time cv^2) / 2",
      inputs,
      source,
    }),
    figure({
      key: "responseMs",
      label: "mean answer",
      value: queue.responseMs,
      unit: "ms",
      formula: "wait + time",
      inputs: [["wait", queue.waitMs, "ms"], ...inputs],
    }),
    figure({
      key: "waitP99Ms",
      label: "p99 wait, about",
      value: waitQuantileNear(queue, 0.99),
      unit: "ms",
      formula: "an exponential tail with this mean and share that waits",
      inputs: [
        ["wait", queue.waitMs, "ms"],
        ["share that waits", queue.waitShare, "share"],
      ],
      source: "Kingman 1962 (heavy traffic)",
    }),
    figure({
      key: "queued",
      label: "mean number that waits",
      value: queue.queued,
      unit: "ratio",
      formula: "rate x wait",
      inputs,
      source: "Little 1961",
    }),
    figure({
      key: "inSystem",
      label: "mean number in the system",
      value: queue.inSystem,
      unit: "ratio",
      formula: "rate x answer",
      inputs,
      source: "Little 1961",
    }),
  ]);
}

/** Some servers fewer and more: what one more is worth. */
function serversTable(question: QueueQuestion): Table {
  const { rateRps, serviceMs, servers } = question;
  const least = Math.floor((rateRps * serviceMs) / 1000) + 1;
  const counts = [...new Set([least, servers - 1, servers, servers + 1, servers + 2, servers * 2])]
    .filter((count) => count >= least)
    .toSorted((a, b) => a - b);
  const rows = counts.map((count) => {
    const queue = mmc({ rateRps, serviceMs, servers: count });
    const inputs = inputsOf({ rateRps, serviceMs, servers: count });
    if (queue.kind === "unstable") return [`${count}`, "full", "", ""];
    return [
      `${count}`,
      figure({
        key: `utilisationOf${count}`,
        label: `utilisation of ${count} servers`,
        value: queue.utilisation,
        unit: "share",
        formula: "rate x time / servers",
        inputs,
        digits: 3,
      }),
      figure({
        key: `responseMsOf${count}`,
        label: `mean answer of ${count} servers`,
        value: queue.responseMs,
        unit: "ms",
        formula: "C / spare + time",
        inputs,
        source: M_M_C,
      }),
      figure({
        key: `p99MsOf${count}`,
        label: `p99 answer of ${count} servers`,
        value: responseQuantile(queue, 0.99),
        unit: "ms",
        formula: "bisection on the exact tail",
        inputs,
        source: M_M_C,
      }),
    ];
  });
  return {
    kind: "table",
    title: "With other numbers of servers",
    columns: [
      { title: "servers", align: "right" },
      { title: "utilisation", align: "right" },
      { title: "mean", align: "right" },
      { title: "p99", align: "right" },
    ],
    rows,
  };
}

function curve({ serviceMs, servers, rateRps }: QueueQuestion): Section {
  const most = (servers * 1000) / serviceMs;
  const at = (q: number | undefined): Series["points"] =>
    CURVE.flatMap((share) => {
      const queue = mmc({ rateRps: share * most, serviceMs, servers });
      if (queue.kind === "unstable") return [];
      return [[share * most, q === undefined ? queue.responseMs : responseQuantile(queue, q)] as const];
    });
  return {
    kind: "plot",
    title: `Answer over load (now ${formatNumber(rateRps, "perSecond")})`,
    x: { label: "requests/s" },
    y: { label: "ms", scale: "log" },
    series: [
      { name: "mean", points: at(undefined) },
      { name: "p99", points: at(0.99) },
    ],
  };
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

function boundedReport(question: QueueQuestion, capacity: number): Report {
  const queue = mmck({ ...question, capacity });
  const source = "Kleinrock, Queueing Systems I, 3.6";
  const inputs: [string, number, "perSecond" | "ms" | "count"][] = [
    ...inputsOf(question),
    ["capacity", capacity, "count"],
  ];
  return {
    title: `M/M/${question.servers}/${capacity}: at most ${capacity} at once, the rest is turned away`,
    answer: [
      `${formatNumber(queue.refusedShare, "share", 4)} of the requests are turned away; the others are answered in ${formatNumber(queue.responseMs, "ms", 4)} on average.`,
    ],
    sections: [
      valueTable("Steady state", [
        figure({
          key: "refusedShare",
          label: "turned away",
          value: queue.refusedShare,
          unit: "share",
          formula: "p(capacity), p(n) = p(n-1) x load / min(n, servers)",
          inputs,
          source,
        }),
        figure({
          key: "throughputRps",
          label: "let in",
          value: queue.throughputRps,
          unit: "perSecond",
          formula: "rate x (1 - turned away)",
          inputs,
          source,
        }),
        figure({
          key: "utilisation",
          label: "utilisation",
          value: queue.utilisation,
          unit: "share",
          formula: "let in x time / servers",
          inputs,
          source,
        }),
        figure({
          key: "emptyShare",
          label: "nobody there",
          value: queue.emptyShare,
          unit: "share",
          formula: "p(0)",
          inputs,
          source,
        }),
        figure({
          key: "waitMs",
          label: "mean wait",
          value: queue.waitMs,
          unit: "ms",
          formula: "mean number that waits / let in",
          inputs,
          source,
        }),
        figure({
          key: "responseMs",
          label: "mean answer",
          value: queue.responseMs,
          unit: "ms",
          formula: "mean number in the system / let in",
          inputs,
          source,
        }),
        figure({
          key: "inSystem",
          label: "mean number in the system",
          value: queue.inSystem,
          unit: "ratio",
          formula: "sum of n x p(n)",
          inputs,
          source,
        }),
      ]),
    ],
  };
}

/** Erlang B and C, and the rule of thumb, for a load in erlangs. */
export function erlangReport(load: number, servers: number): Report {
  const inputs: [string, number, "ratio" | "count"][] = [
    ["load", load, "ratio"],
    ["servers", servers, "count"],
  ];
  const [blocked, waits] = [erlangB(servers, load), erlangC(servers, load)];
  return {
    title: `${formatNumber(load, "ratio")} erlangs on ${servers} servers`,
    answer: [
      `Without a queue ${formatNumber(blocked, "share", 4)} are turned away; with one ${formatNumber(waits, "share", 4)} wait${load >= servers ? ", and ever longer: there is no steady state" : ""}.`,
    ],
    sections: [
      valueTable("Erlang's formulas", [
        figure({
          key: "erlangB",
          label: "Erlang B: turned away",
          value: blocked,
          unit: "share",
          formula: "B(k) = load B(k-1) / (k + load B(k-1)), B(0) = 1",
          inputs,
          source: "Erlang 1917",
        }),
        figure({
          key: "erlangC",
          label: "Erlang C: wait",
          value: waits,
          unit: "share",
          formula: "B / (1 - load/servers x (1 - B))",
          inputs,
          source: "Erlang 1917",
        }),
        ...[1, 2, 3].map((k) =>
          figure({
            key: `squareRoot${k}`,
            label: `load + ${k} square root of it`,
            value: squareRootStaffing(load, k),
            unit: "count",
            formula: `ceil(load + ${k} x sqrt(load))`,
            inputs,
            source: "Halfin & Whitt 1981",
          }),
        ),
      ]),
    ],
  };
}

/** Figures as a table of two columns. */
export function valueTable(title: string, figures: readonly Figure[]): Table {
  return {
    kind: "table",
    title,
    columns: [{ title: "what" }, { title: "value", align: "right" }],
    rows: figures.map((one) => [one.label, one]),
  };
}
