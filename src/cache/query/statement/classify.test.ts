import { beforeAll, describe, expect, test } from "bun:test";
import { isUnstableBuiltin, STABLE_FUNCTIONS } from "./functions.ts";
import { type Statement, Statements } from "./statements.ts";

const statements = new Statements();
beforeAll(() => statements.load());

const factsOf = (text: string): Statement["facts"] => statements.of(text).facts;
const readsOf = (text: string): string[] =>
  factsOf(text).reads.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`));
const writesOf = (text: string): string[] =>
  factsOf(text).writes.map(({ table, operation }) => `${operation} ${table.name}`);

describe("a query's relations", () => {
  test.each([
    ["SELECT * FROM a JOIN s.b USING (id), LATERAL (SELECT * FROM c) x", ["a", "s.b", "c"]],
    [
      "SELECT (SELECT max(n) FROM a) FROM b WHERE EXISTS (SELECT FROM c) AND id IN (TABLE d)",
      ["a", "b", "c", "d"],
    ],
    ["SELECT 1 FROM a UNION SELECT 2 FROM b EXCEPT (SELECT 3 FROM c)", ["a", "b", "c"]],
    ['SELECT * FROM "A", ONLY b', ["A", "b"]],
    ["SELECT a.* FROM t AS a", ["t"]],
  ])("%s", (text, expected) => expect(readsOf(text)).toEqual(expected));

  test.each([
    ["WITH a AS (SELECT * FROM t) SELECT * FROM a", ["t"]],
    // Without RECURSIVE a name of WITH is not in scope within itself.
    ["WITH t AS (SELECT * FROM t) SELECT * FROM t", ["t"]],
    ["WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM b", ["b"]],
    ["WITH RECURSIVE r AS (SELECT id FROM t UNION SELECT id + 1 FROM r) SELECT * FROM r", ["t"]],
    ["SELECT * FROM (WITH a AS (SELECT * FROM t) SELECT * FROM a) x, a", ["t", "a"]],
    ["WITH a AS (SELECT 1) SELECT * FROM s.a", ["s.a"]],
  ])("names of WITH are no tables: %s", (text, expected) => expect(readsOf(text)).toEqual(expected));
});

describe("a shape that is not cached", () => {
  test.each([
    ["SELECT 1", "no-tables"],
    ["SELECT * FROM a; SELECT * FROM b", "several-statements"],
    ["SELEC * FROM a", "unparsable"],
    ["", "unparsable"],
    ["SELECT * FROM a FOR UPDATE", "row-locking"],
    ["SELECT * FROM (SELECT * FROM a FOR SHARE) x", "row-locking"],
    ["SELECT * FROM a TABLESAMPLE system (1)", "random-sample"],
    ["SELECT * FROM a WHERE at > CURRENT_DATE", "function-unstable"],
    ["SELECT CURRENT_USER, * FROM a", "function-unstable"],
    ["SELECT * FROM a WHERE at > 'now'::timestamptz - interval '1 day'", "time-literal"],
    ["SELECT * FROM a WHERE at = ANY ('{today}'::date[])", "time-literal"],
    ["WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x, b", "writes"],
    ["SELECT * INTO b FROM a", "writes"],
    ["SHOW search_path", "command"],
    ["DECLARE c CURSOR FOR SELECT * FROM a", "command"],
    ["EXPLAIN SELECT * FROM a", "command"],
    ["EXECUTE p", "command"],
  ])("%s: %s", (text, reason) => expect(factsOf(text).refusal).toBe(reason as never));

  test.each([
    "SELECT count(*), a.x::date FROM a",
    "SELECT row_number() OVER (ORDER BY n) FROM a GROUP BY ROLLUP (n)",
  ])("all else is: %s", (text) =>
    expect(factsOf(text)).toMatchObject({ refusal: undefined, writes: [], effect: "none" }),
  );
});

describe("what a statement writes", () => {
  test.each([
    ["INSERT INTO a SELECT * FROM b", ["insert a"]],
    ["INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET n = 2", ["update a"]],
    ["UPDATE a SET n = 1 FROM b WHERE a.id = b.id", ["update a"]],
    ["DELETE FROM a USING b WHERE a.id = b.id", ["delete a"]],
    ["MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE", ["delete a"]],
    ["TRUNCATE a, b CASCADE", ["truncate-cascade a", "truncate-cascade b"]],
    ["COPY a FROM STDIN", ["insert a"]],
    ["COPY a TO STDOUT", []],
    [
      "WITH x AS (INSERT INTO a VALUES (1) RETURNING *), y AS (DELETE FROM b) UPDATE c SET n = 1",
      ["insert a", "delete b", "update c"],
    ],
    ["EXPLAIN ANALYZE DELETE FROM a", ["delete a"]],
    ["REFRESH MATERIALIZED VIEW a", ["truncate a"]],
    ["INSERT INTO a VALUES (1); DELETE FROM b", ["insert a", "delete b"]],
  ])("%s", (text, expected) => expect(writesOf(text)).toEqual(expected));

  test.each([
    ["CREATE TABLE a (id int)", "schema"],
    ["ALTER TABLE a ADD b int", "schema"],
    ["CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", "schema"],
    ["CREATE TABLE b AS SELECT * FROM a", "schema"],
    ["GRANT SELECT ON a TO b", "schema"],
    ["CALL p()", "schema"],
    ["DO $$ BEGIN END $$", "schema"],
    ["COMMIT PREPARED 'x'", "schema"],
    ["CREATE TEMP TABLE a (id int)", "none"],
    ["VACUUM a", "none"],
    ["LISTEN a", "none"],
    ["SET LOCAL timezone = 'UTC'", "none"],
  ])("%s changes %s", (text, effect) => expect(factsOf(text).effect).toBe(effect as never));
});

describe("what a statement does to its session", () => {
  test.each([
    ["SET search_path = b", "changed"],
    ["SET ROLE b", "changed"],
    ["SET SESSION AUTHORIZATION b", "changed"],
    ["RESET ALL", "changed"],
    ["CREATE TEMP TABLE a (id int)", "changed"],
    ["SELECT * INTO TEMP b FROM a", "changed"],
    ["SELECT set_config('timezone', 'UTC', false)", "changed"],
    ["SELECT set_config('timezone', 'UTC', true)", "changed-locally"],
    ["SET LOCAL search_path = b", "changed-locally"],
    ["SET LOCAL statement_timeout = 1000", "kept"],
    ["SET statement_timeout = 1000", "kept"],
    ["DISCARD ALL", "reset"],
    ["SELECT * FROM a", "kept"],
  ])("%s: %s", (text, session) => expect(factsOf(text).session).toBe(session as never));

  test.each([
    ["BEGIN ISOLATION LEVEL SERIALIZABLE", ["begin"]],
    ["COMMIT AND CHAIN", ["commit-chain"]],
    ["BEGIN; UPDATE a SET n = 1; COMMIT", ["begin", "commit"]],
    ["SAVEPOINT a", []],
    ["ROLLBACK TO a", []],
    ["PREPARE TRANSACTION 'x'", ["prepare"]],
  ])("%s: %s", (text, steps) => expect(factsOf(text).steps).toEqual(steps as never));
});

describe("a statement's text", () => {
  test("is one with others that differ in comments, spaces and case alone", () => {
    const one = statements.of("SELECT Id FROM  T -- all\n WHERE n = $1 AND s = 'X  y'");
    const other = statements.of("select id from t\nwhere n=$1 and s='X  y' /*traceparent='00-1'*/");
    expect(one.normalised).toBe(other.normalised);
  });

  test.each([
    ["SELECT 'a' FROM t", "SELECT 'A' FROM t"],
    ['SELECT "a" FROM t', 'SELECT "A" FROM t'],
    ["SELECT 'é' FROM t", "SELECT 'è' FROM t"],
    ["SELECT $$a$$ FROM t", "SELECT $$A$$ FROM t"],
    ["SELECT n - -1 FROM t", "SELECT n -1 FROM t"],
    ["SELECT E'\\n' FROM t", "SELECT E'\\N' FROM t"],
  ])("is not one with another: %s, %s", (one, other) =>
    expect(statements.of(one).normalised).not.toBe(statements.of(other).normalised),
  );

  test("is parsed once, however often its trace comment changes", () => {
    expect(statements.of("SELECT 1 FROM a /* 1 */")).toBe(statements.of("SELECT 1 FROM a /* 2 */"));
  });

  test("does not lose what only looks like a comment", () => {
    expect(statements.of("SELECT '/*' || '*/' FROM a").normalised).toContain("'/*' || '*/'");
  });
});

test("no function is in both tables", () => {
  expect([...STABLE_FUNCTIONS].filter(isUnstableBuiltin)).toEqual([]);
});
