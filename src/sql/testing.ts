/** Seeded statements for the tests of this part: valid ones mostly, of all kinds, with what misleads a lexer in them. */
import { type Random, seededRandom } from "../base/index.ts";

function pick<T>(list: readonly T[], at: number): T {
  const found = list[Math.min(list.length - 1, Math.floor(at * list.length))];
  if (found === undefined) throw new Error("nothing to pick from");
  return found;
}

const NAMES = ["t", "a", '"update"', '"in""to"', "share", "delete", "hold", "s.u", "größe", "t$1"];
const VALUES = [
  "1",
  "'x'",
  "'it''s; into'",
  "E'\\'; delete'",
  "$$ update $$",
  "$q$ $$;$$ $q$",
  "$1",
  "1.5e-3",
  "B'01'",
  "NULL",
  "0x1f",
  "'a'\n 'b'",
];
const GAPS = [" ", "  ", "\n", " /* ; delete /* into */ */ ", " -- update ;\n", "\t"];
const CALLS = ["count(*)", "f(1)", "now()", "nextval('s')", "coalesce(a, 1)", '"F"(2)', "s.g(1, 2)"];

/** `count` statements, each with the seed that made it. */
export function* seededTexts(count: number): Generator<{ readonly seed: number; readonly text: string }> {
  for (let seed = 1; seed <= count; seed++) yield { seed, text: textOf(seededRandom(seed)) };
}

function textOf(random: Random): string {
  const some = Array.from({ length: pick([1, 1, 1, 2, 3], random()) }, () => statementOf(random));
  return spaced(random, some.join(";")) + pick(["", ";", " ; "], random());
}

/** Spaces become gaps of all kinds; those inside quotes stay: they are not plain spaces. */
function spaced(random: Random, text: string): string {
  return text.replaceAll("~", () => pick(GAPS, random()));
}

function queryOf(random: Random, depth = 0): string {
  const name = (): string => pick(NAMES, random());
  const value = (): string => pick([...VALUES, ...CALLS], random());
  const simple = [
    `SELECT~${value()}`,
    `SELECT~${value()}~AS~x,~${name()}.*~FROM~${name()}~WHERE~a~=~${value()}`,
    `TABLE~${name()}`,
    `VALUES~(${value()}),~(${value()})`,
    `SELECT~*~FROM~${name()}~FOR~${pick(["UPDATE", "SHARE", "NO~KEY~UPDATE", "KEY~SHARE"], random())}`,
    `SELECT~*~INTO~${pick(["", "TEMP~"], random())}u~FROM~${name()}`,
    `SELECT~CASE~WHEN~a~THEN~${value()}~ELSE~${value()}~END~FROM~${name()}`,
    `SELECT~update,~"x"~FROM~${name()}`,
  ];
  if (depth > 1) return pick(simple, random());
  const nested = [
    `WITH~a~AS~(${pick([queryOf(random, depth + 1), changeOf(random, "~RETURNING~*")], random())})~SELECT~*~FROM~a`,
    `SELECT~*~FROM~(${queryOf(random, depth + 1)})~AS~x`,
    `(${queryOf(random, depth + 1)})~UNION~ALL~(${queryOf(random, depth + 1)})`,
    `EXPLAIN~${pick(["", "ANALYZE~", "(COSTS~off)~"], random())}${pick([queryOf(random, depth + 1), changeOf(random, "")], random())}`,
  ];
  return pick([...simple, ...nested], random());
}

function changeOf(random: Random, end: string): string {
  const name = pick(NAMES, random());
  const value = pick(VALUES, random());
  return pick(
    [
      `INSERT~INTO~${name}~VALUES~(${value})${end}`,
      `UPDATE~${name}~SET~a~=~${value}${end}`,
      `DELETE~FROM~${name}~WHERE~a~=~${value}${end}`,
    ],
    random(),
  );
}

const COMMANDS = [
  "BEGIN",
  "COMMIT",
  "ROLLBACK~TO~a",
  "SET~a.b~=~1",
  "RESET~ALL",
  "LISTEN~a",
  "SHOW~ALL",
  "PREPARE~p~AS~SELECT~1",
  "EXECUTE~p(1)",
  "CALL~p()",
  "DO~$$~BEGIN~;~END~$$",
  "CREATE~TABLE~t~(a~int)",
  "CREATE~RULE~r~AS~ON~INSERT~TO~t~DO~(SELECT~1;~SELECT~2)",
  "CREATE~FUNCTION~f()~RETURNS~int~BEGIN~ATOMIC~SELECT~1;~SELECT~CASE~WHEN~true~THEN~1~END;~END",
  "COPY~t~FROM~STDIN",
  "TRUNCATE~t",
  "DECLARE~c~CURSOR~WITH~HOLD~FOR~SELECT~1",
];

function statementOf(random: Random): string {
  const kind = random();
  if (kind < 0.6) return queryOf(random);
  return kind < 0.8 ? changeOf(random, "") : pick(COMMANDS, random());
}
