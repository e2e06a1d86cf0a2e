/**
 * What differs between two configs, in words, and what it takes for each difference to count.
 *
 * Named things (listeners, groups, services) are matched by name, the rules of a listener by position once the equal
 * ones at both ends are put aside, everything else by its key. Environment values may be secrets and are not shown.
 */
import { formatBytes, formatDuration } from "../base/index.ts";
import { formatAddress } from "./address.ts";
import type { Address, Config } from "./config.ts";
import { pathTo } from "./problem.ts";

/** "live": at once, no connection lost. "deploy": with the service's next deploy. "restart": when tenfold starts anew. */
export type Effect = "live" | "deploy" | "restart";

/** One difference. */
export interface Change {
  readonly path: string;
  /** `"round-robin" -> "p2c"`, `added`, `removed`. */
  readonly what: string;
  readonly effect: Effect;
}

/** What is not live, by path. A listener that comes or goes is; one that moves is not. */
const EFFECTS: readonly (readonly [path: RegExp, effect: Effect])[] = [
  [/^admin\.address$/, "restart"],
  [/^gateway\.workers$/, "restart"],
  [/^gateway\.cache\.(memoryBytes|disk)\b/, "restart"],
  [/^listeners\.[\w-]+\.address$/, "restart"],
  [/^steering\b/, "restart"],
  [/^services\.[\w-]+\.(command|cwd|env|limits)\b/, "deploy"],
  [/^stores\./, "deploy"],
  [/^databases\./, "deploy"],
];

/** Values that are not shown. */
const SECRET = /^(?:services\.[\w-]+\.env\.|stores\.[\w-]+\.url$|databases\.[\w-]+\.(?:url$|replicaUrls))/;

/** Longest value that a change spells out. */
const SHOWN_MAX = 60;

/** The changes from `previous` to `next`, in the order of the file. Empty when nothing differs. */
export function diff(previous: Config, next: Config): readonly Change[] {
  return differences("", previous, next).map(({ path, what }) => ({ path, what, effect: effectOf(path) }));
}

/** The change as one line. */
export function formatChange({ path, what, effect }: Change): string {
  return effect === "live" ? `${path}: ${what}` : `${path}: ${what} (${effect} needed)`;
}

type Difference = Omit<Change, "effect">;

function effectOf(path: string): Effect {
  return EFFECTS.find(([pattern]) => pattern.test(path))?.[1] ?? "live";
}

function differences(path: string, before: unknown, after: unknown): readonly Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (before === undefined) return [{ path, what: "added" }];
  if (after === undefined) return [{ path, what: "removed" }];
  if (SECRET.test(path)) return [{ path, what: "changed" }];
  if (isNamedList(before, after)) return ofEntries(path, byName(before), byName(after));
  if (path.endsWith(".rules"))
    return ofRules(path, before as readonly unknown[], after as readonly unknown[]);
  if (isTree(before) && isTree(after)) return ofEntries(path, before, after);
  return [{ path, what: `${shown(path, before)} -> ${shown(path, after)}` }];
}

type Tree = Readonly<Record<string, unknown>>;
type NamedList = readonly { readonly name: string }[];

/** An object that is worth descending into: an address or a tagged value is read better in one piece. */
function isTree(value: unknown): value is Tree {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !("kind" in value) &&
    !isAddress(value)
  );
}

function isAddress(value: unknown): value is Address {
  return (
    typeof value === "object" && value !== null && "host" in value && "port" in value && !("kind" in value)
  );
}

/** The lists at the top of a config; rules have names too, but theirs are positions. */
function isNamedList(...values: readonly unknown[]): boolean {
  return values.every(
    (value) =>
      Array.isArray(value) && value.every((item) => isTree(item) && "name" in item && !("match" in item)),
  );
}

function byName(list: unknown): Tree {
  return Object.fromEntries((list as NamedList).map((item) => [item.name, item]));
}

function ofEntries(path: string, before: unknown, after: unknown): readonly Difference[] {
  const [old, now] = [before as Tree, after as Tree];
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...keys].flatMap((key) => differences(pathTo(path, key), old[key], now[key]));
}

/** Rules that were moved along by an insertion are not changes: only the stretch between the equal ends is. */
function ofRules(path: string, before: readonly unknown[], after: readonly unknown[]): readonly Difference[] {
  const [old, now] = [before.map(withoutName), after.map(withoutName)];
  const shorter = Math.min(old.length, now.length);
  const texts = [old, now].map((rules) => rules.map((rule) => JSON.stringify(rule)));
  const [oldTexts = [], nowTexts = []] = texts;
  let head = 0;
  while (head < shorter && oldTexts[head] === nowTexts[head]) head++;
  let tail = 0;
  while (tail < shorter - head && oldTexts.at(-1 - tail) === nowTexts.at(-1 - tail)) tail++;
  const [gone, come] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
  if (gone.length === come.length)
    return gone.flatMap((rule, index) => differences(pathTo(path, head + index), rule, come[index]));
  return [
    {
      path: pathTo(path, head),
      what: `${counted(gone.length, "removed")}, ${counted(come.length, "added")}`,
    },
  ];
}

function withoutName(rule: unknown): unknown {
  const { name: _, ...rest } = rule as Tree;
  return rest;
}

function counted(rules: number, what: string): string {
  return `${rules} ${rules === 1 ? "rule" : "rules"} ${what}`;
}

function shown(path: string, value: unknown): string {
  if (isAddress(value)) return formatAddress(value);
  if (typeof value === "number" && path.endsWith("Ms")) return formatDuration(value);
  if (typeof value === "number" && path.includes("Bytes")) return formatBytes(value);
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
