import { describe, expect, test } from "bun:test";
import { parametersKey } from "./parameters.ts";

const keyOf = (...values: unknown[]): string => {
  const key = parametersKey(values);
  return "text" in key ? key.text : key.refusal;
};

describe("parameters", () => {
  test("that PostgreSQL gets as the same text are the same", () => {
    expect(keyOf(1, true, 2n, undefined)).toBe(keyOf("1", "true", "2", null));
  });

  test("that differ are told apart", () => {
    const values = [
      null,
      "",
      "null",
      1,
      "a,b",
      ["a", "b"],
      ["a,b"],
      ["a", null],
      { a: 1 },
      [{ a: 1 }],
      new Date(0),
      Buffer.from("a"),
      "YQ==",
      [["a"], ["b"]],
      [["a", "b"]],
    ];
    expect(new Set(values.map((value) => keyOf(value))).size).toBe(values.length);
    expect(keyOf("a", "b")).not.toBe(keyOf("ab"));
  });

  test.each([
    ["now"],
    [" Today "],
    ["tomorrow 04:00"],
    ["today04:00"],
    ["{yesterday}"],
    [["2020-01-01", "now"]],
  ])("that may be read as a time that moves are refused: %p", (value) =>
    expect(keyOf(value)).toBe("time-literal"),
  );

  test.each([[Symbol("x")], [() => 1], [{ toPostgres: () => "x" }], ["x".repeat(70_000)]])(
    "that cannot be part of a key are refused: %p",
    (value) => expect(keyOf(value)).toBe("parameter-kind"),
  );

  test("with a circle are refused", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(keyOf(circle)).toBe("parameter-kind");
  });

  test("a long text may speak of today", () => {
    expect(keyOf(`${"x".repeat(128)} today`)).toContain("today");
  });
});
