import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { figuresOf } from "../report/report.ts";
import { DEFAULT_FACTS, FACT_NAMES, FACTS, type FactName, type Facts } from "./facts.ts";
import { CHOICES, chooseReport, FACT_PRESETS, parseFacts, questionsReport } from "./index.ts";
import type { Verdict } from "./question.ts";

const verdict = (name: string, facts: Partial<Facts>): Verdict =>
  CHOICES[name]!.decide({ ...DEFAULT_FACTS, ...facts });

const known = (input: object) => {
  const outcome = parseFacts(input);
  if (outcome.kind === "problems") throw new Error(JSON.stringify(outcome.problems));
  return outcome.value;
};

type Row = [question: string, before: Partial<Facts>, after: Partial<Facts>, from: string, to: string];

describe("each rule turns at its threshold", () => {
  const plain = { busy: 0.3, costCv: 0.5 };
  const uncached = { hotShare: 0 };
  const rows: Row[] = [
    ["scaling", { readRps: 6300 }, { readRps: 6400 }, "one bigger server", "several"],
    ["scaling", { availability: 0.999 }, { availability: 0.99901 }, "one bigger server", "several"],
    ["scaling", { downtimeCost: 200 }, { downtimeCost: 2000 }, "one bigger server", "several"],
    ["algorithm", { busy: 0.3, costCv: 0.5 }, { busy: 0.8, costCv: 0.5 }, "round-robin", "least-requests"],
    ["algorithm", { busy: 0.7, costCv: 0.2 }, { busy: 0.7, costCv: 0.3 }, "round-robin", "least-requests"],
    ["algorithm", plain, { ...plain, longLived: true }, "round-robin", "least-requests"],
    ["algorithm", plain, { ...plain, strengthSpread: 1.1 }, "round-robin", "weighted-round-robin"],
    ["algorithm", { tasks: 64 }, { tasks: 65 }, "least-requests", "p2c"],
    ["algorithm", { speedSpread: 1.9 }, { speedSpread: 2 }, "least-requests", "least-response-time"],
    ["algorithm", { state: "session" }, { state: "room" }, "least-requests", "consistent-hash"],
    ["sessions", { state: "session" }, { state: "room" }, "stateless", "sticky by room"],
    ["sessions", { sessionBytes: 1.18e6 }, { sessionBytes: 1.19e6 }, "stateless", "sticky with store"],
    ["layer", { http: true }, { http: false }, "layer 7", "layer 4"],
    ["layer", { cpuMs: 0.061 }, { cpuMs: 0.06 }, "layer 7", "layer 4"],
    ["consistency", { oldestMs: 30_000 }, { oldestMs: 29_999 }, "AP", "CP"],
    ["consistency", { money: false }, { money: true }, "AP", "CP"],
    ["redundancy", { availability: 0.997 }, { availability: 0.9971 }, "one of each", "servers to spare"],
    ["redundancy", { availability: 0.9979 }, { availability: 0.998 }, "servers to spare", "two of each"],
    ["redundancy", { availability: 0.9998 }, { availability: 0.9999 }, "two of each", "three zones"],
    ["redundancy", { availability: 0.99995 }, { availability: 0.99999 }, "three zones", "two regions"],
    ["redundancy", { availability: 0.99999 }, { availability: 0.999999 }, "two regions", "beyond"],
    ["store", { graphDepth: 3 }, { graphDepth: 4 }, "sql", "graph"],
    ["store", { objectBytes: 999_999 }, { objectBytes: 1e6 }, "sql", "sql-and-objects"],
    ["store", { joins: "none", writeRps: 4999 }, { joins: "none", writeRps: 5000 }, "sql", "key-value"],
    ["store", { joins: "none", sizeBytes: 9e12 }, { joins: "none", sizeBytes: 1e13 }, "sql", "wide-column"],
    ["store", { joins: "few", writeRps: 1e6 }, { joins: "none", writeRps: 1e6 }, "sql", "key-value"],
    [
      "store",
      { appendOnly: true, writeRps: 4999 },
      { appendOnly: true, writeRps: 5000 },
      "sql",
      "time-series",
    ],
    ["caching", { hotShare: 0.49 }, { hotShare: 0.5 }, "none", "cache-aside with expiry"],
    ["caching", { readRps: 9.9 }, { readRps: 10 }, "none", "cache-aside with expiry"],
    [
      "caching",
      { staleMs: 1000 },
      { staleMs: 999 },
      "cache-aside with expiry",
      "cache-aside with invalidation",
    ],
    ["caching", {}, { readsOwnWrites: true }, "cache-aside with expiry", "write-through"],
    ["caching", { writeRps: 3499, lossMs: 1000 }, { writeRps: 3500, lossMs: 1000 }, "none", "write-behind"],
    ["caching", { writeRps: 3500, lossMs: 999 }, { writeRps: 3500, lossMs: 1000 }, "none", "write-behind"],
    ["fan-out", { readRps: 5 }, { readRps: 4.9 }, "push", "pull"],
    ["fan-out", { followersMax: 9999 }, { followersMax: 10_000 }, "push", "both"],
    ["database", { rowsScannedPerRow: 99 }, { rowsScannedPerRow: 100 }, "nothing", "an index"],
    ["database", { readRps: 7499 }, { readRps: 7500 }, "nothing", "a cache before it"],
    [
      "database",
      { ...uncached, readRps: 13_900 },
      { ...uncached, readRps: 14_000 },
      "nothing",
      "a bigger machine",
    ],
    ["database", { connections: 99 }, { connections: 100 }, "nothing", "a pool of connections"],
    ["database", { tableBytes: 63e9 }, { tableBytes: 64e9 }, "nothing", "partitions of the large table"],
    [
      "database",
      { tableBytes: 99e9, memoryBytes: 512e9 },
      { tableBytes: 100e9, memoryBytes: 512e9 },
      "nothing",
      "partitions of the large table",
    ],
    ["database", {}, { retentionDrop: true }, "nothing", "partitions of the large table"],
    ["database", { sizeBytes: 9.9e12 }, { sizeBytes: 10e12 }, "nothing", "shards"],
  ];
  for (const [name, before, after, from, to] of rows) {
    test(`${name}: ${from}, then ${to}, by ${Object.keys(after).join(" and ") || "default"}`, () => {
      expect([verdict(name, before).choice, verdict(name, after).choice]).toEqual([from, to]);
    });
  }

  test("every question is in the table above", () => {
    expect(new Set(rows.map(([name]) => name))).toEqual(new Set(Object.keys(CHOICES)));
  });
});

