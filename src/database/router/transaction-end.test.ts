import { expect, test } from "bun:test";
import { COMMITS, commitsOf, endOf } from "./transaction-end.ts";

test("a statement that ends its transaction by itself commits all of it", () => {
  for (const text of ["COMMIT", " commit;", "END", "COMMIT AND CHAIN", "PREPARE TRANSACTION 'a'"])
    expect([text, commitsOf(text)]).toEqual([text, COMMITS.all]);
});

test("one of several, or one that only has the word, may commit", () => {
  for (const text of [
    "INSERT INTO t VALUES (1); COMMIT",
    "COMMIT; BEGIN",
    "SELECT CASE WHEN a THEN 1 END FROM t",
  ])
    expect([text, commitsOf(text)]).toEqual([text, COMMITS.maybe]);
});

test("others commit nothing", () => {
  for (const text of ["INSERT INTO t VALUES (1)", "ROLLBACK", "SELECT committed FROM t"])
    expect([text, commitsOf(text)]).toEqual([text, COMMITS.no]);
});

test("a failed transaction is ended by words that end it, and nothing else", () => {
  for (const text of ["ROLLBACK", "abort work;", "Rollback Transaction"])
    expect(endOf(text)).toBe("rollback");
  for (const text of ["COMMIT", "end", "COMMIT WORK ;"]) expect(endOf(text)).toBe("commit");
  for (const text of ["ROLLBACK TO a", "COMMIT AND CHAIN", "COMMIT; SELECT 1", "SELECT 1", ""])
    expect(endOf(text)).toBeUndefined();
});
