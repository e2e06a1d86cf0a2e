import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { lookAtStatement, maySuspect, NO_EFFECTS, type PinReason } from "./statement-effects.ts";

const PINS: readonly (readonly [string, PinReason | undefined])[] = [
  ["LISTEN jobs", "listen"],
  ['listen "Jobs";', "listen"],
  ["SELECT pg_advisory_lock(1)", "advisory-lock"],
  ["select pg_catalog.pg_try_advisory_lock_shared(1, 2)", "advisory-lock"],
  ["SELECT pg_advisory_xact_lock(1)", undefined],
  ["CREATE TEMP TABLE t (a int)", "temporary-table"],
  ["create temporary view v as select 1", "temporary-table"],
  ["CREATE TEMP TABLE t (a int) ON COMMIT DROP", undefined],
  ["SELECT 1 INTO TEMP t", "temporary-table"],
  ["CREATE TABLE pg_temp.t (a int)", "temporary-table"],
  ["CREATE TABLE temperature (temp int)", undefined],
  ["DECLARE c CURSOR WITH HOLD FOR SELECT 1", "hold-cursor"],
  ["DECLARE c CURSOR FOR SELECT 1", undefined],
  ["PREPARE p AS SELECT 1", "sql-prepare"],
  ["PREPARE TRANSACTION 'x'", undefined],
  ["SET SESSION AUTHORIZATION bob", "session-authorization"],
  ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "session-characteristics"],
  ["SELECT set_config('a.b', 'c', false)", "set-config"],
  ["SELECT set_config('a.b', 'c', true)", undefined],
  ["SELECT set_config('request.jwt', current_setting('x', true), true)", undefined],
  ["LOAD 'auto_explain'", "load"],
  ["SELECT 'LISTEN x; CREATE TEMP TABLE t ()'", undefined],
  ['SELECT $q$ LISTEN x $q$, "temp" /* LISTEN */ -- PREPARE p', undefined],
  ["SELECT 1; LISTEN x", "listen"],
  ["UPDATE temp SET hold = 1", undefined],
];

describe("what a statement leaves behind", () => {
  test.each(PINS)("%s", (sql, pin) => {
    expect(lookAtStatement(sql).pin).toBe(pin);
  });

  test.each([
    ["SET search_path TO a, b", [{ kind: "set", name: "search_path", sql: "SET search_path TO a, b" }]],
    [
      "set session statement_timeout = '5s' ;",
      [{ kind: "set", name: "statement_timeout", sql: "set session statement_timeout = '5s'" }],
    ],
    ["SET my.setting TO 'a;b'", [{ kind: "set", name: "my.setting", sql: "SET my.setting TO 'a;b'" }]],
    ["SET ROLE bob", [{ kind: "set", name: "role", sql: "SET ROLE bob" }]],
    ["SET TIME ZONE 'UTC'", [{ kind: "set", name: "timezone", sql: "SET TIME ZONE 'UTC'" }]],
    ["SET x TO DEFAULT", [{ kind: "reset", name: "x" }]],
    ["RESET x; RESET ALL", [{ kind: "reset", name: "x" }, { kind: "reset-all" }]],
    ["SET /* why */ x = 1 -- so", [{ kind: "set", name: "x", sql: "SET   x = 1" }]],
    ["SET LOCAL x = 1", []],
    ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", []],
    ["SET CONSTRAINTS ALL DEFERRED", []],
    ["UPDATE t SET a = 1", []],
  ])("settings: %s", (sql, settings) => {
    expect(lookAtStatement(sql).settings).toEqual(settings as never);
  });

  test.each([
    ["DEALLOCATE a", "a"],
    ['deallocate prepare "A b"', "A b"],
    ["DEALLOCATE ALL", undefined],
    ["DEALLOCATE a; SELECT 1", undefined],
  ])("deallocates: %s", (sql, name) => {
    expect(lookAtStatement(sql).deallocates).toBe(name);
  });

  test("is nothing, mostly", () => {
    expect(lookAtStatement("SELECT abalance FROM pgbench_accounts WHERE aid = 1")).toBe(NO_EFFECTS);
  });
});

describe("the look at bytes, before there is a text", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  test("passes over what most statements are made of", () => {
    for (const sql of [
      "SELECT abalance FROM pgbench_accounts WHERE aid = 123456;",
      "select u.user_id, count(*) from users u left join orders o on o.user_id = u.id where u.name like $1",
      "INSERT INTO jobs (kind, run_at) VALUES ($1, now()) RETURNING id",
    ])
      expect(maySuspect(bytes(sql), 0, bytes(sql).length)).toBe(false);
  });

  test("misses nothing that is left behind, in either case, between whatever bytes", () => {
    const between = [" ", "(", "é", "\u{1f600}", "\t", "", ";", "1", "_", "'", "\n"];
    for (const [sql, pin] of PINS) if (pin !== undefined) expect(suspects(sql)).toBe(true);
    const random = seededRandom(7);
    const pick = <Item>(of: readonly Item[]): Item => of[Math.floor(random() * of.length)] as Item;
    for (let round = 0; round < 3000; round++) {
      const [sql] = pick(PINS);
      const text = `${pick(between)}${pick(between)}${round % 2 === 0 ? sql.toUpperCase() : sql}${pick(between)}`;
      if (lookAtStatement(text) !== NO_EFFECTS) expect([text, suspects(text)]).toEqual([text, true]);
    }
  });

  function suspects(text: string): boolean {
    const all = bytes(`..${text}..`);
    return maySuspect(all, 2, all.length - 2);
  }

  test.each([
    ["SET search_path = a, b", "SET search_path = a, b"],
    ["set schema 'a'", "set schema 'a'"],
    ["RESET search_path", ""],
    ["SET search_path TO DEFAULT", ""],
    ["RESET ALL", ""],
    ["BEGIN; SET LOCAL search_path TO a", "SET LOCAL search_path TO a"],
    [
      "SELECT pg_catalog.set_config('search_path', 'a', true)",
      "SELECT pg_catalog.set_config('search_path', 'a', true)",
    ],
    ["SET search_path TO a; SET search_path TO b", "SET search_path TO b"],
    ["SET LOCAL work_mem TO '1MB'", undefined],
    ["SELECT 'set local search_path to a'", undefined],
  ])("%s: the search path is %p", (sql, searchPath) => {
    expect(lookAtStatement(sql).searchPath).toBe(searchPath);
  });
});
