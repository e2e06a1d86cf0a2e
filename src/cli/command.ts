/**
 * What a command is: a row of facts that parsing, help and the table of commands all read, and one function.
 *
 * Options are declared once, as data; the types of their values follow from the rows.
 */
import type { Context } from "./context.ts";

interface OptionBase {
  readonly about: string;
  /** One letter. */
  readonly short?: string;
}

/** An option that is there or not. */
export interface FlagOption extends OptionBase {
  readonly kind: "flag";
}

/** An option with a text; `fallback` says what holds without it. */
export interface TextOption extends OptionBase {
  readonly kind: "text";
  readonly placeholder: string;
  readonly fallback?: string;
}

/** An option with a whole number. */
export interface NumberOption extends OptionBase {
  readonly kind: "number";
  readonly placeholder: string;
  readonly fallback?: string;
  readonly min: number;
  readonly max: number;
}

/** An option that may be given several times. */
export interface ListOption extends OptionBase {
  readonly kind: "list";
  readonly placeholder: string;
}

/** One option of a command; its name is its key in the table. */
export type Option = FlagOption | TextOption | NumberOption | ListOption;

/** Options by name, without the dashes. */
export type OptionTable = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { kind: "flag" }
  ? boolean
  : O extends { kind: "number" }
    ? number | undefined
    : O extends { kind: "list" }
      ? readonly string[]
      : string | undefined;

/** The values of a command's options; what was not given is undefined, false or empty. */
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

/** One argument. */
export interface Positional {
  /** "SERVICE", as the usage line says it. */
  readonly name: string;
  readonly about: string;
  /** It may be left out; those after it as well. */
  readonly optional?: true;
  /** It may be given several times; only the last one. */
  readonly many?: true;
}

/** What a command gets to work with. */
export interface Input<T extends OptionTable> {
  readonly options: OptionValues<T>;
  /** As many as the command has positionals, without optional ones that were left out; more where the last may be many. */
  readonly words: readonly string[];
  /** Words after "--". */
  readonly rest: readonly string[];
}

/** A command line that works, and what it does. */
export interface Example {
  readonly line: string;
  readonly about: string;
}

/** Under which heading the list of commands shows it. */
export type Heading = "Start and stop" | "Look" | "Change" | "Plan";

/** Everything about one command. */
export interface Command<T extends OptionTable = OptionTable> {
  readonly name: string;
  readonly heading: Heading;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What follows the name; one line for each form. */
  readonly usage: readonly string[];
  /** Sentences below the usage. */
  readonly notes?: readonly string[];
  readonly positionals: readonly Positional[];
  /** Set when words after "--" are wanted. */
  readonly rest?: Positional;
  readonly options: T;
  readonly examples: readonly Example[];
  /** Resolves to the exit code. */
  run(input: Input<T>, context: Context): Promise<number>;
}

/** Gives a command the types of its options; returns it unchanged. */
export function defineCommand<const T extends OptionTable>(command: Command<T>): Command {
  return command;
}

/** Where the controller's files are; every command that talks to one has it. */
export const STATE_OPTION: TextOption = {
  kind: "text",
  placeholder: "DIR",
  about: "State directory",
  fallback: "the nearest .tenfold, here or above",
};

/** For scripts. */
export const JSON_OPTION: FlagOption = {
  kind: "flag",
  about: "Print JSON, for scripts",
};

/** Which config. */
export const CONFIG_OPTION: TextOption = {
  kind: "text",
  short: "c",
  placeholder: "FILE",
  about: "Config file",
  fallback: "tenfold.config.ts, .js, .json or .yaml here",
};

/** For commands that start something that takes a while. */
export const NO_WAIT_OPTION: FlagOption = {
  kind: "flag",
  about: "Return when it has begun, not when it is done",
};
