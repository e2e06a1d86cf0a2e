import { describe, expect, test } from "bun:test";
import { Settings, setSql, startupSettings } from "./settings.ts";

describe("settings of a session", () => {
  const a = Settings.none.with("a", "SET a = 1");
  const both = a.with("b", "SET b = 2");

  test("a connection is given what differs, and what the other one had is taken back", () => {
    expect(both.sqlFrom(a)).toBe("SET b = 2");
    expect(a.sqlFrom(both)).toBe('RESET "b"');
    expect(a.with("a", "SET a = 3").sqlFrom(both)).toBe('RESET "b"; SET a = 3');
    expect(Settings.none.with("x.y", "SET x.y = 1").sqlFrom(both)).toBe('RESET "a"; RESET "b"; SET x.y = 1');
  });

  test("the order in which they were made does not matter, and no change is the same object", () => {
    const other = Settings.none.with("b", "SET b = 2").with("a", "SET a = 1");
    expect(other.equals(both)).toBe(true);
    expect(both.equals(a)).toBe(false);
    expect(both.with("a", "SET a = 1")).toBe(both);
    expect(a.with("a", undefined)).toBe(Settings.none);
  });

  test("a value is a literal, whatever it holds", () => {
    expect(setSql("TimeZone", "a'b\\c")).toBe(
      "SELECT pg_catalog.set_config('timezone',  E'a''b\\\\c', false)",
    );
  });

  test("a start-up's settings are its parameters and its options, which they outdo", () => {
    const parameters = new Map([
      ["user", "ann"],
      ["database", "shop"],
      ["application_name", "web"],
      ["options", "-c geqo=off --search-path=d -c work_mem=a\\ b -cstatement_timeout=5s"],
      ["search_path", "c"],
    ]);
    expect(startupSettings(parameters)).toEqual({
      values: new Map([
        ["application_name", "web"],
        ["geqo", "off"],
        ["search_path", "c"],
        ["work_mem", "a b"],
        ["statement_timeout", "5s"],
      ]),
    });
  });

  test.each([[{ options: "-W 5" }], [{ options: "-c x" }], [{ "a;b": "c" }], [{ "": "c" }]])(
    "a start-up that holds what is none is refused: %p",
    (parameters) => {
      expect(startupSettings(new Map(Object.entries(parameters)))).toHaveProperty("mistake");
    },
  );
});
