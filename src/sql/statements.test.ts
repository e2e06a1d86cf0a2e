import { beforeAll, describe, expect, test } from "bun:test";
import { loadModule, parseSync } from "libpg-query";
import type { Effect } from "./facts.ts";
import { changesData, Statements } from "./statements.ts";
import { seededTexts } from "./testing.ts";

beforeAll(() => loadModule());

const statements = new Statements();
const accessOf = (text: string): string => {
  const [first] = statements.of(text).statements;
  return `${first?.access} ${first?.reason}`;
};
const effectsOf = (text: string): Effect[] =>
  statements.of(text).statements.flatMap(({ effects }) => [...effects]);

describe("a replica may run", () => {
  test.each([
    "SELECT 1",
    "  select * from t where name = 'update'",
    "TABLE t",
    "VALUES (1), (2)",
    "(SELECT 1) UNION (SELECT 2)",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "EXPLAIN ANALYZE SELECT * FROM t",
    "SHOW search_path",
    "SELECT share FROM stocks",
    "/* delete */ SELECT 1 -- into",
  ])("%s", (text) => expect(accessOf(text)).toBe("read reads"));
});

describe("a replica may not run", () => {
  test.each([
    ["INSERT INTO t VALUES (1)", "write command"],
    ["WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "write writes"],
    ["SELECT * INTO u FROM t", "write writes"],
    ["EXPLAIN ANALYZE DELETE FROM t", "write writes"],
    ["SELECT * FROM t FOR UPDATE", "write locks-rows"],
    ["SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED", "write locks-rows"],
    ["SELECT * FROM t FOR KEY SHARE", "write locks-rows"],
    ["SELECT * FROM t FOR SHARE OF t", "write locks-rows"],
    ["CALL p()", "write command"],
    ["DO $$ BEGIN END $$", "write command"],
    ["COPY t TO STDOUT", "write command"],
    ["SELECT pg_advisory_lock(1)", "write session-state"],
    ["FETCH 10 FROM c", "write command"],
  ])("%s: %s", (text, expected) => expect(accessOf(text)).toBe(expected));
});

test("the grammar settles what the lexer suspects", () => {
  const text = 'SELECT "update", t.delete, insert FROM t';
  expect(accessOf(text)).toBe("write writes");
  expect(new Statements(parseSync).of(text).statements[0]?.access).toBe("read");
  expect(new Statements(parseSync).of("SELECT * INTO u FROM t").statements[0]?.access).toBe("write");
  expect(new Statements(parseSync).of("SELECT update FROM").statements[0]?.access).toBe("write");
});

describe("what a statement does to its session", () => {
  test.each<[string, Effect[]]>([
    ["BEGIN", [{ kind: "begin", readOnly: false, serializable: false }]],
    [
      "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
      [{ kind: "begin", readOnly: true, serializable: true }],
    ],
    ["COMMIT", [{ kind: "commit", chain: false }]],
    ["END AND CHAIN", [{ kind: "commit", chain: true }]],
    ["ROLLBACK AND NO CHAIN", [{ kind: "rollback", chain: false }]],
    ["ROLLBACK TO SAVEPOINT a", [{ kind: "savepoint" }]],
    ["COMMIT PREPARED 'x'", []],
    ["PREPARE TRANSACTION 'x'", [{ kind: "prepare-transaction" }]],
    ["PREPARE transaction AS SELECT 1", [{ kind: "prepare", name: "transaction" }]],
    [
      "SET search_path TO a, b",
      [{ kind: "set", name: "search_path", again: "SET search_path TO a, b", local: false }],
    ],
    [
      "set local Work_Mem = '1MB';",
      [{ kind: "set", name: "work_mem", again: "set local Work_Mem = '1MB'", local: true }],
    ],
    ["SET my.var = 1", [{ kind: "set", name: "my.var", again: "SET my.var = 1", local: false }]],
    [
      "SET SESSION TIME ZONE 'UTC'",
      [{ kind: "set", name: "timezone", again: "SET SESSION TIME ZONE 'UTC'", local: false }],
    ],
    ["SET role TO x", [{ kind: "set", name: "role", again: "SET role TO x", local: false }]],
    ["SET ROLE x", [{ kind: "set", name: "role", again: "SET ROLE x", local: false }]],
    [
      "SET SESSION AUTHORIZATION x",
      [{ kind: "set", name: "session_authorization", again: "SET SESSION AUTHORIZATION x", local: false }],
    ],
    ["SET TRANSACTION READ ONLY", []],
    ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", [{ kind: "session-change" }]],
    ["RESET ALL", [{ kind: "reset", name: undefined }]],
    ["RESET TIME ZONE", [{ kind: "reset", name: "timezone" }]],
    ["RESET my.var", [{ kind: "reset", name: "my.var" }]],
    ["DISCARD TEMP", [{ kind: "discard", what: "temp" }]],
    ["LISTEN a", [{ kind: "listen" }]],
    ["UNLISTEN *", [{ kind: "unlisten" }]],
    ["DEALLOCATE ALL", [{ kind: "deallocate", name: undefined }]],
    ['DEALLOCATE PREPARE "all"', [{ kind: "deallocate", name: "all" }]],
    ["EXECUTE p(1)", [{ kind: "execute", name: "p" }]],
    ["DECLARE c CURSOR WITH HOLD FOR SELECT 1", [{ kind: "cursor-with-hold" }]],
    ["DECLARE c CURSOR FOR WITH hold AS (SELECT 1) SELECT * FROM hold", []],
    ["CREATE TEMP TABLE t (a int)", [{ kind: "temporary-table" }]],
    ["CREATE OR REPLACE LOCAL TEMPORARY VIEW v AS SELECT 1", [{ kind: "temporary-table" }]],
    ["CREATE TABLE pg_temp.t (a int)", [{ kind: "temporary-table" }]],
    ["SELECT 1 INTO TEMP t", [{ kind: "temporary-table" }]],
    ["SELECT pg_catalog.pg_try_advisory_lock(1)", [{ kind: "advisory-lock" }]],
    ["SELECT pg_advisory_xact_lock(1)", []],
    [
      "SELECT set_config('A.b', 'x', false)",
      [{ kind: "set", name: "a.b", again: "SELECT set_config('A.b', 'x', false)", local: false }],
    ],
    ["SELECT set_config($1, $2, true)", [{ kind: "session-change" }]],
    ["SELECT 1", []],
  ])("%s", (text, expected) => expect(effectsOf(text)).toEqual(expected));
});

describe("a text's statements", () => {
  const verbsOf = (text: string): string[] => statements.of(text).statements.map(({ verb }) => verb);
  test.each([
    ["SELECT 1; ; COMMIT;", ["select", "commit"]],
    ["", []],
    ["-- nothing", []],
    ["SELECT ';'; SELECT $$;$$", ["select", "select"]],
    ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); BEGIN", ["create", "begin"]],
    [
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END; SELECT 2",
      ["create", "select"],
    ],
    ["SELECT CASE a WHEN 1 THEN 2 END; END", ["select", "end"]],
  ])("%s", (text, expected) => expect(verbsOf(text)).toEqual(expected));
});

