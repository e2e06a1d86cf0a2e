/** Random fields: nothing throws, and nothing makes a response fresher than any reading of it allows. */
import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../base/index.ts";
import { evaluate } from "../../evaluate.ts";
import { decide } from "../decision.ts";
import { afterFailure } from "../failure.ts";
import { type Storability, storability } from "../storability.ts";
import type { StoredMeta } from "../stored-meta.ts";
import { matchesVariant } from "../vary.ts";
import {
  dateAt,
  exchangeOf,
  NOW_MS,
  pick,
  pickSome,
  policyWith,
  requestWith,
  responseWith,
  type TestFields,
} from "./testing.ts";

const ROUNDS = 20_000;
const POLICY = policyWith();
const BODY_BYTES = 100;

const LIFETIMES = [
  "max-age",
  "s-maxage",
  "stale-while-revalidate",
  "stale-if-error",
  "max-stale",
  "min-fresh",
];
const FLAGS = [
  "public",
  "must-revalidate",
  "proxy-revalidate",
  "must-understand",
  "immutable",
  "only-if-cached",
  "no-cache",
];
const ARGUMENTS = [
  "",
  "=",
  "=60",
  '="60"',
  "=-60",
  "=1.5",
  "=x",
  "=99999999999999999999",
  '="a, b"',
  '="a',
  "=0",
];
const NOISE = ['"', "\\", ",", ";", " ", "\t", "=", "constructor", "\u00FF", "*", "W/", "-", "'", "(", "?1"];
const DATES = [
  dateAt(0),
  dateAt(-60),
  dateAt(60),
  "0",
  "",
  "-1",
  "Sunday, 06-Nov-94 08:49:37 GMT",
  dateAt(9).slice(1),
];
const TAGS = ['"a"', 'W/"a"', "*", "a", '""', '"a', '"a, b"'];
const RANGES = [
  "bytes=0-9",
  "bytes=-5",
  "bytes=",
  "bytes=9-0",
  "bytes=0-1,2-3",
  "bytes=-0",
  "bytes=200-",
  "lines=1-2",
];

function cacheControl(random: Random): string {
  const directive = (): string =>
    pick(random, [...LIFETIMES, ...FLAGS, "no-store", "private"]) + pick(random, ARGUMENTS);
  const members = Array.from({ length: 5 }, () => pick(random, [directive(), pick(random, NOISE)]));
  return members.join(pick(random, [",", ", ", "; ", " "]));
}

/** One of these, often with a character of it changed, cut or doubled, or with noise around it. */
function mutated(random: Random, choices: readonly string[]): string {
  const value = pick(random, choices);
  const at = Math.floor(random() * value.length);
  const piece = pick(random, NOISE);
  const forms = [
    value,
    value.slice(0, at),
    `${value}, ${value}`,
    value.slice(0, at) + piece + value.slice(at + 1),
  ];
  return pick(random, forms);
}

function responseFields(random: Random): TestFields {
  const all: [string, string][] = [
    ["cache-control", cacheControl(random)],
    ["cdn-cache-control", mutated(random, ["max-age=60", "no-store", 'private="a"', "max-age=-1, x=(a)"])],
    ["vary", mutated(random, ["accept-encoding", "accept-language, a", "a,b", "*"])],
    ["age", mutated(random, ["60", "0", "-5", "1.5", "99999999999"])],
    ["date", mutated(random, DATES)],
    ["expires", mutated(random, DATES)],
    ["last-modified", mutated(random, DATES)],
    ["etag", mutated(random, TAGS)],
    ["content-language", mutated(random, ["de", "de, en"])],
  ];
  return Object.fromEntries(pickSome(random, all, 8));
}

function requestFields(random: Random): TestFields {
  const all: [string, string][] = [
    ["cache-control", cacheControl(random)],
    ["pragma", mutated(random, ["no-cache"])],
    ["accept-encoding", mutated(random, ["gzip, br;q=0.5", "*;q=0", "identity;q=0"])],
    ["accept-language", mutated(random, ["de, en;q=0.5", "*", "de;q=x"])],
    ["if-none-match", mutated(random, TAGS)],
    ["if-modified-since", mutated(random, DATES)],
    ["if-range", mutated(random, [...TAGS, ...DATES])],
    ["range", mutated(random, RANGES)],
  ];
  return Object.fromEntries(pickSome(random, all, 5));
}

