/**
 * What a rule's `match` may hold, and the shorthands that users write it in.
 *
 * Paths: "/exact", "/folder/*" (it and all below), "/img/**\/*.png" (glob), "~ ^/v[0-9]+/" (regex).
 * Fields: true (present), false (absent), "value", "~ regex", or a list of alternatives.
 */
import { isHost } from "./address.ts";
import type { FieldMatch, PathMatch, ValueMatch } from "./config.ts";
import type { MatchDraft } from "./draft.ts";
import { escapeRegex, globSource } from "./glob.ts";
import { below, type Place, report } from "./problem.ts";
import { compileFault, nestsRepetition } from "./regex.ts";
import { bySort, leaf, list, mapped, object, oneOrMore, quote, type Shape } from "./shape.ts";
import { cidr, TOKEN } from "./values.ts";

/** Alternatives of one condition. A longer list belongs in a glob or a regex. */
const ALTERNATIVES_MAX = 256;

/** Conditions on fields of one rule; each is looked up for every request that reaches the rule. */
const FIELDS_MAX = 32;

/** Longest pattern; it fits the 8 KiB request line many times over. */
const PATTERN_MAX = 1024;

const PATH_EXPECTED = 'a path such as "/api/*", or "~ regex"';

/** The source of "~ source", checked to compile. */
function regexSource(value: string, place: Place): string | undefined {
  const source = value.slice(1).trim();
  if (source === "") return report(place, "is an empty regex", 'write "~ " and the regex');
  if (source.length > PATTERN_MAX)
    return report(place, "is too long a regex", `keep to ${PATTERN_MAX} characters`);
  const fault = compileFault(source);
  if (fault !== undefined)
    return report(place, `${quote(source)} does not compile: ${fault}`, "mend the regex");
  return harmless(source, place);
}

function harmless(source: string, place: Place): string | undefined {
  if (!nestsRepetition(source)) return source;
  return report(
    place,
    `${quote(source)} repeats a repetition, which can take exponential time`,
    "put something fixed into each round, or repeat once",
  );
}

/** "/*" becomes the folder "", which holds every path; `normalise` leaves that condition out. */
function pathMatch(value: string, place: Place): PathMatch | undefined {
  if (value.startsWith("~")) {
    const source = regexSource(value, place);
    return source === undefined ? undefined : { kind: "regex", source };
  }
  if (!isPath(value, place)) return undefined;
  const folder = /^([^*?]*)\/\*\*?$/.exec(value);
  if (folder) return { kind: "prefix", path: folder[1] ?? "" };
  return /[*?]/.test(value) ? { kind: "glob", source: globSource(value) } : { kind: "exact", path: value };
}

function isPath(value: string, place: Place): boolean {
  const before = place.problems.length;
  if (!value.startsWith("/"))
    report(place, `${quote(value)} does not begin with "/"`, `write ${PATH_EXPECTED}`);
  else if (value.length > PATTERN_MAX)
    report(place, "is too long a path", `keep to ${PATTERN_MAX} characters`);
  else if (/\?[^/]*=/.test(value))
    report(place, `${quote(value)} holds a query`, 'match it with query: { name: "value" }');
  else if (value.includes("#")) report(place, `${quote(value)} holds a fragment`, 'end the path before "#"');
  else if (/[^!-~]/.test(value))
    report(place, `${quote(value)} holds a character that paths encode`, `write "${encodeURI(value)}"`);
  return place.problems.length === before;
}

function hostPattern(value: string, place: Place): string | undefined {
  const host = value.toLowerCase();
  const bare = host.startsWith("*.") ? host.slice(2) : host;
  if (isHost(bare) || /^\[[0-9a-f:.]+\]$/.test(bare)) return host;
  if (host === "*") return report(place, '"*" matches every host', "leave host out");
  if (/:\d+$/.test(host))
    return report(place, `${quote(value)} holds a port`, `write "${host.replace(/:\d+$/, "")}"`);
  if (/[^!-~]/.test(host)) return report(place, `${quote(value)} is not ASCII`, 'write its "xn--" form');
  return report(
    place,
    `${quote(value)} is no host`,
    'write a host such as "shop.example" or "*.shop.example"',
  );
}

function method(value: string, place: Place): string | undefined {
  return TOKEN.test(value)
    ? value.toUpperCase()
    : report(place, `${quote(value)} is no method`, 'write a method such as "GET"');
}

const FIELD_EXPECTED = 'true, false, "value" or "~ regex"';

const fieldText: Shape<ValueMatch> = leaf(
  FIELD_EXPECTED,
  "string",
  (value: string, place): ValueMatch | undefined => {
    if (!value.startsWith("~")) return { kind: "exact", value };
    const source = regexSource(value, place);
    return source === undefined ? undefined : { kind: "regex", source };
  },
);

const fieldValue: Shape<ValueMatch> = bySort<ValueMatch>(
  {
    string: fieldText,
    boolean: leaf(FIELD_EXPECTED, "boolean", (present: boolean) => ({
      kind: present ? "present" : "absent",
    })),
    list: mapped(list(fieldText, ALTERNATIVES_MAX, 1), anyOf),
  },
  `${FIELD_EXPECTED}, or a list of texts`,
);

/** A field has one condition, so alternatives become one regex. */
function anyOf(values: readonly ValueMatch[]): ValueMatch {
  const sources = values.map((value) => {
    if (value.kind === "exact") return `^${escapeRegex(value.value)}$`;
    return value.kind === "regex" ? `(?:${value.source})` : "";
  });
  return { kind: "regex", source: sources.join("|") };
}

/** Conditions on named fields. `fold` brings a name to the case it is compared in. */
function fields(
  noun: string,
  isName: (name: string) => boolean,
  fold: (name: string) => string,
): Shape<readonly FieldMatch[]> {
  const expected = `an object of ${noun} names, each ${FIELD_EXPECTED}`;
  return leaf(expected, "object", (input: Record<string, unknown>, place) => {
    const names = Object.keys(input).filter((name) => input[name] !== undefined);
    if (names.length > FIELDS_MAX)
      return report(place, `has ${names.length} conditions`, `keep to ${FIELDS_MAX}`);
    return names.flatMap((name) => {
      const at = below(place, name);
      if (!isName(name)) report(at, `is no ${noun} name`, `use a ${noun} name such as "x-beta"`);
      const value = fieldValue.read(input[name], at);
      return value === undefined ? [] : [{ name: fold(name), value }];
    });
  });
}

const path: Shape<PathMatch> = leaf(PATH_EXPECTED, "string", pathMatch);

/** All conditions of a rule. */
export const match: Shape<MatchDraft> = object<MatchDraft>({
  host: oneOrMore(leaf('a host such as "*.shop.example"', "string", hostPattern), ALTERNATIVES_MAX),
  path: oneOrMore(path, ALTERNATIVES_MAX),
  method: oneOrMore(leaf('a method such as "GET"', "string", method), ALTERNATIVES_MAX),
  header: fields(
    "header",
    (name) => TOKEN.test(name),
    (name) => name.toLowerCase(),
  ),
  query: fields(
    "query parameter",
    (name) => name !== "",
    (name) => name,
  ),
  source: oneOrMore(cidr, ALTERNATIVES_MAX),
});
