/** What EXPLAIN (FORMAT JSON) says, as far as a comparison of two plans needs it. */
import { isNode, listOf, type ParseNode } from "./parse-tree.ts";

/** A plan's price. */
export interface Plan {
  /** The planner's estimate, in its own unit: a block read in sequence is 1. */
  readonly cost: number;
  /** Indexes that it reads. */
  readonly indexes: readonly string[];
  /** With ANALYZE. */
  readonly measured?: { readonly timeMs: number; readonly blocks: number };
}

/** Reads the only value of EXPLAIN's answer; undefined when it is no plan. */
export function parsePlan(json: string): Plan | undefined {
  const [head] = listOf(JSON.parse(json) as unknown);
  const root = isNode(head) ? head["Plan"] : undefined;
  if (!isNode(head) || !isNode(root)) return undefined;
  const timeMs = head["Execution Time"];
  const cost = Number(root["Total Cost"]);
  const indexes = [...new Set(indexesOf(root))];
  if (typeof timeMs !== "number") return { cost, indexes };
  const blocks = Number(root["Shared Hit Blocks"] ?? 0) + Number(root["Shared Read Blocks"] ?? 0);
  return { cost, indexes, measured: { timeMs, blocks } };
}

function indexesOf(node: ParseNode): readonly string[] {
  const own = typeof node["Index Name"] === "string" ? [node["Index Name"]] : [];
  return [...own, ...listOf(node["Plans"]).flatMap((each) => (isNode(each) ? indexesOf(each) : []))];
}
