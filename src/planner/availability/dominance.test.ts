/** Where the downtime comes from, what to buy next, and the cheapest way to a target. */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../base/index.ts";
import { cheapestReach } from "./cheapest.ts";
import { commonContributionsOf } from "./common-causes.ts";
import { contributionsOf, idlePurchases, nextPurchases, withOneMore } from "./dominance.ts";
import { readPrices } from "./price-list.ts";
import { systemReport } from "./report.ts";
import { namesOf, type System, YEAR_MS } from "./system.ts";
import { system } from "./testing.ts";
import { unavailabilityOf } from "./unavailability.ts";

const nextOf = (text: string): string[] =>
  nextPurchases(contributionsOf(system(text))).map(({ name }) => name);

describe("what to double next", () => {
  const rows: [text: string, next: string[]][] = [
    ["series(lb 99.99, app 99.95, db 99.99)", ["app"]],
    // Not a third app.
    ["series(lb 99.99, 2x app 99.95, db 99.99)", ["lb", "db"]],
    ["series(lb 99.99 price=20, app 99.99 price=100)", ["lb"]],
    ["series(lb 99.99, app 99.9 price=100)", ["app"]],
    // One more goes into each of three.
    ["3of3(series(a 99 price=10, b 99 price=25))", ["a"]],
    ["a 100", []],
  ];
  for (const [text, next] of rows)
    test(`${text}: ${next.join(" or ") || "nothing"}`, () => expect(nextOf(text)).toEqual(next));

  test("after two apps the balancer and the database are 99.9 % of the downtime", () => {
    const parts = contributionsOf(system("series(lb 99.99, 2x app 99.95, db 99.99)"));
    const [lb, db, app] = parts;
    expect(lb!.downtimeShare + db!.downtimeShare).toBeCloseTo(0.999, 3);
    expect(app!.downtimeShare).toBeCloseTo(0.00125, 4);
    expect(idlePurchases(parts, 105 * 60_000).map(({ name }) => name)).toEqual(["app"]);
  });

  test("criticality is Birnbaum's importance times unavailability, of the downtime", () => {
    const tree = system("parallel(series(net 99, a 90), series(net, b 80))");
    for (const { importance, unavailability, downtimeShare } of contributionsOf(tree))
      expect(downtimeShare).toBeCloseTo((importance * unavailability) / unavailabilityOf(tree), 12);
  });

  test("a copy whose failovers cost more than it saves is not bought", () => {
    expect(nextOf("db 99.9999 failover=1m failovers=12/year")).toEqual([]);
  });
});

describe("one more copy", () => {
  const rows: [text: string, name: string, as: string][] = [
    ["series(a 99, b 98)", "a", "series(2x a 99, b 98)"],
    ["20of20 web 99", "web", "20of21 web 99"],
    ["2of3(a 99, b 98, c 97)", "a", "2of4(a 99, a2 99, b 98, c 97)"],
    ["db 99 common=10%", "db", "2x db 99 common=10%"],
    ["2x(series(a 99, b 98))", "a", "2x(series(2x a 99, b 98))"],
    ["parallel(series(a 99, b 98), series(a, c 97))", "a", "series(2x a 99, parallel(b 98, c 97))"],
    ["parallel(20of20 a 99, b 98)", "a", "parallel(20of21 a 99, b 98)"],
  ];
  for (const [text, name, as] of rows)
    test(`of ${name} in ${text} is ${as}`, () => {
      const more = unavailabilityOf(withOneMore(system(text), name));
      expect(more).toBeCloseTo(unavailabilityOf(system(as)), 15);
    });
});

test("common causes and failovers are told by the group that has them", () => {
  const tree = system("series(2x app 99.9 common=10%, parallel(a 99, b 99) failover=30s failovers=10/year)");
  const common = commonContributionsOf(tree);
  expect(common.map(({ cause, of }) => `${cause} of ${of}`)).toEqual([
    "common cause of app",
    "failover of a, b",
  ]);
  const [first] = common;
  expect(first!.downtimeShare).toBeCloseTo(0.0001 / unavailabilityOf(tree), 2);
});

