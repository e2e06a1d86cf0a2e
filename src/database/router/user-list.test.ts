import { describe, expect, test } from "bun:test";
import { parseUserList } from "./user-list.ts";

const VERIFIER = `SCRAM-SHA-256$4096:${btoa("0123456789abcdef")}$${btoa("s".repeat(32))}:${btoa("k".repeat(32))}`;

describe("a list of users", () => {
  test("has passwords and verifiers, comments and empty lines", () => {
    const users = parseUserList(`; people\n"ann" "a ""b"" c"\n\n# more\n"bob" "${VERIFIER}" ""\n`);
    expect(users).toEqual({ ann: { password: 'a "b" c' }, bob: { verifier: VERIFIER } });
  });

  test("knows no names that nobody wrote", () => {
    const users = parseUserList('"ann" "x"');
    expect("constructor" in (users as object)).toBe(false);
  });

  test.each([
    ['"ann" "x"\nann x', "line 2 is no user"],
    ['"ann" "md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"', "line 1 has an md5 hash"],
    ['"ann" "SCRAM-SHA-256$x"', "line 1 has a SCRAM verifier that cannot be read"],
    ['"ann" ""', "line 1 has an empty password"],
  ])("says what is wrong with %j", (text, problem) => {
    expect(parseUserList(text)).toContain(problem);
  });
});
