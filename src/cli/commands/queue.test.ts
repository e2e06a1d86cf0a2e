/** What a person sees of `tenfold queue`. The numbers are proved beside the formulas. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder, tenfold } from "../testing.ts";

const FILES = {
  "shop.yaml":
    "- { name: cpu, visits: 16, time: 10ms }\n- { name: disk, time: 30ms, servers: 2 }\n- { name: net, time: 5ms, servers: delay }\n",
  "twice.yaml": "- { name: cpu, time: 10ms }\n- { name: cpu, tim: 3 }\n",
  "free.yaml": "[{ name: cpu, time: 0ms }]",
  "measured.csv": "threads,per second\n1,100\n2,180\n4,290\n8,380\n16,390\n32,300\n",
  "few.csv": "4,100\n",
  "words.csv": "4,100\n8,fast\n16,0\n",
};

let folder: ReturnType<typeof scratchFolder>;

beforeAll(() => {
  folder = scratchFolder();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder.path, name), text);
});

afterAll(() => folder[Symbol.dispose]());

const ask = (...words: string[]) => tenfold(["queue", ...words], { cwd: folder.path });

const QUEUE = ["--rate", "100/s", "--time", "25ms"];

describe("an answer", () => {
  const rows: [words: string[], said: string][] = [
    [[...QUEUE, "--servers", "4"], "32 % of the requests wait; 99 % are answered within 127 ms."],
    [[...QUEUE, "--servers", "2"], "The queue grows by 20/s, and is 1,000 long after 50 s."],
    [[...QUEUE, "--servers", "2", "--capacity", "20"], "from empty it is full after about 940 ms"],
    [[...QUEUE, "--objective", "p99 < 200ms"], "4 servers: no fewer keep a p99 of at most 200 ms."],
    [[...QUEUE, "--servers", "3", "--objective", "p99 < 200ms"], "is broken; it needs 4."],
    [[...QUEUE, "--servers", "9", "--objective", "mean < 30ms"], "is kept; 5 would do."],
    [[...QUEUE, "--objective", "p99 < 20ms"], "the service alone takes too long"],
    [["--rate", "1e18/s", "--time", "1h", "--objective", "mean < 2h"], "check the units of rate and time"],
    [["--rate", "80/s", "--time", "10ms", "--cv", "2"], "Two moments do not fix a tail"],
    [["--rate", "30/s", "--time", "100ms", "--servers", "3"], "At exactly 100 % chance alone"],
    [["erlang", "--load", "6", "--servers", "10"], "with one 10.13 % wait"],
    [["erlang", "--load", "12", "--servers", "10"], "there is no steady state"],
    [["network", "shop.yaml", "--rate", "5/s"], "cpu is the fullest station, 80 % busy."],
    [["network", "shop.yaml", "--rate", "50/s"], "Fewer than 6.25/s get through"],
    [["closed", "shop.yaml", "--users", "20", "--think", "1s"], "cpu limits it: never more than 6.25/s."],
    [["usl", "measured.csv"], "beyond it more makes it slower"],
  ];
  for (const [words, said] of rows) {
    test(`to ${words.join(" ")}: ${said}`, async () => {
      const { code, out } = await ask(...words);
      expect(out).toContain(said);
      expect(code).toBe(0);
    });
  }
});

describe("a question that cannot be answered is refused, and mended", () => {
  const rows: [words: string[], said: string[]][] = [
    [[], ["--rate: is missing", "--time: is missing"]],
    [
      ["--rate", "100", "--time", "25"],
      ['write "100/s" or "100/day"', 'write "25ms"'],
    ],
    [[...QUEUE, "--servers", "2.5"], ["--servers is 2.5: write a whole number"]],
    [
      [...QUEUE, "--servers", "0", "--cv", "NaN"],
      ["from 1 to 1000000", '--cv: is "NaN"'],
    ],
    [[...QUEUE, "--servers", "4", "--capacity", "3"], ["below 4 servers"]],
    [[...QUEUE, "--capacity", "3", "--cv", "2"], ["no formula beside --capacity"]],
    [[...QUEUE, "--capacity", "3", "--objective", "mean < 1s"], ["for a queue without a bound"]],
    [[...QUEUE, "--objective", "fast"], ["p99 < 200ms"]],
    [[...QUEUE, "--users", "3"], ["--users means nothing to one queue"]],
    [["usk", "measured.csv"], ['did you mean "usl"?']],
    [["usl"], ["FILE is missing"]],
    [["usl", "few.csv"], ["fewer than three different N"]],
    [
      ["usl", "words.csv"],
      ["line 2", "line 3"],
    ],
    [["erlang", "few.csv"], ["erlang reads no file"]],
    [
      ["network", "twice.yaml", "--rate", "1/s"],
      ['did you mean "time"?', "as another is"],
    ],
    [["closed", "free.yaml", "--users", "3"], ["give a station a time above 0"]],
    [["closed", "shop.yaml", "--users", "20M"], ["from 1 to 1000000"]],
  ];
  for (const [words, said] of rows) {
    test(words.length === 0 ? "nothing" : words.join(" "), async () => {
      const { code, err } = await ask(...words);
      for (const part of said) expect(err).toContain(part);
      expect(code).toBe(2);
    });
  }
});

test("a script reads each figure with its inputs", async () => {
  const { out } = await ask(...QUEUE, "--servers", "4", "--json");
  expect(JSON.parse(out)).toMatchObject({
    figures: {
      utilisation: { value: 0.625, inputs: { rate: 100, time: 25, servers: 4 } },
      p99Ms: { value: expect.closeTo(126.7, 1), unit: "ms", source: expect.stringContaining("Erlang") },
    },
  });
});

test("every number explains itself", async () => {
  const { out } = await ask("closed", "shop.yaml", "--users", "20", "--explain");
  expect(out).toContain("throughput: 6.25/s\n  = users / (think time + answer)");
  expect(out).toContain("after Reiser & Lavenberg 1980");
});