const DRAWN: readonly (readonly [part: string, shape: (value: string) => string])[] = [
  ["a", (value) => `a ${value}`],
  ["b", (value) => `2x b ${value} common=2%`],
  ["c", (value) => `3of4 c ${value}`],
];

function drawPriced(random: Random): System {
  const parts = DRAWN.map(
    ([, shape]) => `${shape((95 + random() * 4.9).toFixed(3))} price=${1 + Math.floor(random() * 9)}`,
  );
  return system(`series(${parts.join(", ")})`);
}

/** The least price of up to `most` more of each that reaches the target, by trying all. */
function leastPrice(of: System, target: number, most: number): number {
  const prices = new Map(contributionsOf(of).map(({ name, pricePerMonth = 0 }) => [name, pricePerMonth]));
  const tryAll = ([name, ...rest]: readonly string[], tree: System, price: number): number => {
    if (name === undefined) return unavailabilityOf(tree) <= target ? price : Infinity;
    let best = Infinity;
    let current = tree;
    for (let more = 0; more <= most; more++) {
      best = Math.min(best, tryAll(rest, current, price + more * (prices.get(name) ?? 0)));
      current = withOneMore(current, name);
    }
    return best;
  };
  return tryAll(namesOf(of), of, 0);
}

test("the cheapest copies for a target are those that trying all finds", () => {
  const random = seededRandom(5);
  for (let drawn = 0; drawn < 20; drawn++) {
    const tree = drawPriced(random);
    const target = unavailabilityOf(tree) * 0.05 + 0.001;
    const reach = cheapestReach(tree, target);
    const least = leastPrice(tree, target, 5);
    expect(reach.kind === "reached" ? reach.pricePerMonth : Infinity).toBeCloseTo(least, 9);
  }
});

/** Parts in a row: more combinations of copies than can be looked at. */
function many(count: number): string {
  return `series(${Array.from({ length: count }, (_, index) => `p${index} 99 price=${10 + index}`).join(", ")})`;
}

describe("a target", () => {
  const rows: [text: string, target: number, sentence: string][] = [
    ["series(lb 99.99, app 99.95, db 99.99)", 0.001, "is met, with 2.629 h a year to spare"],
    [
      "series(lb 99.99, app 99.95, db 99.99)",
      0.0001,
      "is missed by 5.255 h a year; it is met with one more of: app, lb, db.",
    ],
    ["app 90", 1e-6, "it is met with 5 more of app."],
    ["series(lb 99.9 price=20, db 99.9 price=300)", 0.0015, "it is met with one more of: lb, for 20/month."],
    ["2x db 99.9 common=50%", 1e-9, "copies alone do not reach it: with many more of each it is 99.95 %."],
    ["a 99", 0, "copies alone do not reach it"],
    [many(20), 1e-4, "/month, perhaps not the cheapest way."],
    [many(200), 1e-4, "there are too many parts to look for the cheapest copies."],
  ];
  for (const [text, target, sentence] of rows)
    test(`of ${target} down for ${text.slice(0, 50)}`, () => {
      expect(systemReport(system(text), text, target).answer.at(-1)).toContain(sentence);
    });
});

describe("prices beside the expression", () => {
  const tree = system("series(app 99.9, db 99)");
  test("are those of the parts", () => {
    const priced = readPrices(["app=40", "db = 1200/year"], tree);
    const parts = priced.kind === "ok" ? contributionsOf(priced.value) : [];
    expect(parts.map(({ name, pricePerMonth }) => `${name} ${pricePerMonth}`)).toEqual(["db 100", "app 40"]);
    expect(parts[0]!.pricePerMinute).toBeCloseTo((100 * 12) / (parts[0]!.savedMsPerYear / 60_000), 9);
    expect(parts[0]!.savedMsPerYear / YEAR_MS).toBeCloseTo(0.0099 * 0.999, 9);
  });

  test("are refused all at once", () => {
    const refused = readPrices(["ap=40", "db=-1", "db"], tree);
    const problems = refused.kind === "problems" ? refused.problems : [];
    expect(problems.map(({ what }) => what)).toEqual([
      "is of no part",
      "is no amount in a span of time",
      "is no amount in a span of time",
    ]);
  });
});
