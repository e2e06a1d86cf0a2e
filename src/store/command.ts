/**
 * What a command is: a row. How many arguments it takes, which of them are keys, what it may do, and what it does.
 *
 * Everything else falls out of the rows: COMMAND, ACL rules, which commands wait in MULTI, which are refused when memory or
 * disk is full, which are written to the log, which reads are tracked.
 */
import type { Call } from "./call.ts";

/** What a command may do. As in Redis' COMMAND. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "fast"
  | "blocking"
  | "pubsub"
  | "admin"
  | "no_auth"
  | "no_multi"
  | "loading"
  | "stale"
  | "noscript"
  | "movablekeys";

/** First and last argument that is a key, and the step between; a last below zero counts from the end. `[0, 0, 0]`: none. */
export type KeyPlaces = readonly [first: number, last: number, step: number];

/** One command. */
export interface Command {
  /** Arguments, the name included; below zero: at least as many. */
  readonly arity: number;
  readonly flags: ReadonlySet<CommandFlag>;
  readonly keys: KeyPlaces;
  /** Places of the keys where they depend on the arguments. */
  readonly keysOf: ((call: Call) => readonly number[]) | undefined;
  /** ACL categories beside those that follow from the flags: "string", "dangerous" … */
  readonly categories: readonly string[];
  readonly run: (call: Call) => void;
  /** Second word in upper case -> arguments, where the command has subcommands. */
  readonly subcommands: Readonly<Record<string, number>> | undefined;
  /** Set from the flags, for the hot path. */
  readonly isWrite: boolean;
  readonly isRead: boolean;
  readonly needsMemory: boolean;
}

/** Name in lower case -> command. One table per family. */
export type CommandTable = Readonly<Record<string, Command>>;

/** No argument is a key. */
export const NO_KEYS: KeyPlaces = [0, 0, 0];
/** The first argument is the key. */
export const ONE_KEY: KeyPlaces = [1, 1, 1];
/** The first two are keys. */
export const TWO_KEYS: KeyPlaces = [1, 2, 1];
/** All are keys. */
export const ALL_KEYS: KeyPlaces = [1, -1, 1];

/** A row: `flags` and `categories` are words with spaces between. */
export function row(
  arity: number,
  flags: string,
  keys: KeyPlaces,
  categories: string,
  run: (call: Call) => void,
): Command {
  const set = new Set(flags.split(" ") as CommandFlag[]);
  return {
    arity,
    flags: set,
    keys,
    keysOf: undefined,
    categories: categories.split(" "),
    run,
    subcommands: undefined,
    isWrite: set.has("write"),
    isRead: set.has("readonly"),
    needsMemory: set.has("denyoom"),
  };
}

/** What a subcommand takes (as for commands) and does. */
export type Subcommands = Readonly<Record<string, readonly [arity: number, run: (call: Call) => void]>>;

function help({ name, out }: Call, words: readonly string[]): void {
  const lines = [`${name.toUpperCase()} <subcommand> [<arg> ...]. Subcommands are:`, ...words];
  out.array(lines.length);
  for (const line of lines) out.simple(line);
}

/** A row whose second word says what is to be done. */
export function rowOfMany(
  arity: number,
  flags: string,
  keys: KeyPlaces,
  categories: string,
  subcommands: Subcommands,
): Command {
  const known: Subcommands = { ...subcommands, HELP: [2, (call) => help(call, Object.keys(known))] };
  const run = (call: Call): void => known[call.word(1)]?.[1](call);
  const arities = Object.entries(known).map(([word, [count]]) => [word, count] as const);
  return { ...row(arity, flags, keys, categories, run), subcommands: Object.fromEntries(arities) };
}

/** A row whose keys are counted by an argument: `numkeys key [key …]`, `numkeys` at `at`; `others` are keys besides. */
// oxlint-disable-next-line max-params -- the five of `row`, and where the count stands
export function rowWithCount(
  arity: number,
  flags: string,
  at: number,
  others: readonly number[],
  categories: string,
  run: (call: Call) => void,
): Command {
  const keysOf = (call: Call): readonly number[] => {
    const count = call.integerOrNaN(at);
    const known = count > 0 && count < call.count - at ? count : 0;
    return [...others, ...Array.from({ length: known }, (_, i) => at + 1 + i)];
  };
  return {
    ...row(arity, `${flags} movablekeys`, others.length > 0 ? ONE_KEY : NO_KEYS, categories, run),
    keysOf,
  };
}

/** Calls `visit` with the place of every key of a call. */
export function eachKey(command: Command, call: Call, visit: (place: number) => void): void {
  if (command.keysOf !== undefined) {
    for (const place of command.keysOf(call)) visit(place);
    return;
  }
  const [first, last, step] = command.keys;
  if (first === 0) return;
  const end = last < 0 ? call.count + last : last;
  for (let place = first; place <= end && place < call.count; place += step) visit(place);
}
