/** What a reload did, as lines. */
import type { ReloadResult } from "../../app/index.ts";
import type { Style } from "../style.ts";
import { plural } from "./figures.ts";

/** Problems, or changes, or that there were none. */
export function renderReload({ revision, changes, problems }: ReloadResult, style: Style): string[] {
  if (problems.length > 0)
    return [
      ...problems,
      style.bad(`${plural(problems.length, "problem")}: the config before stays in force`),
    ];
  if (changes.length === 0) return [`nothing changed (revision ${revision})`];
  return [...changes, style.good(`${plural(changes.length, "change")} in force (revision ${revision})`)];
}
