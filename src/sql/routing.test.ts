import { expect, test } from "bun:test";
import {
  formatConsistency,
  hintStatements,
  parseConsistency,
  type RoutingHint,
  routingHint,
  routingStatement,
  withHint,
} from "./routing.ts";

test.each([
  ["eventual", "eventual"],
  [" Session ", "session"],
  ["global", "global"],
  ["bounded(500)", "bounded(500ms)"],
  ["bounded( 2s )", "bounded(2000ms)"],
  ["bounded(soon)", undefined],
  ["bounded()", undefined],
  ["strong", undefined],
])("the consistency %p is %p", (text, written) => {
  const consistency = parseConsistency(text);
  expect(consistency === undefined ? undefined : formatConsistency(consistency)).toBe(written);
});

test.each([
  ["/* tenfold: primary */ SELECT 1", { target: "primary" }],
  ["  /* app: x */ /*tenfold:replica,after=0/16B3748*/ SELECT 1", { target: "replica", after: "0/16B3748" }],
  ["/* tenfold: consistency=bounded(1s) */ SELECT 1", { consistency: { kind: "bounded", ms: 1000 } }],
  ["/* tenfold: primry */ SELECT 1", { mistake: "primry" }],
  ["/* tenfold: consistency=none */ SELECT 1", { mistake: "consistency=none" }],
  ["-- tenfold: primary\nSELECT 1", { target: "primary" }],
  ["/* app */\n--TENFOLD: Primary, after=0/16b3748\r\nSELECT 1", { target: "primary", after: "0/16B3748" }],
  ["-- about tenfold: nothing\nSELECT 1", undefined],
  ["SELECT 1 /* tenfold: primary */", undefined],
  ["SELECT 1 -- tenfold: primary", undefined],
  ["SELECT '/* tenfold: consistency=eventual */'", undefined],
])("the hint of %p", (text, hint) => {
  expect(routingHint(text)).toEqual(hint as ReturnType<typeof routingHint>);
});

test.each([
  ["SET tenfold.consistency = 'global'", { kind: "set", name: "tenfold.consistency", value: "global" }],
  ["set session Tenfold.After to '0/1';", { kind: "set", name: "tenfold.after", value: "0/1" }],
  ["SET tenfold.consistency = DEFAULT", { kind: "set", name: "tenfold.consistency", value: undefined }],
  ["RESET tenfold.after", { kind: "set", name: "tenfold.after", value: undefined }],
  ["SHOW tenfold.reads", { kind: "show", name: "tenfold.reads" }],
  ["SET LOCAL tenfold.after = '0/1'", undefined],
  ["SET tenfold.after = '0/1'; SELECT 1", undefined],
  ["SET work_mem = '1MB'", undefined],
] as const)("the router's own statement in %p", (text, statement) => {
  expect(routingStatement(text)).toEqual(statement);
});

const HINTS: readonly RoutingHint[] = [
  {},
  { target: "primary" },
  { consistency: { kind: "session" }, after: "0/16B3748" },
  { target: "replica", consistency: { kind: "bounded", ms: 200 }, after: "16/B374D848" },
];

test.each(HINTS)("a hint that is written is read as it was: %p", (hint) => {
  const text = withHint("SELECT 1", hint);
  expect(text.endsWith("SELECT 1")).toBe(true);
  expect(routingHint(text) ?? {}).toEqual(hint);
});

test.each(HINTS)("the statements that say the same are statements of the router: %p", (hint) => {
  expect(hintStatements(hint).map(routingStatement)).toEqual([
    { kind: "set", name: "tenfold.target", value: hint.target },
    {
      kind: "set",
      name: "tenfold.consistency",
      value: hint.consistency === undefined ? undefined : formatConsistency(hint.consistency),
    },
    { kind: "set", name: "tenfold.after", value: hint.after },
  ]);
});
