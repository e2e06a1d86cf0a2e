/**
 * Systems as people write them: `series(lb 99.99, 2x app 99.95, db 99.99)`, `2of3(node 99.9)`, `db mtbf=30d mttr=1h`.
 *
 *   system    = function "(" system { "," system } ")" options | [count] name value options
 *   function  = "series" | "parallel" | k "of" n          count = n "x" (one of n suffices) | k "of" n
 *   value     = 99.95 | 99.95% | 0.9995 | mtbf=DURATION mttr=DURATION
 *   options   = common=SHARE failover=DURATION failovers=N/year price=N
 */
import { parseDurationMs } from "../../base/index.ts";
import { nearest, type Problem } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import {
  type Component,
  type GroupOptions,
  INDEPENDENT,
  type System,
  unavailabilityFromRepair,
} from "./tree.ts";

/** Longest expression: a few screens. */
const TEXT_MAX = 20_000;

/** Copies of all parts together. */
const COMPONENTS_MAX = 10_000;

/** Brackets inside brackets. */
const DEPTH_MAX = 50;

const TOKEN = /\s*(?:([(),])|([^\s(),]+))/y;

/** Words of a group's options and of a part's. */
const OPTION_NAMES = ["mtbf", "mttr", "common", "failover", "failovers", "price"] as const;

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Thrown inside, turned into a problem at the door. */
class Mistake extends Error {
  readonly at: number;
  readonly mend: string;
  constructor(at: number, what: string, mend: string) {
    super(what);
    this.at = at;
    this.mend = mend;
  }
}

/** The system that the text describes, or what is wrong with it and where. */
export function parseSystem(text: string): Outcome<System> {
  if (text.length > TEXT_MAX)
    return refused({
      path: "the expression",
      what: `has ${text.length} characters`,
      mend: `keep to ${TEXT_MAX}`,
    });
  try {
    const reader = new Reader(tokensOf(text));
    const system = reader.system(0);
    reader.end();
    checkTwice(system);
    return ok(system);
  } catch (problem) {
    if (!(problem instanceof Mistake)) throw problem;
    return refused({
      path: `at "${text.slice(problem.at, problem.at + 20) || "the end"}"`,
      what: problem.message,
      mend: problem.mend,
    });
  }
}

function refused(problem: Problem): Outcome<never> {
  return { kind: "problems", problems: [problem] };
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const token = match[1] ?? match[2] ?? "";
    tokens.push({ text: token, at: TOKEN.lastIndex - token.length });
  }
  return tokens;
}

interface Settings {
  unavailability?: number;
  mtbfMs?: number;
  mttrMs?: number;
  price?: number;
  options: GroupOptions;
}

class Reader {
  readonly #tokens: readonly Token[];
  #next = 0;
  #components = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  end(): void {
    const token = this.#peek();
    if (token !== undefined) throw new Mistake(token.at, "is left over", "join systems with series(…, …)");
  }

  system(depth: number): System {
    const token = this.#take("a part, such as app 99.95");
    if (depth > DEPTH_MAX)
      throw new Mistake(token.at, `is more than ${DEPTH_MAX} brackets deep`, "name inner parts on their own");
    if (this.#peek()?.text === "(") return this.#group(token, depth);
    const copies = copiesOf(token.text);
    return copies === undefined ? this.#part(token, 1, 1) : this.#copies(copies, token);
  }

  #copies({ needed, of }: { needed: number; of: number }, token: Token): System {
    const name = this.#take("a name, such as app");
    if (this.#peek()?.text === "(")
      throw new Mistake(name.at, "is a group that is to be copied", "write parallel(…, …)");
    if (needed > of || of < 1 || needed < 1)
      throw new Mistake(token.at, "needs more than there are", "write 2of3 or 3x");
    return this.#part(name, needed, of);
  }

  #part(name: Token, needed: number, of: number): System {
    if (!/^[a-z][\w-]*$/i.test(name.text))
      throw new Mistake(name.at, "is no name", "begin a part with its name, such as app 99.95");
    this.#components += of;
    if (this.#components > COMPONENTS_MAX)
      throw new Mistake(name.at, "makes more than 10,000 parts", "keep to fewer copies");
    const settings = this.#settings();
    const component: Component = {
      kind: "component",
      name: name.text,
      unavailability: unavailabilityIn(settings, name),
      ...(settings.price === undefined ? {} : { pricePerMonth: settings.price }),
    };
    if (of === 1) return component;
    return {
      kind: "some",
      needed,
      parts: Array.from({ length: of }, () => component),
      options: settings.options,
    };
  }

  #group(token: Token, depth: number): System {
    this.#next++;
    const parts = [this.system(depth + 1)];
    for (let token2 = this.#take('"," or ")"'); token2.text !== ")"; token2 = this.#take('"," or ")"')) {
      if (token2.text !== ",") throw new Mistake(token2.at, "is not expected here", 'write "," or ")"');
      parts.push(this.system(depth + 1));
    }
    const { options } = this.#settings();
    if (token.text === "series") return { kind: "series", parts };
    if (token.text === "parallel") return { kind: "some", needed: 1, parts, options };
    const copies = copiesOf(token.text);
    if (copies === undefined) throw unknownFunction(token);
    return this.#someOf(token, copies, parts, options);
  }

  /** 2of3(a, b, c), or 2of3(node 99.9) for three alike. */
  #someOf(
    token: Token,
    { needed, of }: { needed: number; of: number },
    parts: readonly System[],
    options: GroupOptions,
  ): System {
    const [only] = parts;
    const all = parts.length === 1 && only !== undefined ? Array.from({ length: of }, () => only) : parts;
    if (all.length !== of)
      throw new Mistake(
        token.at,
        `speaks of ${of} but lists ${parts.length}`,
        "list all, or one for all alike",
      );
    if (needed > of || needed < 1) throw new Mistake(token.at, "needs more than there are", "write 2of3");
    this.#components += of - parts.length;
    if (this.#components > COMPONENTS_MAX)
      throw new Mistake(token.at, "makes more than 10,000 parts", "keep to fewer copies");
    return { kind: "some", needed, parts: all, options };
  }

  #settings(): Settings {
    const settings: Settings = { options: INDEPENDENT };
    for (let token = this.#peek(); token !== undefined && !/^[(),]$/.test(token.text); token = this.#peek()) {
      this.#next++;
      readSetting(settings, token);
    }
    return settings;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #take(wanted: string): Token {
    const token = this.#peek();
    if (token === undefined) throw new Mistake(Number.MAX_SAFE_INTEGER, "ends too early", `write ${wanted}`);
    this.#next++;
    return token;
  }
}

