/** Facts as people write them, in a file or as options; presets of workloads fill in, contradictions are refused. */
import { parseDurationMs } from "../../base/index.ts";
import { type Problem, shapes } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import { COUNT_MAX, parseCount, parseRate, parseShare } from "../quantity.ts";
import {
  DEFAULT_FACTS,
  FACT_NAMES,
  FACTS,
  type FactName,
  type Facts,
  type Known,
  type Operation,
  type Origin,
} from "./facts.ts";
import { OPERATION_KINDS } from "./operations.ts";
import { FACT_PRESETS } from "./presets.ts";

const { bounded, bySort, bytes, duration, flag, integer, leaf, name, named, number, object, report, word } =
  shapes;

/** An exabyte less than what numbers hold exactly. */
const BYTES_MAX = 9e15;
const YEAR_MS = 365 * 86_400_000;
const OPERATIONS_MAX = 100;

const rate: shapes.Shape<number> = {
  ...number({ min: 0, max: COUNT_MAX }),
  spelling: {
    keyOf: (key) => key.replace(/Rps$/, "s"),
    shape: leaf('a rate such as "100/s"', "string", (text: string) => parseRate(text)),
  },
};

const share = bySort<number>({
  number: number({ min: 0, max: 1 }),
  string: leaf('a share such as "80%"', "string", (text: string) => parseShare(text)),
});

const count = bySort<number>({
  number: number({ min: 0, max: COUNT_MAX }),
  string: leaf('a number such as "10k"', "string", (text: string) => parseCount(text)),
});

/** More of anything than this is a mistyped unit. */
const THINGS_MAX = 1e6;

const atLeastOne = number({ min: 1, max: THINGS_MAX });

/** There is no half of a task. */
const things = bySort<number>({
  number: integer({ min: 1, max: THINGS_MAX }),
  string: leaf(`a whole number from 1 to ${THINGS_MAX}`, "string", (text: string) => {
    const value = parseCount(text);
    return value !== undefined && Number.isInteger(value) && value >= 1 && value <= THINGS_MAX
      ? value
      : undefined;
  }),
});

const size = bytes(0, BYTES_MAX);
const age = duration(0, YEAR_MS);

const operation: shapes.Shape<Operation> = leaf(
  `one of ${OPERATION_KINDS.join(", ")}, or an age such as "5m"`,
  "string",
  (text: string) => OPERATION_KINDS.find((kind) => kind === text) ?? parseDurationMs(text),
);

const operationMap = named(name, operation, OPERATIONS_MAX);

/** In a file an object; as an option "pay=money,like=counter". */
const operations = bySort<ReadonlyMap<string, Operation>>({
  object: operationMap,
  string: leaf('operations such as "pay=money,like=counter", each once', "string", (text: string, place) => {
    const pairs = text.split(",").map((pair) => pair.split("=").map((part) => part.trim()));
    const distinct = new Set(pairs.map(([of]) => of)).size === pairs.length;
    return distinct && pairs.every(({ length }) => length === 2)
      ? operationMap.read(Object.fromEntries(pairs) as Record<string, string>, place)
      : undefined;
  }),
});

type Draft = Facts & { readonly preset: string };

const shape = object<Draft>({
  preset: word(Object.keys(FACT_PRESETS)),
  readRps: rate,
  writeRps: rate,
  sizeBytes: size,
  tableBytes: size,
  memoryBytes: size,
  rowsScannedPerRow: count,
  connections: things,
  retentionDrop: flag,
  joins: word(["many", "few", "none"]),
  graphDepth: count,
  objectBytes: size,
  appendOnly: flag,
  hotShare: share,
  staleMs: age,
  lossMs: age,
  readsOwnWrites: flag,
  oldestMs: age,
  money: flag,
  operations,
  followersMax: count,
  cpuMs: duration(0),
  costCv: number({ min: 0, max: 100 }),
  tasks: things,
  busy: share,
  speedSpread: atLeastOne,
  strengthSpread: atLeastOne,
  longLived: flag,
  http: flag,
  state: word(["none", "session", "room"]),
  sessionBytes: size,
  serverCores: things,
  serverAvailability: share,
  availability: share,
  downtimeCost: count,
  corePrice: count,
  bigCorePrice: atLeastOne,
  statelessCost: count,
});

/** The facts of a file or of options; all problems at once. */
export function parseFacts(input: unknown): Outcome<Known> {
  const problems: Problem[] = [];
  const { preset, ...said } = shape.read(input, { path: "", problems }) ?? {};
  const ready = FACT_PRESETS[preset ?? ""] ?? {};
  const draft: Partial<Facts> = { ...ready, ...said };
  const origins = new Map(FACT_NAMES.map((fact) => [fact, originOf(fact, said, ready)]));
  const tableBytes = draft.tableBytes ?? draft.sizeBytes ?? DEFAULT_FACTS.tableBytes;
  const facts: Facts = { ...DEFAULT_FACTS, ...draft, tableBytes };
  contradictions(facts, problems);
  return problems.length > 0 ? { kind: "problems", problems: bounded(problems) } : ok({ facts, origins });
}

function originOf(fact: FactName, said: object, preset: object): Origin {
  if (fact in said) return "said";
  return fact in preset ? "preset" : "guess";
}

/** What cannot be true together, or at all. */
function contradictions(facts: Facts, problems: Problem[]): void {
  const { tableBytes, sizeBytes, availability, serverAvailability, busy, readsOwnWrites, lossMs } = facts;
  const rows: readonly [refused: boolean, fact: FactName, what: string, mend: string][] = [
    [
      tableBytes > sizeBytes,
      "tableBytes",
      "is larger than all data",
      "give a larger size, or a smaller table",
    ],
    [availability === 1, "availability", "is 100 %", "nothing is always up: write what is worth its price"],
    [serverAvailability === 1, "serverAvailability", "is 100 %", 'no server is always up: write "99.9%"'],
    [busy === 1, "busy", "is 100 %", "queues have no end there: write less"],
    [facts.money && lossMs > 0, "lossMs", "is above 0 though money is at stake", "leave out one of the two"],
    [
      readsOwnWrites && facts.writeRps === 0,
      "readsOwnWrites",
      "is true though nothing is written",
      "give writes, or leave it out",
    ],
  ];
  for (const [refused, fact, what, mend] of rows)
    if (refused) report({ path: FACTS[fact].name, problems }, what, mend);
}
