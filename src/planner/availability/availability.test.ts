import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../base/index.ts";
import { copiesFor, nextPurchase, parseSystem, partsOf, type System, unavailabilityOf } from "./index.ts";
import { componentsOf, INDEPENDENT } from "./tree.ts";

function system(text: string): System {
  const outcome = parseSystem(text);
  if (outcome.kind === "ok") return outcome.value;
  throw new Error(outcome.problems.map(({ path, what, mend }) => `${path} ${what}; ${mend}`).join());
}

const availability = (text: string): number => 1 - unavailabilityOf(system(text));
const YEAR_MIN = 365 * 24 * 60;

describe("the exercises", () => {
  const rows: [text: string, printed: number, digits: number][] = [
    ["series(lb 99.99, app 99.95, db 99.99)", 0.99930011, 9],
    ["series(lb 99.99, 2x app 99.95, db 99.99)", 0.99979976, 9],
    ["series(lb 99.99, 2x app 99.95 common=1%, db 99.99)", 0.99979477, 8],
    ["series(lb 99.99, 2x app 99.95 common=10%, db 99.99)", 0.99974982, 8],
    ["2x app 99.95", 0.99999975, 9],
    ["2of3(node 99.95)", 0.99999925, 8],
    ["20of20 web 99.95", 0.990047, 6],
    ["20of21 web 99.95", 0.99994783, 8],
    ["20of22 web 99.95", 0.99999981, 8],
    ["db mtbf=30d mttr=1h", 720 / 721, 12],
    ["app 0.9995", 0.9995, 12],
    ["parallel(a 99, b 90%)", 0.999, 12],
  ];
  for (const [text, printed, digits] of rows)
    test(`${text} is ${printed}`, () => expect(availability(text)).toBeCloseTo(printed, digits));

  test("downtime a year: 367.9 min, then 105.2 min", () => {
    const minutes = (text: string) => (1 - availability(text)) * YEAR_MIN;
    expect(minutes("series(lb 99.99, app 99.95, db 99.99)")).toBeCloseTo(367.9, 1);
    expect(minutes("series(lb 99.99, 2x app 99.95, db 99.99)")).toBeCloseTo(105.2, 1);
  });

  test("four failovers a year of 30 s are two minutes", () => {
    const down = unavailabilityOf(system("2x db 100 failover=30s failovers=4/year"));
    expect(down * YEAR_MIN).toBeCloseTo(2, 9);
  });
});

test("nine nines keep their digits", () => {
  expect(unavailabilityOf(system("series(a 99.9999999, b 99.9999999)"))).toBeCloseTo(2e-9, 15);
  expect(unavailabilityOf(system("3x a 99.9"))).toBeCloseTo(1e-9, 18);
});

describe("what to double next", () => {
  test("after the app it is the balancer or the database, and not a third app", () => {
    const parts = partsOf(system("series(lb 99.99, 2x app 99.95, db 99.99)"));
    const shares = Object.fromEntries(parts.map(({ name, downtimeShare }) => [name, downtimeShare]));
    expect(shares["lb"]! + shares["db"]!).toBeGreaterThan(0.99);
    expect(["lb", "db"]).toContain(nextPurchase(parts)!.name);
  });

  test("prices decide between equals", () => {
    const parts = partsOf(system("series(lb 99.99 price=20, app 99.99 price=100)"));
    expect(nextPurchase(parts)!.name).toBe("lb");
    expect(nextPurchase(parts)!.pricePerMinute).toBeCloseTo(240 / 52.55, 1);
  });

  test("a target is reached by the copies that are named, and by none fewer", () => {
    const start = system("series(lb 99.99, app 99.95, db 99.99)");
    expect(copiesFor(start, 0.0001)).toEqual(["app", "lb", "db"]);
    expect(copiesFor(start, 0.001)).toEqual([]);
    expect(copiesFor(system("2x db 99.9 common=50%"), 1e-9)).toBeUndefined();
  });
});

/** A random tree of at most a few parts, each with its own name. */
function randomTree(random: Random, depth: number, next: () => string): System {
  if (depth === 0 || random() < 0.3)
    return { kind: "component", name: next(), unavailability: random() * 0.5 };
  const parts = Array.from({ length: 2 + Math.floor(random() * 2) }, () =>
    randomTree(random, depth - 1, next),
  );
  if (random() < 0.5) return { kind: "series", parts };
  return { kind: "some", needed: 1 + Math.floor(random() * parts.length), parts, options: INDEPENDENT };
}

/** Whether the system is up while just these parts are. */
function isUp(of: System, up: ReadonlySet<string>): boolean {
  if (of.kind === "component") return up.has(of.name);
  const count = of.parts.filter((part) => isUp(part, up)).length;
  return count >= (of.kind === "series" ? of.parts.length : of.needed);
}

test("random systems agree with counting every state of their parts", () => {
  const random = seededRandom(11);
  for (let i = 0; i < 60; i++) {
    let names = 0;
    const tree = randomTree(random, 2, () => `p${names++}`);
    const parts = componentsOf(tree);
    if (parts.length > 10) continue;
    let down = 0;
    for (let state = 0; state < 2 ** parts.length; state++) {
      const up = new Set(parts.flatMap(({ name }, bit) => ((state >> bit) & 1 ? [name] : [])));
      const chance = parts.reduce(
        (product, { name, unavailability }) => product * (up.has(name) ? 1 - unavailability : unavailability),
        1,
      );
      if (!isUp(tree, up)) down += chance;
    }
    expect(unavailabilityOf(tree)).toBeCloseTo(down, 12);
  }
});

describe("mistakes are named with their mend", () => {
  const rows: [text: string, line: string][] = [
    ["", 'at "the end" ends too early; write a part, such as app 99.95'],
    ["app", 'at "app" has no availability; write app 99.95, or app mtbf=30d mttr=1h'],
    ["app 150", 'at "150" is no availability; write a percentage'],
    ["app 1.5", 'at "1.5" is no availability'],
    ["app -3", 'at "-3" is no availability'],
    ["app NaN", 'at "NaN" is no availability'],
    ["serie(a 99, b 99)", 'at "serie(a 99, b 99)" is no way to join parts; did you mean series?'],
    ["series(a 99, b 99", 'ends too early; write "," or ")"'],
    ["series(a 99 b 99)", 'at "b 99)" is no availability'],
    [
      "series(a 99, a 99)",
      "names a in two places, as if it failed apart from itself; write 2x a, or give them two names",
    ],
    ["4of3(a 99)", 'at "4of3(a 99)" needs more than there are'],
    ["2of3(a 99, b 99)", "speaks of 3 but lists 2"],
    ["a 99 comon=5%", 'at "comon=5%" is no option; did you mean common=…?'],
    ["a mtbf=30d", 'at "a mtbf=30d" has no availability'],
    ["a 99 b", 'at "b" is no availability'],
    ["999999x a 99", "makes more than 10,000 parts"],
    [`${"series(".repeat(60)}a 99${")".repeat(60)}`, "is more than 50 brackets deep"],
    ["a".repeat(30_000), "has 30000 characters"],
  ];
  for (const [text, line] of rows) test(text.slice(0, 40), () => expect(() => system(text)).toThrow(line));
});
