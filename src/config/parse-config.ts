/**
 * A config from what the user's file evaluated to: parse -> normalise -> validate -> frozen.
 */
import type { Config } from "./config.ts";
import { deepFreeze } from "./freeze.ts";
import { normalise, type Surroundings } from "./normalise.ts";
import { bounded, type Problem } from "./problem.ts";
import { schema } from "./schema.ts";
import { sortOf } from "./shape.ts";
import { validate } from "./validate.ts";

/** A config, or everything that is wrong with it. */
export type ConfigOutcome =
  | { readonly kind: "ok"; readonly config: Config }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** Reads a user's config. Never throws for bad input; all problems are reported at once. */
export function parseConfig(input: unknown, surroundings: Surroundings): ConfigOutcome {
  const found: Problem[] = [];
  const draft = schema.read(input, { path: "", problems: found }) ?? {};
  if (sortOf(input) !== "object") return { kind: "problems", problems: found };
  const config = normalise(draft, surroundings);
  const problems = [...found, ...validate(config, draft, found)];
  if (problems.length > 0) return { kind: "problems", problems: bounded(problems) };
  return { kind: "ok", config: deepFreeze(config) };
}
