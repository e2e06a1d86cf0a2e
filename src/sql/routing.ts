/**
 * What an app tells the router in its SQL: where a read may go, and how fresh it must be. The one place that knows these words; the router
 * reads them and the database client writes them.
 *
 *   SET tenfold.consistency = 'eventual' | 'bounded(500ms)' | 'session' | 'global'      for the session; also as an option of the start-up
 *   SET tenfold.after = '0/16B3748'                                                     what was written up to there is to be seen
 *   / * tenfold: primary * /  SELECT …                                                  at the beginning of a text, for this one:
 *                             primary | replica | consistency=… | after=…, with commas between
 */
import { parseDurationMs } from "../base/index.ts";

/** How fresh reads are. `bounded`: what was committed `ms` ago or earlier is seen. */
export type Consistency =
  | { readonly kind: "eventual" | "session" | "global" }
  | { readonly kind: "bounded"; readonly ms: number };

/** Names of the settings. */
export const ROUTING_SETTINGS = { consistency: "tenfold.consistency", after: "tenfold.after" } as const;

/** Every setting of the router begins so. */
export const ROUTING_PREFIX = "tenfold.";

/** What a hint asks for. `mistake`: what of it is not understood. */
export interface RoutingHint {
  readonly target?: "primary" | "replica";
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
  if (!text.includes("tenfold:")) return undefined;
  const [comments = ""] = /^(?:\s|\/\*[\s\S]*?\*\/)*/.exec(text) ?? [];
  const words = /\/\*\s*tenfold:([\s\S]*?)\*\//.exec(comments)?.[1];
  return words === undefined ? undefined : readHint(words);
}

function readHint(words: string): RoutingHint {
  let hint: RoutingHint = {};
  for (const word of words.split(",").map((part) => part.trim())) {
    const [name = "", value = ""] = word.split("=").map((part) => part.trim());
    if (word === "primary" || word === "replica") hint = { ...hint, target: word };
    else if (name === "after" && value !== "") hint = { ...hint, after: value };
    else {
      const consistency = name === "consistency" ? parseConsistency(value) : undefined;
      hint = consistency === undefined ? { ...hint, mistake: word } : { ...hint, consistency };
    }
  }
  return hint;
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
