import { describe, expect, test } from "bun:test";
import { DEFAULT_FACTS, type Facts } from "./facts.ts";
import { CHOICES, chooseReport, FACT_PRESETS, parseFacts, type Turn, turnsOf } from "./index.ts";

const turns = (name: string, facts: Partial<Facts> = {}): Turn[] =>
  turnsOf(CHOICES[name]!, { ...DEFAULT_FACTS, ...facts });

const turn = (name: string, fact: string, facts: Partial<Facts> = {}): Turn | undefined =>
  turns(name, facts).find((one) => one.fact === fact);

describe("a turn is where the rule's own threshold is", () => {
  const rows: [name: string, fact: string, facts: Partial<Facts>, at: number, choice: string][] = [
    ["database", "readRps", {}, 7500, "a cache before it"],
    ["database", "rowsScannedPerRow", {}, 100, "an index"],
    ["database", "connections", {}, 100, "a pool of connections"],
    ["caching", "hotShare", {}, 0.5, "none"],
    ["consistency", "oldestMs", {}, 30_000, "CP"],
    ["consistency", "oldestMs", { oldestMs: 0 }, 30_000, "AP"],
    ["store", "graphDepth", {}, 4, "graph"],
    ["algorithm", "tasks", { tasks: 60 }, 65, "p2c"],
    ["scaling", "availability", { availability: 0.9999 }, 0.999, "one bigger server"],
  ];
  for (const [name, fact, facts, at, choice] of rows) {
    test(`${name} at ${fact} ${at}`, () => {
      expect(turn(name, fact, facts)?.at as number).toBeCloseTo(at, -Math.log10(at) + 3);
      expect(turn(name, fact, facts)?.choice).toBe(choice);
    });
  }

  test("words and flags turn too", () => {
    expect(turn("sessions", "state")).toMatchObject({ at: "room", choice: "sticky by room" });
    expect(turn("layer", "http")).toMatchObject({ at: false, choice: "layer 4" });
  });

  test("what changes nothing is not told", () => {
    expect(turn("layer", "http", { cpuMs: 0.01 })).toBeUndefined();
    expect(turn("consistency", "oldestMs", { money: true })).toBeUndefined();
  });

  test("an app that is ten thousand times another one is not told either", () => {
    expect(turn("database", "writeRps", { writeRps: 0.01 })).toBeUndefined();
  });
});

test("each turn is the other side of the rule, and just before it the answer stands", () => {
  for (const preset of Object.values(FACT_PRESETS)) {
    const facts = { ...DEFAULT_FACTS, ...preset };
    for (const [name, question] of Object.entries(CHOICES)) {
      const { choice } = question.decide(facts);
      for (const { fact, at, choice: then } of turnsOf(question, facts)) {
        expect([name, fact, question.decide({ ...facts, [fact]: at }).choice]).toEqual([name, fact, then]);
        expect(then).not.toBe(choice);
      }
    }
  }
});

test("the nearest comes first", () => {
  const factors = turns("database").map(({ factor }) => factor);
  expect(factors).toEqual(factors.toSorted((a, b) => a - b));
});

test("a report names the guess that is nearest to another answer, never one that was said", () => {
  const outcome = parseFacts({ connections: 90, reads: "5000/s", table: "1GB", memory: "64GB" });
  if (outcome.kind === "problems") throw new Error();
  const { answer } = chooseReport(outcome.value, ["database"]);
  expect(answer.at(-1)).toStartWith("Check first, since it is a guess: rowsScannedPerRow, 1; at 100");
  expect(answer.join(" ")).not.toContain("guess: connections");
});
