/**
 * From the words of the command line to an exit code: finds the command, reads its arguments, runs it, and says in
 * one line what went wrong when it did not work.
 */
import { nearest } from "../config/index.ts";
import { readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { CommandTable } from "./commands.ts";
import type { Context } from "./context.ts";
import { EXIT, Failure, failureLine, UsageError } from "./failure.ts";
import { renderHelp, renderOverview, usageLines } from "./help.ts";

/** Words that ask for the list of commands. */
const HELP_WORDS: readonly string[] = ["--help", "-h", "help"];

/** Runs `tenfold …args`. Resolves to the exit code. What it throws is a bug. */
export async function dispatch(
  args: readonly string[],
  commands: CommandTable,
  context: Context,
): Promise<number> {
  const [word, ...rest] = args;
  try {
    if (word === undefined) return await showOverview(commands, context, EXIT.usage);
    if (word === "--version") return show([context.version], context);
    if (!HELP_WORDS.includes(word)) return await runCommand(await findCommand(word, commands), rest, context);
    const [topic] = rest;
    if (topic === undefined) return await showOverview(commands, context, EXIT.ok);
    return show(renderHelp(await findCommand(topic, commands), context.terminal.style), context);
  } catch (problem) {
    return explain(problem, context);
  }
}

async function runCommand(command: Command, args: readonly string[], context: Context): Promise<number> {
  try {
    const reading = readArguments(command, args);
    if (reading.kind === "help") return show(renderHelp(command, context.terminal.style), context);
    return await command.run(reading.input, context);
  } catch (problem) {
    if (!(problem instanceof UsageError)) throw problem;
    explain(problem, context);
    for (const line of usageLines(command)) context.terminal.err(`usage: ${line}`);
    return EXIT.usage;
  }
}

async function findCommand(word: string, commands: CommandTable): Promise<Command> {
  const load = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (load !== undefined) return load();
  const near = nearest(word, Object.keys(commands));
  const what = word.startsWith("-") ? `there is no option ${word}` : `there is no command "${word}"`;
  throw new UsageError(what, near === undefined ? "see `tenfold --help`" : `did you mean "${near}"?`);
}

/** Without a command there is nothing to do: the same text, on stderr, and exit code 2. */
async function showOverview(
  commands: CommandTable,
  { terminal, version }: Context,
  code: number,
): Promise<number> {
  const write = code === EXIT.ok ? terminal.out : terminal.err;
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  for (const line of renderOverview(all, version, terminal.style)) write(line);
  return code;
}

function show(lines: readonly string[], { terminal }: Context): number {
  for (const line of lines) terminal.out(line);
  return EXIT.ok;
}

function explain(problem: unknown, { terminal, env }: Context): number {
  if (!(problem instanceof Failure)) throw problem;
  terminal.err(`${terminal.style.bad("tenfold:")} ${failureLine(problem)}`);
  if (env["TENFOLD_DEBUG"]) terminal.err(problem.stack ?? "");
  return problem instanceof UsageError ? EXIT.usage : EXIT.failed;
}
