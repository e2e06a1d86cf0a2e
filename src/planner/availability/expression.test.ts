/** What can be written, and how mistakes are told. */
import { describe, expect, test } from "bun:test";
import { parseSystem } from "./expression.ts";
import { system } from "./testing.ts";
import { pointAt } from "./tokens.ts";
import { unavailabilityOf } from "./unavailability.ts";

describe("two ways to write the same", () => {
  const rows: [one: string, other: string][] = [
    ["3x web 99.9", "parallel(a 99.9, b 99.9, c 99.9)"],
    ["2of3 web 99.9", "2of3(web 99.9)"],
    ["2of3(web 99.9)", "2of3(a 99.9, b 99.9, c 99.9)"],
    ["2of3(web 99.9 common=2%)", "2of3(web 99.9) common=2%"],
    ["2X Web.eu-1 99.9  Common = 5 %", "2x web 99.9% common=0.05"],
    ["2x web 99 price=40", "2x web 99 price=480/year"],
    ["parallel(series(lb 99, a 90), series(lb, b 90))", "series(lb 99, parallel(a 90, b 90))"],
    ["parallel(series(lb, a 90), series(lb 99, b 90))", "series(lb 99, parallel(a 90, b 90))"],
    ["series(2x net 99, 2of3(series(net, a 90)))", "series(2x net 99, 2of3(a 90))"],
    ["db 99 failover=1m failovers=12/year", "db 99"],
  ];
  for (const [one, other] of rows)
    test(`${one} is ${other}`, () =>
      expect(unavailabilityOf(system(one))).toBeCloseTo(unavailabilityOf(system(other)), 15));
});

describe("mistakes are named with their mend", () => {
  const rows: [text: string, line: string][] = [
    ["", "the end: comes too early; write a part, such as app 99.95"],
    ["app", '"app": has no availability; write app 99.95, or app mtbf=30d mttr=1h'],
    ["app 150", '"150": is more than 100 %; write a percentage'],
    ["app 1.5", '"1.5": is neither a share nor a likely percentage; write 1.5% if so little is meant'],
    ["app -3", '"-3": is no availability; write a percentage such as 99.95'],
    ["app NaN", '"NaN": is no availability'],
    ["app 1e2", '"1e2": is no availability'],
    ["app 99.9 99.8", '"99.8": says again what is said already'],
    ["app 99.9 mtbf=3d mttr=1h", '"app": has an availability and times of repair; keep one of them'],
    [
      "series(lb 99,99, app 99)",
      '"99": is no name; begin a part with its name, such as app 99.95, and write decimals',
    ],
    ["serie(a 99, b 99)", '"serie": is no way to join parts; did you mean series?'],
    ["series a 99", '"series": joins parts, and none follow; write series(…, …)'],
    ["series(a 99, b 99", 'the end: comes too early; write ")" to end series('],
    ["series(a 99))", '")": closes nothing; leave it out'],
    ["series(a 99 b 99)", '"b": is no availability'],
    ["a 99, b 99", '",": is left over; write series(…, …) around parts'],
    [
      "series(a 99, a 99)",
      '"a": says its availability in two places; write 2x a for two that fail apart, a alone',
    ],
    [
      "series(2of3(series(a 99, b 99)), a)",
      '"a": is copied elsewhere, so there are several; give this one another name',
    ],
    ["4of3(a 99)", '"4of3": needs more than there are'],
    ["0x a 99", '"0x": is none at all'],
    ["2of3(a 99, b 99)", '"2of3": speaks of 3 but lists 2'],
    ["2xapp 99", '"2xapp": is no name; write 2x app'],
    ["2x series(a 99, b 99)", '"series": is a group that is to be copied; write 2x(series(…))'],
    ["a 99 comon=5%", '"comon=5%": is no option; did you mean common=…?'],
    ["a 99 zzzzzz=5%", "is no option; there are mtbf, mttr, common, failover, failovers, price"],
    ["2x a 99 common=150%", '"common=150%": is no share'],
    ["a mtbf=30d", '"a": has one of mtbf and mttr; say both'],
    ["a mtbf=0 mttr=0", '"mtbf=0": is always failing'],
    ["a mtbf=30 mttr=1h", '"mtbf=30": has no unit; write "30ms" or "30s"'],
    ["2x a 99 failover=30s", '"a": says how long a failover takes, not how often; add failovers=4/year'],
    ["2x a 99 failover=30s failovers=4", '"failovers=4": does not say per what; write one such as 4/year'],
    ["2x a 99 failovers=4/year", '"a": says how often it fails over, not how long; add failover=30s'],
    ["2x a 99 failover=1d failovers=2/day", '"a": fails over all year long'],
    [
      "parallel(a 99 common=5%, b 99)",
      '"common=5%": is said of one among several; write it behind the bracket',
    ],
    [
      "series(a 99, b 99) common=5%",
      '"common=5%": makes no sense for a series; give it to one of the parts inside',
    ],
    [
      "parallel(a 99, b 99) price=5",
      '"price=5": makes no sense for a group; give price=5 to the parts inside',
    ],
    ["a 99 price=5/hour", '"price=5/hour": is no amount in a span of time; write one such as 40/month'],
    ["a 99 b", '"b": is no availability'],
    ["1000000x a 99", "the expression: has more than 1000 parts; reckon with one zone of the fleet"],
    ["100x(100x(100x(a 99)))", "has more than 1000 parts"],
    [`${"series(".repeat(4000)}a 99${")".repeat(4000)}`, "the expression: has 32004 characters"],
    [`${"series(".repeat(60)}a 99${")".repeat(60)}`, '"series": is more than 50 brackets deep'],
  ];
  for (const [text, line] of rows) test(text.slice(0, 40), () => expect(() => system(text)).toThrow(line));
});

test("all mistakes are told at once, each with a caret under it", () => {
  const text = "series(lb 99.99, 2x ap 150, db)\tcommon=3%";
  const outcome = parseSystem(text);
  const problems = outcome.kind === "problems" ? outcome.problems : [];
  expect(problems.map(({ path }) => path)).toEqual(['"150"', '"db"', '"common=3%"']);
  expect(pointAt(text, problems)).toEqual([
    "series(lb 99.99, 2x ap 150, db) common=3%",
    "                       ^^^  ^^  ^^^^^^^^^",
  ]);
});

test("of a long expression the surroundings of the first mistake are shown", () => {
  const names = Array.from({ length: 100 }, (_, index) => `part${index} 99.9`);
  const text = `series(${names.join(", ").replace("part70 99.9", "part70 9.9")})`;
  const outcome = parseSystem(text);
  const [shown, carets] = pointAt(text, outcome.kind === "problems" ? outcome.problems : []);
  expect(shown.slice(carets.indexOf("^")).startsWith("9.9,")).toBe(true);
  expect(shown.length).toBe(100);
});
