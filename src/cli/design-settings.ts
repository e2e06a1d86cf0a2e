/** `--set PATH=VALUE` of a design: one value changed, or one run for each of several. */
import type { Problem } from "../config/index.ts";

/** A place in a design and what it is set to; several values are a run each. */
export interface Setting {
  readonly path: readonly string[];
  readonly values: readonly unknown[];
  /** As it was written, for names. */
  readonly label: string;
}

/** Runs of one sweep. */
const VALUES_MAX = 50;

/** Reads the options; what is wrong with them goes to `problems`. */
export function readSettings(texts: readonly string[], problems: Problem[]): Setting[] {
  const settings = texts.flatMap((text) => readSetting(text, problems));
  const swept = settings.filter(({ values }) => values.length > 1);
  if (swept.length > 1)
    problems.push({
      path: "--set",
      what: `has several values for ${swept.map(({ label }) => label).join(" and ")}`,
      mend: "sweep over one of them at a time",
    });
  return settings;
}

function readSetting(text: string, problems: Problem[]): Setting[] {
  const at = text.indexOf("=");
  const label = text.slice(0, at);
  const path = label.split(".");
  const values = text
    .slice(at + 1)
    .split(",")
    .map(scalar);
  const isWrong = at < 1 || path.includes("") || path.includes("__proto__") || values.includes("");
  if (isWrong || values.length > VALUES_MAX) {
    const mend = 'write a place and its values, such as "nodes.app.tasks=2,4,8"';
    problems.push({
      path: "--set",
      what: `is "${text}"`,
      mend: isWrong ? mend : `keep to ${VALUES_MAX} values`,
    });
    return [];
  }
  return [{ path, values, label }];
}

/** What the text means in YAML: a number, a truth value, or itself. */
function scalar(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** A design to run, and what its name is followed by. */
export interface Variant {
  readonly source: unknown;
  readonly suffix: string;
}

/** The design with each setting in place: one, or as many as there are values to sweep over. */
export function variantsOf(source: unknown, settings: readonly Setting[]): Variant[] {
  const swept = settings.find(({ values }) => values.length > 1);
  const fixed = settings.filter((setting) => setting !== swept);
  const base = fixed.reduce((design, { path, values }) => withValue(design, path, values[0]), source);
  if (swept === undefined) return [{ source: base, suffix: "" }];
  return swept.values.map((value) => ({
    source: withValue(base, swept.path, value),
    suffix: ` ${swept.label}=${String(value)}`,
  }));
}

/** A copy with one place changed. A place that does not exist is made, so that the design's own check can name it. */
function withValue(design: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown {
  const inner = (before: unknown): unknown => (rest.length === 0 ? value : withValue(before, rest, value));
  if (Array.isArray(design))
    return design.map((item: unknown, index) => (String(index) === key ? inner(item) : item));
  const before = typeof design === "object" && design !== null ? (design as Record<string, unknown>) : {};
  return { ...before, [key]: inner(before[key]) };
}
