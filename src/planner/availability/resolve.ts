/**
 * From the structure of an expression to the system that it means.
 *
 * The same name is the same thing. A name says its availability once; where it stands alone a second time it is that
 * one again, and is down at the same moments. A second availability under one name is refused: whether one thing or
 * two were meant decides by how much the answer is wrong.
 */
import { componentOf, GROUP_OPTIONS, optionsOf } from "./component.ts";
import { readSettings } from "./settings.ts";
import type { Component, System } from "./system.ts";
import { type ExpressionProblem, problemAt, type Token } from "./tokens.ts";
import type { Written, WrittenGroup, WrittenPart } from "./written.ts";

/** Copies of all parts together. A thousand is a fleet; what is asked about a larger one is its capacity. */
const COPIES_MAX = 1000;

/** Different names: far more than anybody tells apart. */
const NAMES_MAX = 200;

/** Names that stand in several places; each doubles the work. */
const SHARED_MAX = 4;

interface Definition {
  readonly component: Component;
  /** How often the brackets around it copy it. */
  readonly times: number;
}

interface Book {
  readonly problems: ExpressionProblem[];
  /** The parts that say their availability, by name. */
  readonly defined: Map<string, Definition>;
  /** Names that stand alone, where they first do. */
  readonly referred: Map<string, Token>;
  copies: number;
}

/** The system, or undefined after problems were pushed. */
export function resolve(written: Written, problems: ExpressionProblem[]): System | undefined {
  const book: Book = { problems, defined: new Map(), referred: new Map(), copies: 0 };
  collect(written, 1, book);
  checkReferences(book);
  checkBounds(book);
  return problems.length > 0 ? undefined : build(written, book);
}

/** Reads every part that says something about itself; `times` is how often the brackets around it copy it. */
function collect(written: Written, times: number, book: Book): void {
  if (written.kind === "group") {
    const copies = typeof written.way === "object" && written.members.length === 1 ? written.way.of : 1;
    for (const member of written.members) collect(member, times * copies, book);
    checkGroup(written, book);
    return;
  }
  const { token, count, settings } = written;
  book.copies += times * (count?.of ?? 1);
  if (settings.length === 0 && count === undefined) {
    if (!book.referred.has(token.text)) book.referred.set(token.text, token);
  } else if (book.defined.has(token.text)) refuseSecond(token, book);
  else book.defined.set(token.text, { component: componentOf(written, book.problems), times });
}

function refuseSecond(token: Token, { problems }: Book): void {
  const { text } = token;
  const mend = `write 2x ${text} for two that fail apart, ${text} alone for the same one again, or another name`;
  problems.push(problemAt(token, "says its availability in two places", mend));
}

function checkGroup({ token, way, members, settings }: WrittenGroup, { problems }: Book): void {
  const said = readSettings(settings, way === "series" ? [] : GROUP_OPTIONS, problems);
  if (way === "series") return;
  optionsOf(said, token, settings, problems);
  if (typeof way === "object" && members.length > 1 && members.length !== way.of) {
    const what = `speaks of ${way.of} but lists ${members.length}`;
    problems.push(problemAt(token, what, "list all of them, or one that stands for all alike"));
  }
  if (members.length === 1 && settings.length === 0) return;
  for (const member of members)
    if (member.kind === "part" && member.count === undefined) checkMember(member, token, problems);
}

/** What one copy says of itself would not hold for the others of its group. */
function checkMember({ settings }: WrittenPart, group: Token, problems: ExpressionProblem[]): void {
  for (const setting of settings) {
    if (!GROUP_OPTIONS.some((option) => option === setting.name)) continue;
    const mend = `write it behind the bracket of ${group.text}(…)`;
    problems.push(problemAt(setting, "is said of one among several", mend));
  }
}

function checkReferences({ defined, referred, problems }: Book): void {
  for (const [name, token] of referred) {
    const definition = defined.get(name);
    if (definition === undefined) {
      const mend = `write ${name} 99.95, or ${name} mtbf=30d mttr=1h`;
      problems.push(problemAt(token, "has no availability", mend));
    } else if (definition.times > 1)
      // Which of its copies this place would mean, nobody can tell.
      problems.push(
        problemAt(token, "is copied elsewhere, so there are several", "give this one another name"),
      );
  }
}

function checkBounds({ copies, defined, referred, problems }: Book): void {
  const rows: readonly (readonly [count: number, most: number, of: string, mend: string])[] = [
    [copies, COPIES_MAX, "parts", "reckon with one zone of the fleet"],
    [defined.size, NAMES_MAX, "names", "put parts together that fail together"],
    [referred.size, SHARED_MAX, "names in several places", "put parts together that fail together"],
  ];
  for (const [count, most, of, mend] of rows) {
    if (count <= most) continue;
    const what = `has more than ${most} ${of}`;
    problems.push({ path: "the expression", what, mend, at: 0, length: 1 });
  }
}

function build(written: Written, book: Book): System | undefined {
  if (written.kind === "part") return mentioned(written, book);
  const members = written.members
    .map((member) => build(member, book))
    .filter((member) => member !== undefined);
  return written.way === "series"
    ? { kind: "series", parts: members }
    : someOf(written, written.way, members);
}

function mentioned({ token }: WrittenPart, { defined, referred }: Book): Component | undefined {
  const component = defined.get(token.text)?.component;
  return component === undefined ? undefined : { ...component, shared: referred.has(token.text) };
}

/** Copies of one part are the part's own copies; copies of a bracket, and unlike parts, are members. */
function someOf(
  { token, settings }: WrittenGroup,
  way: "parallel" | { readonly needed: number; readonly of: number },
  members: readonly System[],
): System {
  const [only] = members;
  const alike = members.length === 1;
  const { needed, of } = way === "parallel" ? { needed: 1, of: members.length } : way;
  const options = optionsOf(readSettings(settings, GROUP_OPTIONS, []), token, settings, []);
  if (alike && only?.kind === "component" && only.copies === 1 && !only.shared)
    return { ...only, needed, copies: of, options: settings.length > 0 ? options : only.options };
  return {
    kind: "some",
    needed,
    members: members.map((system) => ({ system, copies: alike ? of : 1 })),
    options,
  };
}
