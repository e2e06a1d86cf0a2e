/** What a person sees of `tenfold choose`. The rules are proved beside themselves. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder, tenfold } from "../testing.ts";

const FILES = {
  "shop.yaml": "preset: blog\nreads: 900/s\noperations: { pay: money, like: counter }\n",
  "wrong.yaml": "reeds: 1/s\nhotShare: 130%\n",
  "list.yaml": "- 1\n",
};

let folder: ReturnType<typeof scratchFolder>;

beforeAll(() => {
  folder = scratchFolder();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder.path, name), text);
});

afterAll(() => folder[Symbol.dispose]());

const ask = (...words: string[]) => tenfold(["choose", ...words], { cwd: folder.path });

const SERVERS = [
  "--rate",
  "100000/s",
  "--objective",
  "p99 < 50ms",
  "--server-rate",
  "5000/s",
  "--server-p99",
];

describe("an answer", () => {
  const rows: [words: string[], said: string[]][] = [
    [[], ["fan-out", "feeds: push on write or pull on read", "followersMax"]],
    [
      ["database", "--writes", "12k/s", "--reads", "1.2M/s", "--size", "180TB"],
      ["a cache before it; in the end 18 shards.", "5 replicas that read"],
    ],
    [["database", "--set", "writes=1/s"], ["do not shard"]],
    [["store", "--joins", "none", "--writes", "6000/s"], ["a key-value store"]],
    [["caching", "--reads-own-writes"], ["write-through"]],
    [["layer", "--http", "no"], ["layer 4"]],
    [
      ["scaling", "--reads", "3000/s"],
      ["busy cores on.", "* one   o several"],
    ],
    [
      ["consistency", "shop.yaml"],
      ["CP for pay; AP for like.", "money paid out twice does not come back"],
    ],
    [
      ["all", "shop.yaml"],
      ["CP for pay; AP for like.", "900/s  said"],
    ],
    [
      ["algorithm,sessions", "blog"],
      ["least-requests.", "there is nothing to keep."],
    ],
    [
      ["servers", ...SERVERS, "30ms"],
      ["30 servers:", "Division says 20", "less than 1.6 %"],
    ],
  ];
  for (const [words, said] of rows) {
    test(`to ${words.join(" ") || "nothing"}`, async () => {
      const { code, out } = await ask(...words);
      for (const part of said) expect(out).toContain(part);
      expect(code).toBe(0);
    });
  }
});

describe("a question that cannot be answered is refused, and mended", () => {
  const rows: [words: string[], said: string[]][] = [
    [["databse"], ['there is no question "databse": did you mean "database"?']],
    [["database", "blgo"], ['there is no app "blgo"']],
    [
      ["database", "wrong.yaml"],
      ['did you mean "reads"?', 'hotShare: is the string "130%"', "2 problems"],
    ],
    [["database", "list.yaml"], ["list.yaml holds no facts"]],
    [["database", "shop.yaml", "--facts", "shop.yaml"], ["two files of facts"]],
    [["database", "--read", "1/s"], ["did you mean --reads?"]],
    [["database", "--reads", "100"], ['write a rate such as "100/s"']],
    [["database", "--hot-share", "130%"], ['hotShare: is the string "130%"']],
    [["database", "--set", "writes"], ["write FACT=VALUE"]],
    [["database", "--rate", "1/s"], ["--rate means nothing to database"]],
    [["--reads", "1/s"], ["--reads means nothing to the list of questions"]],
    [["servers"], ["--rate: is missing", "--server-p99: is missing"]],
    [["servers", ...SERVERS, "60ms"], ["--server-p99 is above the objective"]],
    [["servers", ...SERVERS, "30ms", "--reads", "1/s"], ["--reads means nothing to servers"]],
    [["servers", "blog", ...SERVERS, "30ms"], ["servers reads no app"]],
  ];
  for (const [words, said] of rows) {
    test(words.join(" "), async () => {
      const { code, err } = await ask(...words);
      for (const part of said) expect(err).toContain(part);
      expect(code).toBe(2);
    });
  }
});

test("a script reads each number, its threshold and its inputs", async () => {
  const { out } = await ask("scaling", "--reads", "3000/s", "--json");
  expect(JSON.parse(out)).toMatchObject({
    figures: {
      busyCores: { value: 30.05, unit: "cores", inputs: { reads: 3000, writes: 5, CPU: 10 } },
      busyCoresThreshold: { value: expect.closeTo(63.17, 1) },
      "scaling.readRps": { unit: "perSecond" },
    },
  });
});

test("every number explains itself, and a document gets its tables", async () => {
  const { out } = await ask("database", "--explain", "--md");
  expect(out).toContain("max((writes / 10,000/s + reads that no replica may take) / 70 %, data / 10 TB)");
  expect(out).toMatch(/\| .*--:/);
});