/** Asks all that can be asked about what was stored; whether it may be sent without asking the target. */
function useAll(meta: StoredMeta, fields: TestFields): boolean {
  const request = requestWith(fields);
  const part = evaluate(request, meta, BODY_BYTES, NOW_MS);
  if (part.kind === "part" && !(part.first >= 0 && part.first <= part.last && part.last < BODY_BYTES))
    return true;
  matchesVariant(meta, request);
  afterFailure(meta, POLICY, NOW_MS, { allTargetsDown: true });
  decide(request, meta, POLICY, NOW_MS);
  return decide(requestWith(), meta, POLICY, NOW_MS).kind === "hit";
}

const isSound = (ms: number): boolean => ms >= 0 && ms <= 2 ** 31 * 1000;

/** What is wrong with a verdict, or "". */
function faultIn(verdict: Storability, response: TestFields, request: TestFields): string {
  if (verdict.kind === "no") return "";
  const { meta } = verdict;
  const numbers = [meta.lifetimeMs, meta.staleWhileRevalidateMs, meta.staleIfErrorMs];
  if (!numbers.every(isSound) || !(meta.initialAgeMs >= 0)) return "a number out of bounds";
  const isHit = useAll(meta, request);
  if (isHit && meta.lifetimeMs <= meta.initialAgeMs) return "a hit that is stale";
  const { age = "0" } = response;
  return isHit && /^[0-9]+$/.test(age) && Number(age) * 1000 >= meta.lifetimeMs
    ? "a hit older than it may be"
    : "";
}

test("random fields throw nothing and make nothing fresh that is stale", () => {
  const random = seededRandom(9111);
  for (let round = 0; round < ROUNDS; round++) {
    const response = responseFields(random);
    const request = requestFields(random);
    const exchange = exchangeOf(responseWith(response), { request: requestWith(request) });
    const fault = faultIn(storability(exchange, POLICY), response, request);
    if (fault !== "") throw new Error(`round ${round}: ${fault}: ${JSON.stringify({ response, request })}`);
  }
});

/** A Cache-Control that forbids, somewhere among what is broken, but not inside a closed quote. */
function forbidding(random: Random, word: string): string {
  const broken = (): string =>
    pick(random, ["", "max-age=60", "max-age=60;", "public", "x=y z", ";", "foo;bar", "s-maxage=9"]);
  const separator = (): string => pick(random, [",", ", ", " , ", "; ", " ", ",,"]);
  const cased = random() < 0.5 ? word : word.toUpperCase();
  return `${broken()}${separator()}${cased}${separator()}${broken()}`;
}

test.each(["no-store", "private"])(
  "with %s anywhere nothing is stored, with no-cache nothing is a hit",
  (word) => {
    const random = seededRandom(word.length);
    for (let round = 0; round < 2000; round++) {
      const fields = { etag: '"a"', expires: dateAt(60), "cache-control": forbidding(random, word) };
      const verdict = storability(exchangeOf(responseWith(fields)), POLICY);
      expect([fields["cache-control"], verdict.kind]).toEqual([fields["cache-control"], "no"]);
      const noCache = { ...fields, "cache-control": forbidding(random, "no-cache") };
      const asked = storability(exchangeOf(responseWith(noCache)), POLICY);
      expect([noCache, asked.kind === "store" && useAll(asked.meta, {})]).toEqual([noCache, false]);
    }
  },
);

const NO_LIFETIMES = [
  "-1",
  "-60",
  "1.5",
  "x",
  "",
  "6 0",
  "60;",
  "60x",
  "0x3c",
  "'60'",
  '"60',
  '"6,0"',
  "+60",
  "١",
];

test("a negative or broken lifetime is never fresh, whatever else would make it so", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 2000; round++) {
    const name = pick(random, ["max-age", "MAX-AGE"]);
    const before = pick(random, ["", "public, ", "immutable,", "x=1, "]);
    const fields = { etag: '"a"', expires: dateAt(60), "last-modified": dateAt(-9999) };
    const value = `${before}${name}=${pick(random, NO_LIFETIMES)}`;
    const verdict = storability(exchangeOf(responseWith({ ...fields, "cache-control": value })), POLICY);
    const isHit = verdict.kind === "store" && useAll(verdict.meta, {});
    expect([value, isHit]).toEqual([value, false]);
  }
});
