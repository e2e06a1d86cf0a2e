import { expect, test } from "bun:test";
import { VolatileFunctions } from "../../sql/index.ts";
import { textPlans } from "./text-plan.ts";

const planOf = textPlans();

test.each([
  ["SELECT * FROM t", "read"],
  ["WITH a AS (SELECT 1) TABLE a", "read"],
  ["SELECT 1; SELECT 2", "read"],
  ["BEGIN READ ONLY", "read-only-transaction"],
  ["START TRANSACTION READ ONLY; SELECT 1; COMMIT", "read-only-transaction"],
  ["BEGIN", "session-state"],
  ["BEGIN READ ONLY, ISOLATION LEVEL SERIALIZABLE", "session-state"],
  ["BEGIN READ ONLY; DELETE FROM t", "several-statements"],
  ["BEGIN READ ONLY; SET work_mem = '1MB'", "several-statements"],
  ["SELECT 1; DELETE FROM t", "several-statements"],
  ["WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "writes"],
  ["SELECT * INTO u FROM t", "writes"],
  ["SELECT * FROM t FOR NO KEY UPDATE", "locks-rows"],
  ["SHOW transaction_read_only", "command"],
  ["COPY t TO STDOUT", "command"],
  ["SELECT pg_is_in_recovery()", "about-server"],
  ["SELECT 'open", "unparsable"],
  ["-- nothing", "no-statement"],
  ["SELECT pg_advisory_lock(1)", "session-state"],
] as const)("%s: %s", (text, reason) => {
  const plan = planOf(text);
  expect(plan.reason).toBe(reason);
  expect(plan.access).toBe(reason === "read" || reason === "read-only-transaction" ? "read" : "primary");
});

/** Corpus of what must not be read from a replica, as apps and tools write it; the second half hides it. */
const NOT_FOR_REPLICAS: readonly string[] = [
  "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x",
  "(((WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT 1)))",
  "SELECT * FROM a JOIN LATERAL (SELECT 1 FROM b FOR NO KEY UPDATE SKIP LOCKED) s ON true",
  "TABLE t FOR SHARE",
  "SELECT 1 INTO TEMP x",
  "EXPLAIN ANALYZE DELETE FROM t",
  "EXPLAIN (ANALYZE, BUFFERS) CREATE TABLE x AS SELECT 1",
  "EXPLAIN ANALYZE MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
  "EXPLAIN EXECUTE p",
  "EXPLAIN (ANALYZE) EXECUTE p(1)",
  "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
  "SET TRANSACTION READ ONLY",
  "BEGIN READ ONLY, READ WRITE",
  "BEGIN READ ONLY; SELECT 1 FOR UPDATE",
  "COPY (SELECT 1) TO STDOUT",
  "COPY (DELETE FROM t RETURNING *) TO STDOUT",
  "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
  "FETCH ALL IN c",
  "PREPARE p AS SELECT 1",
  "EXECUTE p",
  "LISTEN x",
  "NOTIFY x",
  "DO $$ BEGIN PERFORM 1; END $$",
  "CALL p()",
  "LOCK t",
  "SELECT set_config('app.user', '1', false)",
  "SELECT pg_advisory_lock(1)",
  "SELECT pg_advisory_unlock_all()",
  "SELECT '\\'; DELETE FROM t; --'",
  "SELECT * FROM t FOR/* no */UPDATE",
  "/* SELECT 1 */ -- ;\nDELETE FROM t",
  "select 1;commit",
];

test.each(NOT_FOR_REPLICAS)("the primary runs %s", (text) => expect(planOf(text).access).toBe("primary"));

/** What PostgreSQL has for the primary alone, however its call is written. */
const CALLS: readonly string[] = [
  "select nextval('s')",
  "VALUES (nextval('s'))",
  "select pg_catalog . nextval /* x */ ('s')",
  `select "nextval"('s')`,
  "select NEXTVAL--\n('s')",
  "BEGIN READ ONLY; SELECT nextval('s'); COMMIT",
  "SELECT currval('s') + lastval()",
  "SELECT pg_current_wal_lsn()",
  "SELECT pg_export_snapshot()",
  "SELECT * FROM dblink('x', 'DELETE FROM t') AS t(a int)",
];

test.each(CALLS)("the primary is called by %s", (text) =>
  expect(new VolatileFunctions([]).among(planOf(text).functions)).toBeDefined(),
);