test("called names are listed once, keywords not", () =>
  expect(
    statements.of('SELECT count(*), f(1), f(2), "G"(), s.h() FROM t WHERE a IN (1) AND (b)').statements[0]
      ?.functions,
  ).toEqual(["count", "f", "G", "h"]));

test("of 5,000 seeded statements none that the grammar finds to change something passes for a read, and each is cut the same", () => {
  for (const { seed, text } of seededTexts(5_000)) {
    const facts = statements.of(text);
    const tree = parsed(text);
    if (tree === undefined) continue;
    const stmts = tree.stmts ?? [];
    expect({ seed, text, count: facts.statements.length }).toEqual({ seed, text, count: stmts.length });
    for (const [at, node] of stmts.entries())
      if (facts.statements[at]?.access === "read")
        expect({ seed, text, changes: changesData(node) }).toEqual({ seed, text, changes: false });
  }
});

test("the seeded statements are both, and mostly valid", () => {
  const all = [...seededTexts(2_000)].map(({ text }) => text);
  const valid = all.filter((text) => parsed(text) !== undefined);
  expect(valid.length).toBeGreaterThan(1_000);
  const reads = valid.filter((text) =>
    statements.of(text).statements.every(({ access }) => access === "read"),
  );
  expect(reads.length).toBeGreaterThan(200);
  expect(valid.length - reads.length).toBeGreaterThan(200);
});

function parsed(text: string): { stmts?: unknown[] } | undefined {
  try {
    return parseSync(text);
  } catch {
    return undefined;
  }
}

test("a text that no statement can be read from holds up nobody", () => {
  for (const text of [
    "\u0000",
    "'",
    ";;;;",
    "(((((",
    "))))",
    "$",
    "$$",
    "SET",
    "RESET",
    "DECLARE",
    "SELECT set_config(",
  ])
    expect(() => statements.of(text)).not.toThrow();
});