describe("whatever is asked", () => {
  for (const [name, question] of Object.entries(CHOICES)) {
    test(`${name} names what decided, with an argument, and what it costs`, () => {
      for (const facts of [{}, ...Object.values(FACT_PRESETS)]) {
        const { triggers, tradeOff } = verdict(name, facts);
        expect(triggers.length).toBeGreaterThan(0);
        expect(triggers.every(({ because }) => because !== "")).toBe(true);
        expect(tradeOff).not.toBe("");
      }
    });

    test(`${name} reads known facts, each once`, () => {
      expect(question.reads.every((fact) => FACT_NAMES.includes(fact))).toBe(true);
      expect(new Set(question.reads).size).toBe(question.reads.length);
    });
  }

  test("nothing is NaN and every figure has its formula, with every fact at 0 or 1", () => {
    const numbers = FACT_NAMES.filter((fact) => typeof DEFAULT_FACTS[fact] === "number");
    for (const fact of numbers) {
      const facts = { ...DEFAULT_FACTS, [fact]: /Cores|tasks|connections|Spread|bigCore/.test(fact) ? 1 : 0 };
      const report = chooseReport({ facts, origins: new Map() }, Object.keys(CHOICES));
      for (const { formula } of figuresOf(report)) expect(formula).not.toBe("");
    }
  });

  test("no two figures of a report share a key", () => {
    const report = chooseReport(known({ preset: "twitter" }), Object.keys(CHOICES));
    const cells = report.sections.flatMap((section) => (section.kind === "table" ? section.rows.flat() : []));
    expect(cells.filter((cell) => typeof cell !== "string").length).toBe(figuresOf(report).length);
  });

  test("the list of questions has them all", () => {
    const [section] = questionsReport().sections;
    expect(JSON.stringify(section)).toContain("one bigger server, or several");
  });
});

