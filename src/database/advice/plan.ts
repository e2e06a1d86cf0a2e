/** What EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) says, as far as a comparison of two plans needs it. */
import { isNode, listOf, type ParseNode } from "./parse-tree.ts";

/** A plan that was run. */
export interface Plan {
  readonly timeMs: number;
  /** Blocks of 8 KiB that it touched, in the cache or not. */
  readonly blocks: number;
  /** Indexes that it reads. */
  readonly indexes: readonly string[];
}

/** Reads the only value of EXPLAIN's answer; undefined when it is no plan that was run. */
export function parsePlan(json: string): Plan | undefined {
  const [head] = listOf(JSON.parse(json) as unknown);
  const root = isNode(head) ? head["Plan"] : undefined;
  if (!isNode(head) || !isNode(root)) return undefined;
  const timeMs = head["Execution Time"];
  if (typeof timeMs !== "number") return undefined;
  const blocks = Number(root["Shared Hit Blocks"] ?? 0) + Number(root["Shared Read Blocks"] ?? 0);
  return { timeMs, blocks, indexes: [...new Set(indexesOf(root))] };
}

function indexesOf(node: ParseNode): readonly string[] {
  const own = typeof node["Index Name"] === "string" ? [node["Index Name"]] : [];
  return [...own, ...listOf(node["Plans"]).flatMap((each) => (isNode(each) ? indexesOf(each) : []))];
}
