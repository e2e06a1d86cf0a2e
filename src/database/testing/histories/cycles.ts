/** Cycles in a graph of dependencies between transactions, by their numbers. */

/** Why one transaction comes before another: it wrote the version before, it wrote what was read, it read the version before. */
export type EdgeKind = "ww" | "wr" | "rw";

/** Edges by kind: from -> to. */
export type Edges = Readonly<Record<EdgeKind, ReadonlyMap<number, ReadonlySet<number>>>>;

/** Transactions one after the other, the last before the first again. */
export type Cycle = readonly number[];

/** A shortest way from `from` to `to` along edges of `kinds`; undefined when there is none. O(edges). */
function path(edges: Edges, kinds: readonly EdgeKind[], from: number, to: number): Cycle | undefined {
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
  const all = kinds.includes(last) ? kinds : [...kinds, last];
  const component = components(edges, all);
  for (const [from, targets] of edges[last])
    for (const to of targets) {
      if (component.get(from) !== component.get(to)) continue; // no way back
      const back = to === from ? [from] : path(edges, kinds, to, from);
      if (back !== undefined) return back;
    }
  return undefined;
}

/** Strongly connected components, each transaction with the number of its own: Tarjan's algorithm without recursion. O(edges). */
function components(edges: Edges, kinds: readonly EdgeKind[]): ReadonlyMap<number, number> {
  const targets = (at: number): number[] => kinds.flatMap((kind) => [...(edges[kind].get(at) ?? [])]);
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const component = new Map<number, number>();
  const stack: number[] = [];
  const enter = (at: number): { at: number; rest: number[] } => {
    index.set(at, index.size);
    low.set(at, index.size - 1);
    stack.push(at);
    return { at, rest: targets(at) };
  };
  const lower = (at: number, to: number | undefined): void => {
    low.set(at, Math.min(low.get(at) ?? 0, to ?? Infinity));
  };
  const close = (root: number): void => {
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      component.set(at, root);
      if (at === root) return;
    }
  };
  for (const root of kinds.flatMap((kind) => [...edges[kind].keys()])) {
    const calls = index.has(root) ? [] : [enter(root)];
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const next = call.rest.pop();
      if (next === undefined) {
        calls.pop();
        if (low.get(call.at) === index.get(call.at)) close(call.at);
        lower(calls.at(-1)?.at ?? call.at, low.get(call.at));
      } else if (!index.has(next)) calls.push(enter(next));
      else if (!component.has(next)) lower(call.at, index.get(next));
    }
  }
  return component;
}
