/**
 * What is wrong with a config file: one line each, all of them at once.
 *
 * A problem names the place (the path a reader would type), what is wrong with it, and the mend. Readers of the
 * file push problems and go on; whoever asked decides at the end, by looking whether there are any.
 */

/** One mistake: where, what is wrong, what to write instead. */
export interface Problem {
  /** "listeners.web.rules[2].forward", or "tenfold.config.json:3:7" when the file itself cannot be read. */
  readonly path: string;
  /** Completes "this place …": `is the string "two"`. */
  readonly what: string;
  /** What to do about it, as an order or a question: `write a whole number`. */
  readonly mend: string;
}

/** Problems shown of one file. A hundred fill several screens; whoever has more is mending the first ones first. */
export const PROBLEMS_MAX = 100;

/** The problem as the one line that people read. */
export function formatProblem({ path, what, mend }: Problem): string {
  return `${path}: ${what}; ${mend}`;
}

/** Where a value stands in the file, and where its problems go. */
export interface Place {
  readonly path: string;
  readonly problems: Problem[];
}

/** The path of `key` below `path`: dotted where that reads well, bracketed otherwise. "" is the whole file. */
export function pathTo(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The place of `key` inside the value at `place`. */
export function below(place: Place, key: string | number): Place {
  return { path: pathTo(place.path, key), problems: place.problems };
}

/** Records a problem at `place`. Returns undefined, so that a reader can `return report(…)`. */
export function report(place: Place, what: string, mend: string): undefined {
  place.problems.push({ path: place.path === "" ? "config" : place.path, what, mend });
  return undefined;
}

/** At most `PROBLEMS_MAX` problems, the last saying how many more there are. */
export function bounded(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= PROBLEMS_MAX) return problems;
  const hidden = problems.length - PROBLEMS_MAX;
  const more = { path: "config", what: `has ${hidden} more problems`, mend: "mend the ones above first" };
  return [...problems.slice(0, PROBLEMS_MAX), more];
}