function copiesOf(text: string): { needed: number; of: number } | undefined {
  const times = /^(\d{1,6})x$/i.exec(text);
  if (times !== null) return { needed: 1, of: Number(times[1]) };
  const some = /^(\d{1,6})of(\d{1,6})$/i.exec(text);
  return some === null ? undefined : { needed: Number(some[1]), of: Number(some[2]) };
}

function unknownFunction({ text, at }: Token): Mistake {
  const near = nearest(text, ["series", "parallel"]);
  return new Mistake(
    at,
    "is no way to join parts",
    near === undefined ? "write series(…), parallel(…) or 2of3(…)" : `did you mean ${near}?`,
  );
}

function readSetting(settings: Settings, token: Token): void {
  const [name = "", value] = token.text.split(/=(.*)/s);
  if (value === undefined) {
    settings.unavailability = 1 - availabilityOf(token);
    // 1 - 0.9999 is not quite 0.0001: percentages are subtracted before they are divided.
    const percent = /^(\d+(?:\.\d+)?)%?$/.exec(token.text)?.[1];
    if (percent !== undefined && Number(percent) > 1)
      settings.unavailability = Number((100 - Number(percent)).toPrecision(12)) / 100;
    return;
  }
  switch (name) {
    case "mtbf":
      settings.mtbfMs = durationOf(value, token);
      return;
    case "mttr":
      settings.mttrMs = durationOf(value, token);
      return;
    case "price":
      settings.price = numberOf(value.replace(/\/month$/, ""), token);
      return;
    case "common":
      settings.options = { ...settings.options, commonShare: shareOf(value, token) };
      return;
    case "failover":
      settings.options = { ...settings.options, failoverMs: durationOf(value, token) };
      return;
    case "failovers":
      settings.options = {
        ...settings.options,
        failoversPerYear: numberOf(value.replace(/\/year$/, ""), token),
      };
      return;
    default: {
      const near = nearest(name, OPTION_NAMES);
      throw new Mistake(
        token.at,
        "is no option",
        near === undefined ? `there are ${OPTION_NAMES.join(", ")}` : `did you mean ${near}=…?`,
      );
    }
  }
}

/** 99.95 and 99.95% are percentages, 0.9995 is a share; between 1 and 50 nobody means either. */
function availabilityOf({ text, at }: Token): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  const value = Number(percent ?? text);
  if (text.trim() === "" || Number.isNaN(value))
    throw new Mistake(at, "is no availability", "write 99.95 or mtbf=30d mttr=1h");
  if (percent !== undefined && value <= 100) return value / 100;
  if (value >= 0 && value <= 1) return value;
  if (value >= 50 && value <= 100) return value / 100;
  throw new Mistake(
    at,
    "is no availability",
    'write a percentage such as 99.95, or "5%" if you mean that little',
  );
}

function unavailabilityIn({ unavailability, mtbfMs, mttrMs }: Settings, name: Token): number {
  if (unavailability !== undefined && mtbfMs === undefined && mttrMs === undefined) return unavailability;
  if (unavailability === undefined && mtbfMs !== undefined && mttrMs !== undefined)
    return unavailabilityFromRepair(mtbfMs, mttrMs);
  if (unavailability !== undefined)
    throw new Mistake(name.at, "has an availability and a repair time", "keep one of them");
  throw new Mistake(
    name.at,
    "has no availability",
    `write ${name.text} 99.95, or ${name.text} mtbf=30d mttr=1h`,
  );
}

function durationOf(value: string, { at }: Token): number {
  const ms = parseDurationMs(value);
  if (ms === undefined || ms < 0) throw new Mistake(at, "is no duration", "write one such as 30s, 1h or 30d");
  return ms;
}

function numberOf(value: string, { at }: Token): number {
  const number = Number(value);
  if (value === "" || !(number >= 0) || !Number.isFinite(number))
    throw new Mistake(at, "is no number", "write one of 0 or above");
  return number;
}

function shareOf(value: string, { at }: Token): number {
  const share = value.endsWith("%") ? Number(value.slice(0, -1)) / 100 : Number(value);
  if (!(share >= 0 && share <= 1)) throw new Mistake(at, "is no share", "write one such as 5%");
  return share;
}

/** The same name in two places would be one thing that fails once, not two that fail apart. */
function checkTwice(system: System): void {
  const seen = new Set<string>();
  const visit = (part: System): void => {
    if (part.kind === "component") return seenOnce(part.name);
    const alike = part.kind === "some" && part.parts.every((one) => one === part.parts[0]);
    for (const one of alike ? part.parts.slice(0, 1) : part.parts) visit(one);
  };
  const seenOnce = (name: string): void => {
    if (seen.has(name))
      throw new Mistake(
        0,
        `names ${name} in two places, as if it failed apart from itself`,
        `write 2x ${name}, or give them two names`,
      );
    seen.add(name);
  };
  visit(system);
}
