/**
 * What an app tells the router in its SQL: where a read may go, and how fresh it must be. The one place that knows these words; the router
 * reads them and the database client writes them.
 *
 *   SET tenfold.consistency = 'eventual' | 'bounded(500ms)' | 'session' | 'global'      for the session; also as an option of the start-up
 *   SET tenfold.after = '0/16B3748'                                                     what was written up to there is to be seen
 *   SET tenfold.target = 'primary' | 'replica'                                          all of the session's reads go there
 *   / * tenfold: primary * /  SELECT …                                                  at the beginning of a text, for this one:
 *                             primary | replica | consistency=… | after=…, with commas between
 */
import { parseDurationMs } from "../base/index.ts";

/** How fresh reads are. `bounded`: what was committed `ms` ago or earlier is seen. */
export type Consistency =
  | { readonly kind: "eventual" | "session" | "global" }
  | { readonly kind: "bounded"; readonly ms: number };

/** Names of the settings. */
export const ROUTING_SETTINGS = {
  consistency: "tenfold.consistency",
  after: "tenfold.after",
  target: "tenfold.target",
} as const;

/** Where reads are to go. */
export type RoutingTarget = "primary" | "replica";

/** The target that a text names; undefined when it names none. */
export function parseTarget(text: string): RoutingTarget | undefined {
  return text === "primary" || text === "replica" ? text : undefined;
}

/** Every setting of the router begins so. */
export const ROUTING_PREFIX = "tenfold.";

/** What a hint asks for. `mistake`: what of it is not understood. */
export interface RoutingHint {
  readonly target?: RoutingTarget;
  readonly consistency?: Consistency;
  /** A position in the log, as it was written. */
  readonly after?: string;
  readonly mistake?: string;
}

const NAMED: Readonly<Record<string, Consistency>> = {
  eventual: { kind: "eventual" },
  session: { kind: "session" },
  global: { kind: "global" },
};

/** The consistency that a text names; undefined when it names none. A bound without a unit is milliseconds. */
export function parseConsistency(text: string): Consistency | undefined {
  const name = text.trim().toLowerCase();
  if (Object.hasOwn(NAMED, name)) return NAMED[name];
  const bound = /^bounded\(\s*([\d.]+)\s*([a-z]*)\s*\)$/.exec(name);
  if (bound === null) return undefined;
  const ms = bound[2] === "" ? Number(bound[1]) : parseDurationMs(`${bound[1]}${bound[2]}`);
  return ms === undefined || !Number.isFinite(ms) ? undefined : { kind: "bounded", ms };
}

/** As it is written in a setting. */
export function formatConsistency(consistency: Consistency): string {
  return consistency.kind === "bounded" ? `bounded(${consistency.ms}ms)` : consistency.kind;
}

/**
 * The hint in the comments that a text begins with; undefined when there is none. Nowhere else: what stands further behind may be a value
 * that somebody put into the SQL.
 */
export function routingHint(text: string): RoutingHint | undefined {
  if (!/tenfold:/i.test(text)) return undefined;
  const [comments = ""] = /^(?:\s|\/\*[\s\S]*?\*\/|--[^\n]*(?:\n|$))*/.exec(text) ?? [];
  const found = /\/\*\s*tenfold:([\s\S]*?)\*\/|--[ \t]*tenfold:([^\n]*)/i.exec(comments);
  const words = found?.[1] ?? found?.[2];
  return words === undefined ? undefined : readHint(words.toLowerCase());
}

function readHint(words: string): RoutingHint {
  let hint: RoutingHint = {};
  for (const word of words.split(",").map((part) => part.trim())) {
    const [name = "", value = ""] = word.split("=").map((part) => part.trim());
    const target = parseTarget(word);
    if (target !== undefined) hint = { ...hint, target };
    else if (name === "after" && value !== "") hint = { ...hint, after: value.toUpperCase() };
    else {
      const consistency = name === "consistency" ? parseConsistency(value) : undefined;
      hint = consistency === undefined ? { ...hint, mistake: word } : { ...hint, consistency };
    }
  }
  return hint;
}

/** A text with a hint in front, which `routingHint` reads; as it is where the hint says nothing. */
export function withHint(text: string, { target, consistency, after }: RoutingHint): string {
  const words = [
    ...(target === undefined ? [] : [target]),
    ...(consistency === undefined ? [] : [`consistency=${formatConsistency(consistency)}`]),
    ...(after === undefined ? [] : [`after=${after}`]),
  ];
  return words.length === 0 ? text : `/* tenfold: ${words.join(", ")} */ ${text}`;
}

/** Statements, to be sent one by one, that say the same for all that follows in a session. What the hint leaves out gets its default. */
export function hintStatements({ target, consistency, after }: RoutingHint): readonly string[] {
  const set = (name: string, value: string | undefined): string =>
    `SET ${name} = ${value === undefined ? "DEFAULT" : `'${value}'`}`;
  return [
    set(ROUTING_SETTINGS.target, target),
    set(ROUTING_SETTINGS.consistency, consistency === undefined ? undefined : formatConsistency(consistency)),
    set(ROUTING_SETTINGS.after, after),
  ];
}

/** A text that is nothing but a statement about one of the router's settings. `value` undefined: the default. */
export type RoutingStatement =
  | { readonly kind: "set"; readonly name: string; readonly value: string | undefined }
  | { readonly kind: "show"; readonly name: string };

const SET =
  /^\s*set\s+(?:session\s+)?"?(tenfold\.\w+)"?\s*(?:=|\bto\b)\s*(?:'((?:[^'\\]|'')*)'|(default)|([\w./]+))\s*;?\s*$/i;
const RESET = /^\s*reset\s+"?(tenfold\.\w+)"?\s*;?\s*$/i;
const SHOW = /^\s*show\s+"?(tenfold\.\w+)"?\s*;?\s*$/i;

/** What a text says of one of the router's settings, when that is all it says. */
export function routingStatement(text: string): RoutingStatement | undefined {
  if (!/tenfold\./i.test(text)) return undefined;
  const set = SET.exec(text);
  if (set !== null) {
    const value = set[3] === undefined ? (set[2]?.replaceAll("''", "'") ?? set[4]) : undefined;
    return { kind: "set", name: (set[1] ?? "").toLowerCase(), value };
  }
  const reset = RESET.exec(text)?.[1];
  if (reset !== undefined) return { kind: "set", name: reset.toLowerCase(), value: undefined };
  const show = SHOW.exec(text)?.[1];
  return show === undefined ? undefined : { kind: "show", name: show.toLowerCase() };
}