test("any three hundred apps get answers with numbers, the same each time", () => {
  const random = seededRandom(7);
  const numbers = FACT_NAMES.filter((fact) => typeof DEFAULT_FACTS[fact] === "number");
  const any = (fact: FactName): number => {
    const { unit, whole } = FACTS[fact];
    if (unit === "share" || unit === "availability") return random() * 0.9999;
    const value = (DEFAULT_FACTS[fact] as number) * 10 ** (random() * 12 - 6);
    return whole === true || fact === "bigCorePrice" ? Math.max(1, Math.round(value)) : value;
  };
  for (let i = 0; i < 300; i++) {
    const facts = { ...DEFAULT_FACTS, ...Object.fromEntries(numbers.map((fact) => [fact, any(fact)])) };
    for (const question of Object.values(CHOICES)) {
      const { triggers, choice } = question.decide(facts);
      expect(triggers.some((one) => one.kind === "number" && Number.isNaN(one.value))).toBe(false);
      expect(question.decide(facts).choice).toBe(choice);
    }
  }
});

describe("the ladder", () => {
  test("a system of a thousand users is told not to shard, and how far away that is", () => {
    const { answer, more } = verdict("database", {
      readRps: 10,
      writeRps: 1,
      sizeBytes: 1e9,
      tableBytes: 1e9,
    });
    expect(answer).toBe("nothing: do not shard, do not partition");
    expect(more).toEqual([
      "Shards are for 7,000/s writes (7,000 times what there is) or 10 TB (10,000 times what there is).",
    ]);
  });

  test("1.2 million reads, 12,000 writes and 180 TB begin with a cache and end in 18 shards", () => {
    const { answer, more } = verdict("database", {
      readRps: 1.2e6,
      writeRps: 12e3,
      sizeBytes: 180e12,
      tableBytes: 180e12,
    });
    expect(answer).toBe("a cache before it; in the end 18 shards");
    expect(more![0]).toBe(
      "After it: a bigger machine, 5 replicas that read, partitions of the large table, 18 shards.",
    );
  });

  test("an index comes first, and what was reckoned without it is to be asked again", () => {
    const { choice, more } = verdict("database", { rowsScannedPerRow: 1000, writeRps: 100_000 });
    expect(choice).toBe("an index, shards in the end");
    expect(more!.at(-1)).toContain("ask again");
  });

  test("reads that must not be 100 ms old get no replicas, but shards", () => {
    const reads = { hotShare: 0, readRps: 200_000 };
    expect(verdict("database", { ...reads, staleMs: 100 }).answer).toContain("do not shard");
    expect(verdict("database", { ...reads, staleMs: 99 }).answer).toContain("in the end 4 shards");
  });
});

describe("operations", () => {
  const { operations } = known({
    operations: "pay=money,signup=name,like=counter,search=5m,ban=permission",
  }).facts;

  test("are CP or AP each by itself", () => {
    expect(verdict("consistency", { operations }).answer).toBe(
      "CP for pay, signup, ban; AP for like, search",
    );
  });

  test("cost what both cost", () => {
    expect(verdict("consistency", { operations }).tradeOff).toMatch(/does not write; .*must be merged/);
  });
});

