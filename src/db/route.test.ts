import { describe, expect, test } from "bun:test";
import { Statements, VolatileFunctions } from "../sql/index.ts";
import { isRepeatable, type RouteContext, routeOf, sessionStep } from "./route.ts";

const statements = new Statements();
const context: RouteContext = {
  hasReplicas: true,
  target: undefined,
  volatile: new VolatileFunctions(["audit"]),
  refused: new Set(["SELECT hidden()"]),
};
const reason = (text: string, other: Partial<RouteContext> = {}): string => {
  const { to, reason: why } = routeOf(text, statements.of(text), { ...context, ...other });
  return `${to}: ${why}`;
};

describe("a statement goes", () => {
  test.each([
    ["SELECT 1", "replica: reads"],
    ["TABLE t", "replica: reads"],
    ["BEGIN READ ONLY", "replica: read-only-transaction"],
    ["START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY", "primary: session-state"],
    ["BEGIN", "primary: session-state"],
    ["INSERT INTO t VALUES (1)", "primary: command"],
    ["SELECT * FROM t FOR UPDATE", "primary: locks-rows"],
    ["SELECT audit()", "primary: volatile-function"],
    ["SELECT nextval('s')", "primary: volatile-function"],
    ["SELECT hidden()", "primary: refused-before"],
    ["SELECT 1; SELECT 2", "primary: several-statements"],
    ["SELECT 'open", "primary: unparsable"],
    ["SELECT set_config('a.b', 'c', false)", "primary: session-state"],
    ["LISTEN c", "primary: session-state"],
  ])("%s -> %s", (text, expected) => {
    expect(reason(text)).toBe(expected);
  });

  test("to the primary while functions are not known, and where there is no replica", () => {
    expect(reason("SELECT 1", { volatile: undefined })).toBe("primary: functions-unknown");
    expect(reason("SELECT 1", { hasReplicas: false })).toBe("primary: no-replicas");
  });

  test("where the user says", () => {
    expect(reason("SELECT 1", { target: "primary" })).toBe("primary: target");
  });
});

describe("a text leaves its session", () => {
  test.each([
    ["BEGIN", { transaction: "begun", commits: false, pins: false }],
    ["COMMIT", { transaction: "ended", commits: true, pins: false }],
    ["COMMIT AND CHAIN", { transaction: "begun", commits: true, pins: false }],
    ["ROLLBACK", { transaction: "ended", commits: false, pins: false }],
    ["SAVEPOINT a", { transaction: "same", commits: false, pins: false }],
    ["SET search_path TO a", { transaction: "same", commits: false, pins: true }],
    ["SET LOCAL search_path TO a", { transaction: "same", commits: false, pins: false }],
    ["LISTEN c", { transaction: "same", commits: false, pins: true }],
  ] as const)("%s", (text, expected) => {
    expect(sessionStep(statements.of(text))).toEqual(expected);
  });
});

test("only what reads and calls nothing volatile is sent again", () => {
  const repeatable = (text: string): boolean => isRepeatable(statements.of(text), context.volatile);
  expect(["SELECT 1", "SELECT audit()", "INSERT INTO t VALUES (1)", "", "SELECT 'x"].map(repeatable)).toEqual(
    [true, false, false, false, false],
  );
});
