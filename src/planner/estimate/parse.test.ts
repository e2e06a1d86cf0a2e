/** What people write of a workload, and of prices. */
import { describe, expect, test } from "bun:test";
import { formatProblem } from "../../config/index.ts";
import { PRICES, parsePrices, parseWorkload, type Workload } from "./index.ts";
import type { Overrides } from "./override.ts";
import { loadsOf } from "./workload.ts";

function linesOf(input: unknown, over?: Overrides): string {
  const outcome = parseWorkload(input, over);
  return outcome.kind === "problems" ? outcome.problems.map(formatProblem).join("\n") : "";
}

function workloadOf(input: unknown, over?: Overrides): Workload {
  const outcome = parseWorkload(input, over);
  if (outcome.kind === "problems") throw new Error(linesOf(input, over));
  return outcome.value;
}

const VIEWS = { name: "views", kind: "read", perUser: 10, answer: "100KB" };
const POSTS = { name: "posts", kind: "write", perUser: "0.01", stored: "5KB", cpu: "20ms" };

test("is read with its units, the rest by default", () => {
  const attachment = { share: "10%", size: "2MB" };
  const workload = workloadOf({ users: "2M", actions: [{ ...POSTS, attachment }], growth: "150%" });
  expect(workload).toMatchObject({ users: 2e6, growth: 1.5, peak: 2, copies: 3 });
  expect(workload.actions).toMatchObject([
    { times: 0.01, per: "user", storedBytes: 5e3, cpuMs: 20, attachment: { share: 0.1, bytes: 2e6 } },
  ]);
});

test("actions are counted by the user, by the day or by the write", () => {
  const actions = [
    POSTS,
    { name: "imports", kind: "write", perDay: "1k" },
    { name: "reads", kind: "read", perWrite: 100 },
  ];
  const perDay = loadsOf(workloadOf({ users: 1e6, actions })).map((load) => load.perDay);
  expect(perDay).toEqual([1e4, 1e3, 1.1e6]);
});

test("a CDN answers reads, never writes, and an action may say otherwise", () => {
  const actions = [POSTS, VIEWS, { ...VIEWS, name: "feeds", cdnShare: 0 }];
  const shares = loadsOf(workloadOf({ users: 1, actions, cdnShare: "90%" })).map((load) => load.cdnShare);
  expect(shares).toEqual([0, 0.9, 0]);
});

describe("numbers put over it", () => {
  const rows: [input: object, over: Overrides, wanted: object][] = [
    [{ preset: "blog" }, { users: 1e6 }, { users: 1e6, actions: [{ times: 0.01 }, { times: 10 }] }],
    [{ preset: "blog" }, { readsPerUser: 3 }, { actions: [{}, { name: "views", times: 3, per: "user" }] }],
    [{ preset: "twitter" }, { readsPerUser: 3 }, { actions: [{}, { times: 3, per: "user" }] }],
    [{ preset: "blog" }, { readsPerWrite: 7 }, { actions: [{}, { times: 7, per: "write" }] }],
    [{ preset: "blog" }, { fileShare: 0.5 }, { actions: [{ attachment: { share: 0.5, bytes: 5e5 } }, {}] }],
    [{}, { users: 5, readsPerUser: 2, pageBytes: 9 }, { actions: [{ name: "reads", answerBytes: 9 }] }],
    [{ users: 5, actions: [POSTS] }, { fileBytes: 9 }, { actions: [{ attachment: { share: 1, bytes: 9 } }] }],
  ];
  for (const [input, over, wanted] of rows)
    test(JSON.stringify({ ...input, ...over }), () => expect(workloadOf(input, over)).toMatchObject(wanted));
});

