import { describe, expect, test } from "bun:test";
import { type WriteKind, WriteKinds } from "./write-kind.ts";

const ROWS: readonly (readonly [WriteKind, readonly string[]])[] = [
  [
    "read",
    [
      "SELECT 1",
      "SELECT count(*), max(a) FROM t WHERE b IN (1, 2)",
      "VALUES (1)",
      "TABLE t",
      "WITH a AS (SELECT 1) SELECT * FROM a",
    ],
  ],
  [
    "write",
    [
      "INSERT INTO t VALUES (1) RETURNING a",
      "update t set a = f(a)",
      "DELETE FROM t;",
      "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
      "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
      "SELECT a FROM t FOR UPDATE",
      "SELECT 1 INTO u",
    ],
  ],
  [
    "calls",
    ["SELECT pay(1)", "SELECT nextval('s')", "SELECT setval('s', 1)", "SELECT dblink_exec('x', 'y')"],
  ],
  ["commit", ["COMMIT", "end;", "COMMIT WORK"]],
  [
    "other",
    [
      "",
      "BEGIN",
      "ROLLBACK",
      "COMMIT AND CHAIN",
      "PREPARE TRANSACTION 'a'",
      "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)",
      "INSERT INTO t VALUES (1); COMMIT",
      "VACUUM t",
      "CALL p()",
      "DO $$ BEGIN END $$",
      "COPY t FROM STDIN",
      "CREATE TABLE t (a int)",
      "SELECT 1 INTO TEMP u",
      "SELECT pg_advisory_lock(1)",
      "SET a.b = 1",
      "LISTEN a",
      "EXPLAIN ANALYZE DELETE FROM t",
      "SELECT 'open",
    ],
  ],
];

describe("the kind of a statement", () => {
  const kinds = new WriteKinds();
  for (const [kind, texts] of ROWS)
    for (const text of texts)
      test(`"${text}" is ${kind}`, () => {
        expect(kinds.of(text)).toBe(kind);
      });
});
