/** What stored responses are used for, as tables, and the advice that follows. */
import type { CacheUsage, FolderUse, NamedUse, Use } from "../../edge/index.ts";
import { type Figure, type FigureParts, figures } from "../report/figure.ts";
import type { Notes, Section, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { type Advice, adviceOf, balanceOf, EVIDENCE_MIN, excludingRule, UNASKED_SHARE } from "./advice.ts";
import type { Upstream } from "./costs.ts";
import type { CachePrices } from "./prices.ts";

/** Rows of a table: the others are in the sums. */
const ROWS_MAX = 10;

/** What the advice is built from. */
export interface UsageQuestion {
  readonly usage: CacheUsage;
  readonly prices: CachePrices;
  readonly upstream: Upstream;
  /** The one group that a rule forwards to, by the rule's name; undefined where that is not so simple. */
  readonly forwardOf: (rule: string) => string | undefined;
  /** Whether responses leave for want of room. */
  readonly isCrowded: boolean;
}

/** All sections about what is stored. */
export function usageSections(question: UsageQuestion): Section[] {
  const { usage } = question;
  return [
    storedTable(usage),
    useTable("By rule, of what is stored now", "rule", usage.rules, question),
    useTable("By folder", "folder", usage.folders, question),
    useTable("By type", "type", usage.types, question),
    useTable("By size of the body", "size", usage.sizes, question),
    adviceNotes(question, adviceOf(usage, question.prices, question.upstream)),
  ];
}

function storedTable({ all, looked, settleS }: CacheUsage): Table {
  const settled = `in the store for ${formatNumber(settleS * 1000, "ms")} or more`;
  const share = all.settled === 0 ? 0 : all.unasked / all.settled;
  return valueTable(
    "What is stored now",
    figures([
      ["looked", "share of the store looked at", looked, "share", "buckets looked at / buckets"],
      ["responses", "responses", all.responses, "count", "counted"],
      ["bytes", "memory that they take", all.bytes, "bytes", "sum of their records"],
      ["hits", "clients that got one of them", all.hits, "count", "sum of their hits"],
      ["settled", settled, all.settled, "count", "counted"],
      ["unasked", "of those, not asked for again", all.unasked, "count", "those without a hit"],
      ["unaskedShare", "their share", share, "share", UNASKED_FORMULA, unaskedOf(all)],
      ["unaskedBytes", "memory that those take", all.unaskedBytes, "bytes", "sum of their records"],
    ]),
  );
}

function useTable(title: string, kind: string, uses: readonly NamedUse[], question: UsageQuestion): Table {
  const left = uses.length - ROWS_MAX;
  return {
    kind: "table",
    title: left > 0 ? `${title}: the ${ROWS_MAX} that take most, of ${uses.length}` : title,
    columns: [
      { title: kind },
      ...["responses", "memory", "not asked again", "hits", "hits per MB", "costs", "saves"].map(
        (column) => ({ title: column, align: "right" as const }),
      ),
    ],
    rows: uses
      .slice(0, ROWS_MAX)
      .map((use, at) => [use.name, ...useFigures(`${kind}${at + 1}`, use, question)]),
  };
}

function useFigures(key: string, use: NamedUse, { usage, prices, upstream }: UsageQuestion): Figure[] {
  const { name, settled, unasked } = use;
  const { bytes, costs, saves, hitsPerMb } = balanceOf(use, usage.looked, prices, upstream);
  const unaskedShare = settled === 0 ? 0 : unasked / settled;
  return figures([
    [`${key}Responses`, `${name}: responses`, use.responses, "count", "counted"],
    [`${key}Bytes`, `${name}: memory`, bytes, "bytes", "records / share looked at"],
    [`${key}Unasked`, `${name}: not asked for again`, unaskedShare, "share", UNASKED_FORMULA, unaskedOf(use)],
    [`${key}Hits`, `${name}: hits`, use.hits, "count", "sum of their hits"],
    [`${key}HitsPerMb`, `${name}: hits per MB`, hitsPerMb, "ratio", "hits / memory in MB"],
    [
      `${key}Costs`,
      `${name}: costs`,
      costs,
      "moneyPerMonth",
      "memory in GB x price",
      {
        inputs: [
          ["memory", bytes, "bytes"],
          ["price", prices.memoryGbPerMonth, "money"],
        ],
        digits: 3,
      },
    ],
    [
      `${key}Saves`,
      `${name}: saves`,
      saves,
      "moneyPerMonth",
      "(bytes of hits x price of a GB + hits x price of a million requests) in a month / share looked at",
      {
        inputs: [
          ["bytes of hits a second", use.hitBytesPerS, "bytes"],
          ["hits", use.hitsPerS, "perSecond"],
        ],
        digits: 3,
      },
    ],
  ]);
}

const UNASKED_FORMULA = "not asked for again / settled";

function unaskedOf({ settled, unasked }: Use): Pick<FigureParts, "inputs"> {
  return {
    inputs: [
      ["not asked for again", unasked, "count"],
      ["settled", settled, "count"],
    ],
  };
}

function adviceNotes(question: UsageQuestion, advice: Advice): Notes {
  return { kind: "notes", title: "Not worth keeping", lines: adviceLines(question, advice) };
}

function adviceLines(question: UsageQuestion, advice: Advice): string[] {
  const age = formatNumber(question.usage.settleS * 1000, "ms");
  const evidence = `${EVIDENCE_MIN} responses that have been there for ${age}`;
  if (advice.kind === "too-early")
    return [`not enough data yet: a folder is judged by ${evidence}, and the fullest has ${advice.most}`];
  if (advice.advised.length === 0)
    return [
      `nothing: of ${advice.judged === 1 ? "the 1 folder" : `the ${advice.judged} folders`} with ${evidence}, each is asked for again, or saves more than it costs`,
    ];
  return [
    ...advice.advised.flatMap(({ folder, balance }) => {
      const { unasked, settled, name } = folder;
      const share = formatNumber(unasked / settled, "share", 3);
      const money = (value: number): string => formatNumber(value, "moneyPerMonth", 3);
      return [
        `${name}: nobody asked again for ${unasked} of ${settled} (${share}; ${formatNumber(UNASKED_SHARE, "share")} is the mark), ${formatNumber(balance.bytes, "bytes", 3)} for ${money(balance.costs)} that save ${money(balance.saves)}`,
        ruleLine(folder, question),
      ];
    }),
    question.isCrowded
      ? "other responses left for want of room: without these the rest stays longer"
      : "the memory has room to spare: until it is full these cost nothing but their place",
  ];
}

function ruleLine(folder: FolderUse, { forwardOf }: UsageQuestion): string {
  const [rule = "", ...more] = folder.rules;
  const line = more.length === 0 ? excludingRule(folder, forwardOf(rule)) : undefined;
  const before = `before rule ${folder.rules.join(" and ")}`;
  return line === undefined
    ? `${before}, put one for ${folder.name} that forwards as it does, with cache: false`
    : `${before}, with its other settings: ${line}`;
}
