/**
 * From words to the input of a command, or to a usage error that names the word and the mend.
 *
 * `parseArgs` of node:util only cuts the words into tokens; it is not left to judge them, since it stops at the
 * first mistake and knows no nearest name.
 */
import { parseArgs } from "node:util";
import { nearest } from "../config/index.ts";
import type { Command, Input, Option, OptionTable } from "./command.ts";
import { UsageError } from "./failure.ts";

/** A command's input, or the wish to read its help. */
export type Reading =
  | { readonly kind: "input"; readonly input: Input<OptionTable> }
  | { readonly kind: "help" };

type Value = boolean | string | number | undefined | readonly string[];

/** Reads the words after the command's name. Throws `UsageError`. */
export function readArguments(command: Command, args: readonly string[]): Reading {
  const { options, words, rest, wantsHelp } = cutUp(command, args);
  if (wantsHelp) return { kind: "help" };
  checkWords(command, words);
  if (command.rest !== undefined && command.rest.optional !== true && rest.length === 0)
    throw missingRest(command, command.rest.name);
  return { kind: "input", input: { options: valuesOf(command.options, options), words, rest } };
}

interface Pieces {
  /** Option name -> what was given, in order. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
  readonly rest: readonly string[];
  readonly wantsHelp: boolean;
}

function cutUp(command: Command, args: readonly string[]): Pieces {
  const options = new Map<string, string[]>();
  const words: string[] = [];
  const rest: string[] = [];
  let ended = false;
  let wantsHelp = false;
  for (const token of tokensOf(command, args)) {
    if (token.kind === "option-terminator") ended = true;
    else if (token.kind === "positional") (ended && command.rest ? rest : words).push(token.value);
    else if (token.name === "help" || token.rawName === "-h") wantsHelp = true;
    else {
      const given = options.get(token.name) ?? [];
      options.set(token.name, [...given, checked(command, token)]);
    }
  }
  return { options, words, rest, wantsHelp };
}

interface OptionToken {
  readonly name: string;
  /** As it was written: "--tasks", "-c". */
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function tokensOf(command: Command, args: readonly string[]) {
  const rows = Object.entries(command.options).map(([name, { kind, short }]) => {
    const type = kind === "flag" ? ("boolean" as const) : ("string" as const);
    return [name, short === undefined ? { type } : { type, short }] as const;
  });
  const options = { ...Object.fromEntries(rows), help: { type: "boolean" as const, short: "h" } };
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/** The option's value as text; "" for a flag. */
function checked(command: Command, { name, rawName, value, inlineValue }: OptionToken): string {
  const option = Object.hasOwn(command.options, name) ? command.options[name] : undefined;
  if (option === undefined) throw unknownOption(command, rawName);
  if (option.kind === "flag") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`, `write ${rawName} alone`);
    return "";
  }
  const swallowed = inlineValue !== true && value?.startsWith("-") === true && Number.isNaN(Number(value));
  if (value === undefined || value === "" || swallowed)
    throw new UsageError(`${rawName} lacks its value`, `write ${rawName} ${option.placeholder}`);
  return value;
}

function unknownOption(command: Command, rawName: string): UsageError {
  const known = [...Object.keys(command.options), "help"];
  const near = nearest(rawName.replace(/^-+/, ""), known);
  const mend = near === undefined ? `see \`tenfold ${command.name} --help\`` : `did you mean --${near}?`;
  return new UsageError(`${command.name} has no option ${rawName}`, mend);
}

function checkWords({ name, positionals, rest }: Command, words: readonly string[]): void {
  const missing = positionals
    .slice(words.length)
    .flatMap((positional) => (positional.optional ? [] : [positional.name]));
  if (missing.length > 0)
    throw new UsageError(`${name} lacks ${missing.join(" and ")}`, "write it after the command");
  const [extra, ...more] = words.slice(positionals.length);
  if (extra === undefined || positionals.at(-1)?.many) return;
  const mend =
    rest === undefined
      ? "take it away, or quote what belongs together"
      : `put -- before the command: tenfold ${name} -- ${[extra, ...more].join(" ")}`;
  throw new UsageError(`${name} does not know what to do with "${extra}"`, mend);
}

function missingRest({ name }: Command, rest: string): UsageError {
  return new UsageError(`${name} lacks ${rest}`, "write it after --, such as: -- node server.js");
}

function valuesOf(table: OptionTable, given: ReadonlyMap<string, readonly string[]>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => [name, valueOf(name, option, given.get(name))]),
  );
}

function valueOf(name: string, option: Option, given: readonly string[] | undefined): Value {
  switch (option.kind) {
    case "flag":
      return given !== undefined;
    case "list":
      return given ?? [];
    case "text":
      return given?.at(-1);
    case "number":
      return given === undefined ? undefined : wholeNumber(`--${name}`, given.at(-1) ?? "", option);
  }
}

/** A whole number within bounds, or a usage error that says which. */
export function wholeNumber(
  subject: string,
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${subject} is "${text}"`, `write a whole number from ${min} to ${max}`);
}
