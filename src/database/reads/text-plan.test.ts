import { expect, test } from "bun:test";
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
