/** Help texts, made from the rows of the command table. */
import type { Command, Heading, Option } from "./command.ts";
import type { Style } from "./style.ts";

const HEADINGS: readonly Heading[] = ["Start and stop", "Look", "Change", "Plan"];

/** Column where the text of an option or a command begins. */
const TEXT_COLUMN = 24;

/** Every command has these. */
const HELP_OPTION: Option = { kind: "flag", short: "h", about: "This text" };

/** `tenfold --help`. */
export function renderOverview(commands: readonly Command[], version: string, style: Style): string[] {
  const groups = HEADINGS.flatMap((heading) => [
    "",
    style.bold(heading),
    ...commands
      .filter((command) => command.heading === heading)
      .map(({ name, summary }) => row(style.name(name), name, summary)),
  ]);
  return [
    `Tenfold ${version} puts an app behind a gateway and keeps it up.`,
    "",
    `${style.bold("Usage:")} tenfold COMMAND [options]`,
    ...groups,
    "",
    style.bold("Options"),
    row("-h, --help", "-h, --help", "This text; after a command, that command's"),
    row("--version", "--version", "The version"),
    "",
    style.bold("Examples"),
    "  tenfold run --tasks 3 -- node server.js",
    "  tenfold up -c tenfold.config.ts",
    "  tenfold help deploy",
  ];
}

/** `tenfold COMMAND --help`. */
export function renderHelp(command: Command, style: Style): string[] {
  const words = [...command.positionals, ...(command.rest ? [command.rest] : [])];
  return [
    `${command.summary}.`,
    "",
    ...usageLines(command).map((line, index) => `${index === 0 ? style.bold("Usage:") : "      "} ${line}`),
    ...section("", command.notes ?? [], style),
    ...section(
      "Arguments",
      words.map(({ name, about }) => row(name, name, about)),
      style,
    ),
    ...section("Options", optionRows(command), style),
    ...section(
      "Examples",
      command.examples.flatMap(({ line, about }) => [`  ${line}`, style.dim(`      ${about}`)]),
      style,
    ),
  ];
}

/** "tenfold scale SERVICE N [options]", one for each form. */
export function usageLines(command: Command): string[] {
  return command.usage.map((usage) => `tenfold ${command.name} ${usage}`.trimEnd());
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  if (lines.length === 0) return [];
  return title === "" ? ["", ...lines] : ["", style.bold(title), ...lines];
}

function optionRows(command: Command): string[] {
  return Object.entries({ ...command.options, help: HELP_OPTION }).map(([name, option]) => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    const value = option.kind === "flag" ? "" : ` ${option.placeholder}`;
    const head = `${short}--${name}${value}`;
    return row(head, head, `${option.about}${fallbackOf(option)}`);
  });
}

function fallbackOf(option: Option): string {
  if (option.kind === "list") return " (may be given several times)";
  return "fallback" in option && option.fallback !== undefined ? ` (default: ${option.fallback})` : "";
}

/** `plain` is what `painted` is wide. */
function row(painted: string, plain: string, text: string): string {
  return `  ${painted}${" ".repeat(Math.max(2, TEXT_COLUMN - plain.length))}${text}`;
}
