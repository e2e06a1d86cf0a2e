/**
 * CP or AP, for each operation: while machines cannot reach each other, an error or what may be old.
 *
 * A partition lasts as long as a failover takes, or longer; an operation may go on with old answers if they are still
 * better than an error by then. Without a partition the choice is another one (PACELC, Abadi 2012): latency or
 * consistency, that is whether reads may go to a replica.
 */
import type { Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import type { Operation } from "./facts.ts";
import { rowOf } from "./operations.ts";
import { question, type Trigger, type Verdict } from "./question.ts";

/** Patroni's lease with its defaults; a dead node's failover took 23.6 s by it. */
const FAILOVER_MS = 30_000;

/** How far a replica near by is behind when all is well, with room for a busy minute. */
const REPLICA_LAG_MS = 100;

/** Error or old answer. */
export const consistency: ReturnType<typeof question> = question({
  asks: "during a partition: an error (CP) or an old answer (AP)",
  reads: ["money", "oldestMs", "staleMs", "operations"],
  decide: ({ money, oldestMs, staleMs, operations }): Verdict => {
    const cp = money || oldestMs < FAILOVER_MS;
    const [errors, olds] = [named(operations, false), named(operations, true)];
    const split = operations.size > 0;
    return {
      choice: split ? `CP ${errors.join(" ")} AP ${olds.join(" ")}` : cp ? "CP" : "AP",
      answer: split
        ? `${listed("CP", errors)}; ${listed("AP", olds)}`
        : cp
          ? "CP: refuse what cannot be checked"
          : "AP: answer from what is there",
      tradeOff: tradeOffOf(split ? errors.length > 0 : cp, split ? olds.length > 0 : !cp),
      triggers: triggersOf(money, oldestMs, staleMs),
      more: [
        ...(split || money ? [] : ["Decide it for each operation: --operations pay=money,like=counter."]),
        staleMs >= REPLICA_LAG_MS
          ? "Without a partition reads may go to replicas (latency before consistency)."
          : "Without a partition reads stay at the primary, or wait for the replica (consistency before latency).",
      ],
    };
  },
  sections: ({ operations }) => (operations.size === 0 ? [] : [operationTable(operations)]),
});

function mayBeOld(operation: Operation): boolean {
  return rowOf(operation).oldestMs >= FAILOVER_MS;
}

function named(operations: ReadonlyMap<string, Operation>, old: boolean): string[] {
  return [...operations].flatMap(([name, operation]) => (mayBeOld(operation) === old ? [name] : []));
}

function listed(choice: string, names: readonly string[]): string {
  return names.length === 0 ? `nothing ${choice}` : `${choice} for ${names.join(", ")}`;
}

function tradeOffOf(errors: boolean, olds: boolean): string {
  return [
    ...(errors ? ["the smaller side of a partition does not write"] : []),
    ...(olds ? ["two sides may say different things until they meet again, and then must be merged"] : []),
  ].join("; ");
}

function triggersOf(money: boolean, oldestMs: number, staleMs: number): Trigger[] {
  return [
    {
      kind: "word",
      what: "a wrong answer cannot be taken back",
      is: money ? "yes" : "no",
      wanted: "yes",
      because: "what cannot be taken back is refused rather than guessed",
    },
    {
      kind: "number",
      key: "oldest",
      what: "oldest answer that is better than an error",
      value: oldestMs,
      threshold: FAILOVER_MS,
      unit: "ms",
      formula: "given, or assumed",
      because: "a partition lasts as long as a failover takes: a lease of 30 s",
      becauseSource: "Gilbert & Lynch 2002; Patroni's default ttl",
    },
    {
      kind: "number",
      key: "stale",
      what: "age that a reader does not notice",
      value: staleMs,
      threshold: REPLICA_LAG_MS,
      unit: "ms",
      formula: "given, or assumed",
      because: "a replica near by is less than a tenth of a second behind",
      becauseSource: "PACELC, Abadi 2012",
    },
  ];
}

function operationTable(operations: ReadonlyMap<string, Operation>): Table {
  return {
    kind: "table",
    title: `Operations: an answer must bear ${formatNumber(FAILOVER_MS, "ms")} of age to be AP`,
    columns: [
      { title: "operation" },
      { title: "oldest", align: "right" },
      { title: "during a partition" },
      { title: "because" },
    ],
    rows: [...operations].map(([name, operation]) => {
      const { oldestMs, because } = rowOf(operation);
      return [
        name,
        formatNumber(oldestMs, "ms"),
        mayBeOld(operation) ? "AP: old answer" : "CP: error",
        because,
      ];
    }),
  };
}
