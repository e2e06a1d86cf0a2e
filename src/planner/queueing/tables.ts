/** Tables and curves about one queue without a bound. */
import { type Figure, figure } from "../report/figure.ts";
import type { Section, Series, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { type Ggc, ggc } from "./ggc.ts";
import { mmc } from "./mmc.ts";
import {
  type Exactness,
  exactnessOf,
  type Inputs,
  inputsOf,
  isMarkov,
  type QueueQuestion,
} from "./question.ts";
import { serversMin } from "./staffing.ts";
import { responseQuantile } from "./tails.ts";

const ERLANG = "Erlang 1917; Kleinrock, Queueing Systems I, 3.5";

/** Loads at which the curve is drawn, as shares of what the servers can do. */
const CURVE = Array.from({ length: 39 }, (_, i) => (i + 1) * 0.025);

/** The curve's sums are as long as there are servers: from here on fewer points are worth the wait. */
const CURVE_WORK_MAX = 4_000_000;

/** Quantiles that are printed; the last only where it is exact. */
const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

/** How a wait and its quantiles are computed, by how well the model knows the queue. */
const METHODS: Readonly<
  Record<Exactness, { about: string; wait: string; waitSource: string; tail: string; tailSource: string }>
> = {
  exact: {
    about: "",
    wait: "C / spare, spare = servers / time - rate",
    waitSource: ERLANG,
    tail: "the t at which (1-C)e^(-t/time) + C(spare e^(-t/time) - e^(-spare t)/time) / (spare - 1/time) is what is left",
    tailSource: ERLANG,
  },
  "exact means": {
    about: "about ",
    wait: "utilisation / (1 - utilisation) x time x (1 + time cv^2) / 2",
    waitSource: "Pollaczek 1930, Khinchine 1932",
    tail: "an approximation: a wait with an exponential tail of this mean, then a service fitted to its mean and cv",
    tailSource: "Kingman 1962; Whitt 1982",
  },
  approximate: {
    about: "about ",
    wait: "an approximation: wait of M/M/c x (arrival cv^2 + time cv^2) / 2",
    waitSource: "Allen & Cunneen 1978; for one server Kingman 1961",
    tail: "an approximation: a wait with an exponential tail of this mean, then a service fitted to its mean and cv",
    tailSource: "Kingman 1962; Whitt 1982",
  },
};

const HEADINGS: Readonly<Record<Exactness, string>> = {
  exact: "Steady state",
  "exact means": "Steady state (means exact, quantiles an approximation)",
  approximate: "Steady state (an approximation)",
};

/** Means, quantiles, numbers. */
export function steadyTable(question: QueueQuestion, queue: Ggc): Table {
  const exactness = exactnessOf(question);
  return valueTable(HEADINGS[exactness], [
    ...loadFigures(question, queue),
    ...timeFigures(question, queue, exactness),
    ...numberFigures(question, queue),
  ]);
}

function loadFigures(question: QueueQuestion, queue: Ggc): Figure[] {
  const inputs = inputsOf(question);
  const load = (question.rateRps * question.serviceMs) / 1000;
  return [
    figure({
      key: "load",
      label: "load, erlangs",
      value: load,
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
    ...emptyFigure(question),
    figure({
      key: "waitShare",
      label: "share that waits",
      value: queue.waitShare,
      unit: "share",
      formula: `${isMarkov(question) ? "" : "as if all times were exponential: "}C = B / (1 - utilisation x (1 - B)), B by Erlang's recursion`,
      inputs,
      source: ERLANG,
    }),
  ];
}

/** Only of M/M/c is it known. */
function emptyFigure(question: QueueQuestion): Figure[] {
  const queue = mmc(question);
  if (queue.kind === "unstable" || !isMarkov(question)) return [];
  return [
    figure({
      key: "emptyShare",
      label: "nobody there",
      value: queue.emptyShare,
      unit: "share",
      formula: "1 / (sum of load^k/k! for k < servers + load^servers/servers! / (1 - utilisation))",
      inputs: inputsOf(question),
      source: ERLANG,
    }),
  ];
}

function timeFigures(question: QueueQuestion, queue: Ggc, exactness: Exactness): Figure[] {
  const { about, wait, waitSource, tail, tailSource } = METHODS[exactness];
  const { rateRps, serviceMs, servers } = question;
  const inputs: Inputs = [
    ...inputsOf(question),
    ["spare", (servers * 1000) / serviceMs - rateRps, "perSecond"],
    ["C", queue.waitShare, "share"],
  ];
  return [
    figure({
      key: "waitMs",
      label: "mean wait",
      value: queue.waitMs,
      unit: "ms",
      formula: wait,
      inputs,
      source: waitSource,
    }),
    figure({
      key: "responseMs",
      label: "mean answer",
      value: queue.responseMs,
      unit: "ms",
      formula: "wait + time",
      inputs: [
        ["wait", queue.waitMs, "ms"],
        ["time", serviceMs, "ms"],
      ],
    }),
    ...QUANTILES.filter((q) => exactness === "exact" || q < 0.999).map((q) =>
      figure({
        key: `p${String(q).slice(2).padEnd(2, "0")}Ms`,
        label: `p${q * 100} answer${about === "" ? "" : ", about"}`,
        value: responseQuantile(queue, q),
        unit: "ms",
        formula: tail,
        inputs,
        source: tailSource,
        ...(about === "" ? {} : { digits: 2 }),
      }),
    ),
  ];
}

function numberFigures({ rateRps }: QueueQuestion, queue: Ggc): Figure[] {
  const rate = ["rate", rateRps, "perSecond"] as const;
  const source = "Little 1961";
  return [
    figure({
      key: "queued",
      label: "mean number that waits",
      value: queue.queued,
      unit: "ratio",
      formula: "rate x wait",
      inputs: [rate, ["wait", queue.waitMs, "ms"]],
      source,
    }),
    figure({
      key: "inSystem",
      label: "mean number in the system",
      value: queue.inSystem,
      unit: "ratio",
      formula: "rate x answer",
      inputs: [rate, ["answer", queue.responseMs, "ms"]],
      source,
    }),
  ];
}

/** What the numbers of a queue with memory are worth; none about M/M/c. */
export function doubts(question: QueueQuestion): Section[] {
  const exactness = exactnessOf(question);
  if (exactness === "exact") return [];
  const even = question.serviceCv <= 1;
  return [
    {
      kind: "notes",
      title: "Doubts",
      lines: [
        exactness === "exact means"
          ? "The means are exact for any times with this cv."
          : "Means are Allen and Cunneen's: within some percent near full servers and for even work, less sure far from it.",
        even
          ? "Quantiles are within about 20 % for times without a long tail."
          : "Two moments do not fix a tail: where a few requests take very long quantiles may be off by a factor of 2.",
        "`tenfold simulate` takes the distribution itself.",
      ],
    },
  ];
}

/** Some servers fewer and more: what one more is worth. */
export function serversTable(question: QueueQuestion): Table {
  const { servers } = question;
  const least = serversMin(question);
  const counts = [...new Set([least, servers - 1, servers, servers + 1, servers + 2, servers * 2])]
    .filter((count) => count >= least)
    .toSorted((a, b) => a - b);
  return {
    kind: "table",
    title: "With other numbers of servers",
    columns: ["servers", "utilisation", "mean", `${METHODS[exactnessOf(question)].about}p99`].map(
      (title) => ({
        title,
        align: "right",
      }),
    ),
    rows: counts.flatMap((count) => serversRow({ ...question, servers: count })),
  };
}

function serversRow(question: QueueQuestion): (string | Figure)[][] {
  const queue = ggc(question);
  if (queue.kind === "unstable") return [];
  const { servers } = question;
  const { wait, waitSource, tail, tailSource } = METHODS[exactnessOf(question)];
  const inputs = inputsOf(question);
  const about = (key: string, label: string) => ({
    key: `${key}Of${servers}`,
    label: `${label} with ${servers}`,
    inputs,
  });
  const { utilisation, responseMs } = queue;
  const p99Ms = responseQuantile(queue, 0.99);
  return [
    [
      `${servers}`,
      figure({
        ...about("utilisation", "utilisation"),
        value: utilisation,
        unit: "share",
        formula: "rate x time / servers",
        digits: 3,
      }),
      figure({
        ...about("responseMs", "mean answer"),
        value: responseMs,
        unit: "ms",
        formula: `time + wait; wait: ${wait}`,
        source: waitSource,
      }),
      figure({
        ...about("p99Ms", "p99 answer"),
        value: p99Ms,
        unit: "ms",
        formula: tail,
        source: tailSource,
      }),
    ],
  ];
}

/** Mean and p99 over the load, up to where the servers are full. */
export function curve(question: QueueQuestion): Section {
  const { serviceMs, servers, rateRps } = question;
  const most = (servers * 1000) / serviceMs;
  const every = Math.max(1, Math.ceil((CURVE.length * servers) / CURVE_WORK_MAX));
  const queues = CURVE.filter((_, i) => i % every === 0).flatMap((share) => {
    const queue = ggc({ ...question, rateRps: share * most });
    return queue.kind === "unstable" ? [] : [{ at: share * most, queue }];
  });
  const points = (read: (queue: Ggc) => number): Series["points"] =>
    queues.map(({ at, queue }) => [at, read(queue)]);
  return {
    kind: "plot",
    title: `Answer over load (now ${formatNumber(rateRps, "perSecond")})`,
    x: { label: "requests/s" },
    y: { label: "ms", scale: "log" },
    series: [
      { name: "mean", points: points((queue) => queue.responseMs) },
      {
        name: `${METHODS[exactnessOf(question)].about}p99`,
        points: points((queue) => responseQuantile(queue, 0.99)),
      },
    ],
    ...(question.objective === undefined || question.objective.kind === "wait-share"
      ? {}
      : { mark: { y: question.objective.ms, label: "objective" } }),
  };
}
