/** Verdicts as reports: the choice, the number that made it, what it costs. */
import { figure } from "../report/figure.ts";
import type { Report, Section } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { DEFAULT_FACTS, type Facts, type Known } from "./facts.ts";
import { RULES } from "./rules.ts";
import { type ServersQuestion, serversFor } from "./servers.ts";
import { figuresOfTrigger, reached, type Verdict } from "./verdict.ts";

/** The answers to these questions, by the names of their rules. */
export function chooseReport({ facts, given }: Known, names: readonly string[]): Report {
  const verdicts = names.flatMap((name) => {
    const rule = RULES[name];
    return rule === undefined ? [] : [{ name, verdict: rule(facts) }];
  });
  return {
    title: names.length === 1 ? (verdicts[0]?.verdict.question ?? "") : "Choices",
    answer: verdicts.map(({ verdict }) => `${verdict.question}: ${verdict.choice}.`),
    sections: [triggerTable(verdicts), ...verdicts.map(({ verdict }) => notesOf(verdict)), assumed(given)],
  };
}

function triggerTable(verdicts: readonly { readonly name: string; readonly verdict: Verdict }[]): Section {
  return {
    kind: "table",
    title: "Numbers that decide",
    columns: [
      { title: "question" },
      { title: "number" },
      { title: "value", align: "right" },
      { title: "threshold", align: "right" },
      { title: "met" },
    ],
    rows: verdicts.flatMap(({ name, verdict }) =>
      verdict.triggers.map((trigger, index) => {
        const [value, threshold] = figuresOfTrigger(trigger, `${name}${index + 1}`);
        return [name, trigger.what, value, threshold, reached(trigger) ? "yes" : "no"];
      }),
    ),
  };
}

function notesOf({ question, tradeOff, otherwise, triggers }: Verdict): Section {
  const reasons = triggers.map(({ what, because }) => `${what}: ${because}`);
  return {
    kind: "notes",
    title: question,
    lines: [`It costs: ${tradeOff}.`, `Otherwise: ${otherwise}.`, ...reasons],
  };
}

function assumed(given: ReadonlySet<keyof Facts>): Section {
  const missing = (Object.keys(DEFAULT_FACTS) as (keyof Facts)[]).filter((fact) => !given.has(fact));
  return {
    kind: "notes",
    title: "Assumed, since it was not said",
    lines:
      missing.length === 0
        ? ["nothing"]
        : [missing.map((fact) => `${fact} ${String(DEFAULT_FACTS[fact])}`).join(", ")],
  };
}

/** How many servers, by every reading of the question. */
export function serversReport(question: ServersQuestion): Report {
  const { readings, answer } = serversFor(question);
  const inputs: [string, number, "perSecond" | "ms"][] = [
    ["rate", question.rateRps, "perSecond"],
    ["one server", question.serverRps, "perSecond"],
    ["at a p99 of", question.serverP99Ms, "ms"],
    ["wanted p99", question.objectiveMs, "ms"],
  ];
  const [naive] = readings;
  const never = readings.find(({ servers }) => servers === Infinity);
  return {
    title: `Servers for ${formatNumber(question.rateRps, "perSecond")} at p99 < ${formatNumber(question.objectiveMs, "ms")}`,
    answer: [
      `${answer} servers: each at most 70 % busy with one lost, and the rated load with a zone of three lost.`,
      `Division says ${naive?.servers}; that has nothing to spare, and 3 % more load is a queue without end.`,
      ...(never === undefined
        ? []
        : [
            `If ${never.name}, no number of servers is enough: measure one and four servers, and mend what they share first.`,
          ]),
    ],
    sections: [
      {
        kind: "table",
        title: "Readings",
        columns: [
          { title: "reading" },
          ...["of one server", "servers", "with one lost"].map((title) => ({
            title,
            align: "right" as const,
          })),
        ],
        rows: readings.map(({ name, perServerRps, servers, withOneLost }, index) => [
          name,
          perServerRps === undefined
            ? ""
            : figure({
                key: `perServer${index}`,
                label: `of one server, ${name}`,
                value: perServerRps,
                unit: "perSecond",
                formula: "the rate at which the wanted p99 holds",
                inputs,
                digits: 4,
              }),
          servers === Infinity
            ? "never"
            : figure({
                key: `servers${index}`,
                label: `servers, ${name}`,
                value: servers,
                unit: "count",
                formula: "ceil(rate / of one server), or the reading's own",
                inputs,
              }),
          withOneLost === Infinity ? "never" : `${withOneLost}`,
        ]),
      },
    ],
  };
}