describe("a blog of ten million readers a day", () => {
  const blog = known({ preset: "blog" });
  const five = ["scaling", "algorithm", "sessions", "consistency", "redundancy"];
  const report = chooseReport(blog, five);

  const answers = [
    /^one bigger server, or several: several: [23] servers of 8 cores, one of them to spare\.$/,
    /^balancing algorithm: least-requests\.$/,
    /^sticky or stateless: stateless: there is nothing to keep\.$/,
    /: AP: answer from what is there\.$/,
    /^availability and redundancy: 99\.95 % \(4\.38 h a year\): two of each/,
  ];
  for (const [index, answer] of answers.entries())
    test(`is told: ${answer.source}`, () => expect(report.answer[index]).toMatch(answer));

  test("is told not to shard", () => {
    expect(verdict("database", blog.facts).answer).toEndWith("do not shard");
  });

  test("says of each fact whether it was said, came with the preset or was guessed", () => {
    const { origins } = known({ preset: "blog", cpu: "4ms" });
    expect([origins.get("cpuMs"), origins.get("readRps"), origins.get("serverCores")]).toEqual([
      "said",
      "preset",
      "guess",
    ]);
  });
});

describe("presets end where their kind of app does", () => {
  const rows: [preset: string, question: string, choice: string][] = [
    ["twitter", "database", "a cache before it, shards in the end"],
    ["twitter", "fan-out", "both"],
    ["twitter", "scaling", "several"],
    ["short-links", "store", "sql"],
    ["chat", "store", "wide-column"],
    ["chat", "algorithm", "least-requests"],
    ["photos", "store", "sql-and-objects"],
  ];
  for (const [preset, name, choice] of rows)
    test(`${preset}: ${name} is ${choice}`, () =>
      expect(verdict(name, FACT_PRESETS[preset]!).choice).toBe(choice));
});

describe("facts that cannot be are refused", () => {
  const rows: [input: object, line: string][] = [
    [{ hotShare: "130%" }, 'hotShare: is the string "130%"'],
    [{ reads: "100" }, 'reads: is the string "100"; write a rate such as "100/s"'],
    [{ reads: 100 }, "reads: is 100; write a rate"],
    [{ reads: "1/s", readRps: 1 }, "is given twice"],
    [{ size: "10M" }, 'write "10MiB" (1024s) or "10MB" (1000s)'],
    [{ reeds: "1/s" }, 'reeds: is not a known key; did you mean "reads"?'],
    [{ state: "rooms" }, 'did you mean "room"?'],
    [{ preset: "blgo" }, 'did you mean "blog"?'],
    [{ writes: Number.NaN }, "writes: is a NaN"],
    [{ tasks: 0 }, "tasks: is 0"],
    [{ tasks: 2.5 }, "tasks: is 2.5; write a whole number"],
    [{ connections: "1.5" }, "write a whole number from 1"],
    [{ availability: "100%" }, "availability: is 100 %; nothing is always up"],
    [{ serverAvailability: 1 }, "serverAvailability: is 100 %"],
    [{ busy: "100%" }, "busy: is 100 %; queues have no end there"],
    [{ size: "1GB", table: "2GB" }, "table: is larger than all data"],
    [{ money: true, loss: "1s" }, "loss: is above 0 though money is at stake"],
    [{ writes: "0/s", readsOwnWrites: true }, "readsOwnWrites: is true though nothing is written"],
    [{ operations: "pay" }, 'write operations such as "pay=money,like=counter"'],
    [{ operations: "pay=money,pay=feed" }, "each once"],
    [{ operations: { pay: "monney" } }, "operations.pay: is the string"],
    [[], "is a list"],
  ];
  for (const [input, line] of rows) {
    test(JSON.stringify(input), () => {
      const outcome = parseFacts(input);
      const lines =
        outcome.kind === "problems"
          ? outcome.problems.map(({ path, what, mend }) => `${path}: ${what}; ${mend}`)
          : [];
      expect(lines.join("\n")).toContain(line);
    });
  }

  test("all at once", () => {
    expect(parseFacts({ hotShare: 2, reeds: 1, tasks: 0 })).toMatchObject({ problems: { length: 3 } });
  });
});
