/** What a person sees of `tenfold estimate`. The numbers are proved beside the formulas. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder, tenfold } from "../testing.ts";

const FILES = {
  "shop.yaml":
    "users: 2M\nactions:\n  - { name: orders, kind: write, perUser: 0.05, stored: 2KB }\n  - { name: pages, kind: read, perUser: 12, answer: 60KB }\n  - { name: searches, kind: read, perDay: 1M, cpu: 40ms }\npeak: 4\n",
  "wrong.yaml": "preset: blog\npeek: 3\nusers: 10X\n",
  "own.yaml": "asOf: our last bill\ncdnPerGb: 0\negressPerGb: 0\n",
  "odd.json": '{ "corPerMonth": 3 }',
};

let folder: ReturnType<typeof scratchFolder>;

beforeAll(() => {
  folder = scratchFolder();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder.path, name), text);
});

afterAll(() => folder[Symbol.dispose]());

const ask = (...words: string[]) => tenfold(["estimate", ...words], { cwd: folder.path });

const OWN = ["--users", "10M", "--reads", "10", "--writes", "0.01", "--page", "100KB"];

describe("an answer", () => {
  const rows: [words: string[], said: string][] = [
    [
      ["twitter"],
      "2,314,815/s reads and 23,148/s writes at the peak; 1.1 EB kept after 5 years in 3 copies.",
    ],
    [["blog"], "2 servers of 4 cores, 70 % busy and 1 to spare"],
    [["blog", "--users", "1M"], "579/s reads and 0.579/s writes at the peak"],
    [["blog", "--reads", "20", "--peak", "1"], "2,315/s reads and 1.16/s writes at the peak"],
    [["blog", "--growth", "150%"], "At 150 % growth a year"],
    [["blog", "--prices", "own.yaml"], "USD at prices of our last bill"],
    [OWN, "10,000,000 users a day"],
    [[...OWN, "--item", "5KB"], "912.5 GB"],
    [[...OWN, "--file", "1MB", "--files", "50%"], "files, in 3 copies"],
    [["--users", "1M", "--writes", "2", "--ratio", "50"], "2,315/s reads and 46.3/s writes"],
    [["shop.yaml"], "do not shard."],
    [["shop.yaml", "--copies", "1"], "One copy is gone with its disk"],
    [
      ["cpu", "--rate", "10000/s", "--cpu", "10ms", "--cores", "4"],
      "25 servers of 4 as the floor, 36 at 70 % busy, 37",
    ],
    [["cpu", "--rate", "10000/s", "--objective", "p99 < 50ms"], "needs 26 to 42 of them"],
    [["blog", "--objective", "p99 < 10ms"], "No number of servers keeps a p99 of at most 10 ms"],
    [["powers"], "1,099,511,627,776"],
    [["latency"], "round trip, same data centre"],
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
    [[], ["WORKLOAD is missing"]],
    [["blgo"], ['did you mean "blog"?']],
    [
      ["something"],
      ["write one of twitter, blog, short-links, chat, photos, cpu, powers, latency, or a file"],
    ],
    [["gone.yaml"], ["cannot read gone.yaml (ENOENT)"]],
    [["wrong.yaml"], ['did you mean "peak"?', 'users: is "10X"']],
    [[...OWN.slice(0, -1), "10M"], ['write "10MiB" (1024s) or "10MB" (1000s)']],
    [["--reads", "3"], ["write how many there are in a day, such as 10M"]],
    [["shop.yaml", "--reads", "3"], ["there are 2 of them; change them in the file"]],
    [
      ["blog", "--users", "-1", "--cores", "1.5"],
      ["--users", "--cores: is 1.5; write a whole number"],
    ],
    [["blog", "--users", "NaN"], ["--users"]],
    [["blog", "--busy", "70"], ["which may mean 70 or 70 %"]],
    [["blog", "--cdn", "120%"], ['write a share from "0%" to "100%"']],
    [["blog", "--prices", "odd.json"], ["did you mean corePerMonth?"]],
    [["cpu"], ["--rate is missing"]],
    [["cpu", "--rate", "10000"], ['write "10000/s" or "10000/day"']],
    [["cpu", "--rate", "1e18/s"], ["check the units"]],
    [["cpu", "--rate", "1/s", "--users", "3"], ["--users means nothing to estimate cpu"]],
    [["blog", "--measure"], ["--measure means nothing to estimate blog"]],
  ];
  for (const [words, said] of rows) {
    test(words.length === 0 ? "nothing" : words.join(" "), async () => {
      const { code, err } = await ask(...words);
      for (const part of said) expect(err).toContain(part);
      expect(code).not.toBe(0);
    });
  }
});

test("a script reads each figure with its inputs, and the mental one beside it", async () => {
  const { out } = await ask("twitter", "--json");
  expect(JSON.parse(out)).toMatchObject({
    figures: {
      readRps: { value: expect.closeTo(1_157_407.4, 1), inputs: { "reads a day": 1e11 } },
      readRpsInHead: { value: 1e6, formula: "100 G / 10^5 (86,400 -> 10^5)" },
      serversWithSpare: { value: 219, unit: "count" },
    },
  });
});

test("every number explains itself", async () => {
  const { out } = await ask("blog", "--explain");
  expect(out).toContain("reads at the peak: 5,787/s\n  = reads a day / 86,400 s x peak");
  expect(out).toContain("with reads a day = 100,000,000/day, peak = 5");
});

test("a document gets Markdown", async () => {
  const { out } = await ask("blog", "--md");
  expect(out).toContain("| reads at the peak | 5,787/s | 5,000/s | -14 % |");
});