describe("what makes no sense is refused, and mended", () => {
  const rows: [input: unknown, line: string, over?: Overrides][] = [
    [[], "workload: is no object; write { preset: blog, users: 2M }"],
    [{}, "actions: are missing"],
    [{ preset: "blgo" }, 'preset: is the string "blgo"; did you mean "blog"?'],
    [{ preset: "blog", users: "many" }, 'users: is "many"; write a number'],
    [{ preset: "blog", users: -1 }, "users: is -1"],
    [{ preset: "blog", users: 1e12 }, "write a number from 0 to 100000000000"],
    [{ preset: "blog", users: Number.NaN }, "users: is a NaN"],
    [{ preset: "blog", peek: 3 }, 'peek: is not a known key; did you mean "peak"?'],
    [{ preset: "blog", copies: 1.5 }, "write a whole number from 1 to 100"],
    [{ preset: "blog", cdnShare: "90" }, "which may mean 90 or 90 %"],
    [{ preset: "blog", busyTarget: "0%" }, "busyTarget"],
    [{ preset: "blog", growth: "5000%" }, "write a growth a year from -90% to 1000%"],
    [{ users: 1, actions: [{ ...VIEWS, answer: "10M" }] }, 'write "10MiB" (1024s) or "10MB" (1000s)'],
    [{ users: 1, actions: [{ ...VIEWS, perDay: 3 }] }, "keep one of them"],
    [{ users: 1, actions: [VIEWS, VIEWS] }, "has two of the name views"],
    [{ actions: [VIEWS] }, "users: are none, and views are counted by the user"],
    [{ actions: [{ name: "reads", kind: "read", perWrite: 3 }] }, "counted by the write, and no write"],
    [{ actions: [{ name: "posts", kind: "write", perWrite: 3 }] }, "writes counted by the write"],
    [{ users: "100B", actions: [{ ...VIEWS, perUser: 1e9 }] }, "has 1e+20 views a day; check the units"],
    [{ users: "10B", actions: [{ ...POSTS, stored: "1000TB" }] }, "more than there are disks"],
    [{ users: "10B", actions: [{ ...VIEWS, cpu: "1h" }] }, "would need 8e+9 cores; check the units"],
    [{ preset: "blog" }, "keep one of the two", { readsPerUser: 1, readsPerWrite: 1 }],
    [{ users: 1, actions: [VIEWS] }, "have a file, and there are none", { fileBytes: 1 }],
    [{ users: 1, actions: [POSTS] }, "have a share and no size", { fileShare: 0.5 }],
    [
      { users: 1, actions: [VIEWS, { ...VIEWS, name: "feeds" }] },
      "are meant for one action, and there are 2 of them; change them in the file",
      { readsPerUser: 1 },
    ],
  ];
  for (const [input, line, over] of rows) test(line, () => expect(linesOf(input, over)).toContain(line));
});

test("all problems are told at once", () => {
  expect(linesOf({ preset: "blog", users: "many", peek: 3, copies: 0 }).split("\n")).toHaveLength(3);
});

describe("prices", () => {
  test("are replaced row by row", () => {
    expect(parsePrices({ corePerMonth: 12, asOf: "2026" })).toMatchObject({
      kind: "ok",
      value: { corePerMonth: 12, asOf: "2026", currency: "USD", cdnPerGb: 0.02 },
    });
  });

  test("in another currency are all replaced", () => {
    const inEuros = { ...PRICES, currency: "EUR", corePerMonth: 25 };
    expect(parsePrices(inEuros)).toEqual({ kind: "ok", value: inEuros });
  });

  const rows: [input: unknown, line: string][] = [
    [{ corPerMonth: 12 }, "prices.corPerMonth: is no row of the table; did you mean corePerMonth?"],
    [{ zzz: 1 }, "there are currency, asOf, corePerMonth"],
    [{ corePerMonth: -1 }, "is -1; write a number from 0"],
    [{ corePerMonth: Number.NaN }, "write a number from 0"],
    [{ corePerMonth: "12" }, 'is "12"; write a number'],
    [
      { currency: "EUR", corePerMonth: 25 },
      "rows are still in USD; write databasePerMonth, balancerPerMonth",
    ],
    [{ asOf: 2026 }, "write a short text in quotes"],
    ["cheap", "prices: are no table"],
  ];
  for (const [input, line] of rows) {
    test(line, () => {
      const outcome = parsePrices(input);
      const lines = outcome.kind === "problems" ? outcome.problems.map(formatProblem) : [];
      expect(lines.join("\n")).toContain(line);
    });
  }
});
