/**
 * Strongly connected components of a graph (Tarjan, "Depth-first search and linear graph algorithms", 1972): circles
 * come out whole, and what a node points to before the node itself. Without recursion, so that a long chain is no
 * deep stack.
 */

/** The components of the graph with an edge from `n` to each of `edges[n]`, targets first. O(nodes + edges). */
export function components(edges: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const found: number[][] = [];
  const order = new Int32Array(edges.length).fill(-1);
  const lowest = new Int32Array(edges.length);
  const isOpen = new Uint8Array(edges.length);
  const open: number[] = [];
  let visited = 0;

  const enter = (node: number): Frame => {
    order[node] = lowest[node] = visited++;
    isOpen[node] = 1;
    open.push(node);
    return { node, next: 0 };
  };
  const lower = (node: number, to: number): void => {
    lowest[node] = Math.min(lowest[node] ?? 0, to);
  };
  const leave = (node: number, parent: number | undefined): void => {
    if (parent !== undefined) lower(parent, lowest[node] ?? 0);
    if (lowest[node] !== order[node]) return;
    const members = open.splice(open.lastIndexOf(node));
    for (const member of members) isOpen[member] = 0;
    found.push(members);
  };

  for (let root = 0; root < edges.length; root++) {
    const path = order[root] === -1 ? [enter(root)] : [];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = edges[top.node]?.[top.next++];
      if (target === undefined) {
        path.pop();
        leave(top.node, path.at(-1)?.node);
      } else if (order[target] === -1) path.push(enter(target));
      else if (isOpen[target] === 1) lower(top.node, order[target] ?? 0);
    }
  }
  return found;
}

/** A node on the way, and the edge that is looked at next. */
interface Frame {
  readonly node: number;
  next: number;
}
