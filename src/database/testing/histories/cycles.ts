/** Cycles in a graph of dependencies between transactions, by their numbers. */

/** Why one transaction comes before another: it wrote the version before, it wrote what was read, it read the version before. */
export type EdgeKind = "ww" | "wr" | "rw";

/** Edges by kind: from -> to. */
export type Edges = Readonly<Record<EdgeKind, ReadonlyMap<number, ReadonlySet<number>>>>;

/** Transactions one after the other, the last before the first again. */
export type Cycle = readonly number[];

/** A shortest way from `from` to `to` along edges of `kinds`; undefined when there is none. O(edges). */
export function path(edges: Edges, kinds: readonly EdgeKind[], from: number, to: number): Cycle | undefined {
  const cameFrom = new Map<number, number>([[from, from]]);
  const queue = [from];
  for (let head = 0; head < queue.length; head += 1) {
    const at = queue[head] ?? from;
    for (const next of kinds.flatMap((kind) => [...(edges[kind].get(at) ?? [])])) {
      if (next === to) return way(cameFrom, from, at);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      queue.push(next);
    }
  }
  return undefined;
}

function way(cameFrom: ReadonlyMap<number, number>, from: number, to: number): number[] {
  const steps = [to];
  for (let at = to; at !== from; ) {
    at = cameFrom.get(at) ?? from;
    steps.unshift(at);
  }
  return steps;
}

/** A cycle along edges of `kinds` with at least one of `last`, which ends it; undefined when there is none. */
export function findCycle(edges: Edges, kinds: readonly EdgeKind[], last: EdgeKind): Cycle | undefined {
  for (const [from, targets] of edges[last])
    for (const to of targets) {
      const back = to === from ? [from] : path(edges, kinds, to, from);
      if (back !== undefined) return back;
    }
  return undefined;
}
