/** Verdicts as reports: the choice, the numbers that made it, what it costs, what would change it. */
import { type Figure, figure } from "../report/figure.ts";
import type { Cell, Report, Section, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { FACT_NAMES, FACTS, type FactName, type Facts, type Known } from "./facts.ts";
import { figuresOf, met, type Question, type Trigger, type Verdict } from "./question.ts";
import { CHOICES } from "./questions.ts";
import { type Turn, turnsOf } from "./turns.ts";

/** Turns told of one question: the nearest decide, the rest is a list. */
const TURNS_MAX = 6;

/** Nearer than a thousandth is as good as the same, and the same number printed twice would say nothing. */
const BESIDE = 1e-3;

interface Answered {
  readonly name: string;
  readonly question: Question;
  readonly verdict: Verdict;
  readonly turns: readonly Turn[];
}

/** The answers to these questions, by their names; unknown names are passed over. */
export function chooseReport({ facts, origins }: Known, names: readonly string[]): Report {
  const answered = names.flatMap((name): Answered[] => {
    const question = CHOICES[name];
    if (question === undefined) return [];
    return [{ name, question, verdict: question.decide(facts), turns: turnsOf(question, facts) }];
  });
  const [first] = answered;
  const alone = answered.length === 1 ? first : undefined;
  return {
    title: alone?.question.asks ?? "Choices",
    answer: [
      ...answered.map(({ question, verdict }) => `${question.asks}: ${verdict.answer}.`),
      ...(alone?.verdict.more ?? []),
      ...doubtSentence(answered, facts, origins),
    ],
    sections: [
      triggerTable(answered),
      ...(alone?.question.sections?.(facts) ?? []),
      ...turnTables(answered, facts, origins),
      costs(answered),
      assumed(answered, facts, origins),
    ],
  };
}

/** The assumption whose small error would change an answer. */
function doubtSentence(answered: readonly Answered[], facts: Facts, origins: Known["origins"]): string[] {
  const doubts = answered
    .flatMap(({ name, turns }) =>
      turns.filter(({ fact }) => origins.get(fact) === "guess").map((turn) => ({ name, turn })),
    )
    .filter(({ turn }) => turn.factor > 1)
    .toSorted((a, b) => a.turn.factor - b.turn.factor);
  const [doubt] = doubts;
  if (doubt === undefined) return [];
  const { fact, at, choice } = doubt.turn;
  return [
    `Check first, since it is a guess: ${FACTS[fact].name}, ${printed(fact, facts[fact])}; at ${toldAt(fact, at, facts)} the answer to ${doubt.name} is: ${choice}.`,
  ];
}

function triggerTable(answered: readonly Answered[]): Table {
  return {
    kind: "table",
    title: "Numbers that decide",
    columns: [
      { title: "question" },
      { title: "number" },
      { title: "value", align: "right" },
      { title: "turns at", align: "right" },
      { title: "met" },
    ],
    rows: answered.flatMap(({ name, verdict }) =>
      verdict.triggers.map((trigger) => [
        name,
        trigger.what,
        ...cellsOf(trigger),
        met(trigger) ? "yes" : "no",
      ]),
    ),
  };
}

function cellsOf(trigger: Trigger): readonly [Cell, Cell] {
  return trigger.kind === "number" ? figuresOf(trigger) : [trigger.is, trigger.wanted];
}

function turnTables(
  answered: readonly Answered[],
  facts: Facts,
  origins: Known["origins"],
): readonly Section[] {
  const rows = answered.flatMap(({ name, turns }) =>
    turns.slice(0, TURNS_MAX).map((turn) => turnRow(name, turn, facts, origins)),
  );
  if (rows.length === 0) return [];
  const right = { align: "right" } as const;
  return [
    {
      kind: "table",
      title: "What would change it, the nearest first",
      columns: [
        { title: "question" },
        { title: "fact" },
        { title: "is", ...right },
        { title: "from" },
        { title: "turns at", ...right },
        { title: "then" },
      ],
      rows,
    },
  ];
}

function turnRow(
  name: string,
  { fact, at, choice }: Turn,
  facts: Facts,
  origins: Known["origins"],
): readonly Cell[] {
  const told = toldAt(fact, at, facts);
  const turn: Cell =
    typeof at === "number" && told === printed(fact, at) ? turnFigure(name, fact, at, facts) : told;
  return [name, FACTS[fact].name, printed(fact, facts[fact]), origins.get(fact) ?? "guess", turn, choice];
}

/** A fact that stands on its threshold turns just beside it. */
function toldAt(fact: FactName, at: Turn["at"], facts: Facts): string {
  const now = facts[fact];
  const far = typeof at !== "number" || typeof now !== "number" || Math.abs(at - now) > BESIDE * now;
  if (far) return printed(fact, at);
  return `just ${at > now ? "above" : "below"} it`;
}

function turnFigure(name: string, fact: FactName, at: number, facts: Facts): Figure {
  const { unit, about } = FACTS[fact];
  const now = facts[fact];
  const known = typeof unit === "string" && unit !== "flag" && unit !== "operations" ? unit : "ratio";
  return figure({
    key: `${name}.${fact}`,
    label: `${about}: the nearest value that changes ${name}`,
    value: at,
    unit: known,
    formula: "found by asking the same rule with other values",
    inputs: typeof now === "number" ? [["now", now, known]] : [],
    digits: known === "availability" ? 6 : 3,
  });
}

/** A fact as people read it. */
function printed(fact: FactName, value: Turn["at"] | Facts["operations"]): string {
  const { unit } = FACTS[fact];
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return value.size === 0 ? "none" : [...value.keys()].join(", ");
  if (typeof value === "string" || typeof unit !== "string") return String(value);
  if (unit === "flag" || unit === "operations") return String(value);
  return formatNumber(value, unit, unit === "availability" ? 6 : 3);
}

function costs(answered: readonly Answered[]): Section {
  return {
    kind: "notes",
    title: "What it costs",
    lines: answered.flatMap(({ name, verdict }) => [
      `${name}: ${verdict.tradeOff}.`,
      ...(answered.length === 1
        ? reasonsOf(verdict)
        : (verdict.more ?? []).map((line) => `${name}: ${line}`)),
    ]),
  };
}

/** Each argument once, though several numbers are compared with the same. */
function reasonsOf({ triggers }: Verdict): string[] {
  const reasons = new Map(triggers.map(({ what, because }) => [because, what]));
  return reasons.size === 1 ? [] : [...reasons].map(([because, what]) => `${what}: ${because}.`);
}

/** Only facts that the questions read: the others change nothing. */
function assumed(answered: readonly Answered[], facts: Facts, origins: Known["origins"]): Section {
  const read = new Set(answered.flatMap(({ question }) => question.reads));
  const missing = FACT_NAMES.filter((fact) => read.has(fact) && origins.get(fact) === "guess");
  return {
    kind: "notes",
    title: "Guessed, since it was not said",
    lines:
      missing.length === 0
        ? ["nothing"]
        : missing.map((fact) => `${FACTS[fact].name} ${printed(fact, facts[fact])} (${FACTS[fact].about})`),
  };
}

/** What can be asked: for whoever does not know yet. */
export function questionsReport(): Report {
  return {
    title: "Questions",
    answer: ["Each has a rule with the number that decides, what it costs, and what would change it."],
    sections: [
      {
        kind: "table",
        title: "tenfold choose QUESTION",
        columns: [{ title: "question" }, { title: "asks" }, { title: "reads" }],
        rows: [
          ...Object.entries(CHOICES).map(([name, { asks, reads }]) => [
            name,
            asks,
            reads.map((fact) => FACTS[fact].name).join(", "),
          ]),
          ["servers", "how many servers, by every reading", "--rate --objective --server-rate --server-p99"],
          ["all", "every question but servers, for one app", "all of them"],
        ],
      },
    ],
  };
}
