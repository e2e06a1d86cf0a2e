/** From what is written about one part to the component that it is. */
import { type OptionName, readSettings, type Settings } from "./settings.ts";
import { type Component, type GroupOptions, INDEPENDENT, YEAR_MS } from "./system.ts";
import { type ExpressionProblem, problemAt, type Token } from "./tokens.ts";
import { unavailabilityFromRepair } from "./unavailability.ts";
import type { WrittenPart } from "./written.ts";

/** Options of several copies. One copy may say them as well: they hold once it has another. */
export const GROUP_OPTIONS: readonly OptionName[] = ["common", "failover", "failovers"];

const PART_SETTINGS: readonly (OptionName | "value")[] = ["value", "mtbf", "mttr", ...GROUP_OPTIONS, "price"];

/** The component; what is wrong with it goes to `problems`. */
export function componentOf(
  { token, count, settings }: WrittenPart,
  problems: ExpressionProblem[],
): Component {
  const said = readSettings(settings, PART_SETTINGS, problems);
  checkValue(token, settings, problems);
  return {
    kind: "component",
    name: token.text,
    unavailability: unavailabilityIn(said),
    needed: count?.needed ?? 1,
    copies: count?.of ?? 1,
    options: optionsOf(said, token, settings, problems),
    shared: false,
    ...(said.pricePerMonth === undefined ? {} : { pricePerMonth: said.pricePerMonth }),
  };
}

/** What was said of copies. How often they fail over follows from the part's failures where its mtbf is known. */
export function optionsOf(
  { commonShare = 0, failoverMs, failoversPerYear, mtbfMs, mttrMs }: Settings,
  token: Token,
  settings: readonly Token[],
  problems: ExpressionProblem[],
): GroupOptions {
  const failures = mtbfMs === undefined || mttrMs === undefined ? undefined : YEAR_MS / (mtbfMs + mttrMs);
  const perYear = failoversPerYear ?? failures;
  const said = (option: OptionName): boolean => says(settings, option);
  if (said("failover") && !said("failovers") && !said("mtbf"))
    problems.push(problemAt(token, "says how long a failover takes, not how often", "add failovers=4/year"));
  if (said("failovers") && !said("failover"))
    problems.push(problemAt(token, "says how often it fails over, not how long", "add failover=30s"));
  if (failoverMs === undefined || perYear === undefined) return { ...INDEPENDENT, commonShare };
  if (failoverMs * perYear > YEAR_MS)
    problems.push(problemAt(token, "fails over all year long", "make failovers fewer or shorter"));
  return { commonShare, failoverMs, failoversPerYear: perYear };
}

function checkValue(token: Token, settings: readonly Token[], problems: ExpressionProblem[]): void {
  const repair = [says(settings, "mtbf"), says(settings, "mttr")];
  const { text } = token;
  if (settings.some(({ kind }) => kind === "word")) {
    if (repair.includes(true))
      problems.push(problemAt(token, "has an availability and times of repair", "keep one of them"));
  } else if (!repair.includes(true))
    problems.push(
      problemAt(token, "has no availability", `write ${text} 99.95, or ${text} mtbf=30d mttr=1h`),
    );
  else if (repair.includes(false)) problems.push(problemAt(token, "has one of mtbf and mttr", "say both"));
}

function unavailabilityIn({ unavailability = 0, mtbfMs, mttrMs }: Settings): number {
  return mtbfMs === undefined || mttrMs === undefined
    ? unavailability
    : unavailabilityFromRepair(mtbfMs, mttrMs);
}

function says(settings: readonly Token[], option: OptionName): boolean {
  return settings.some(({ name }) => name === option);
}
