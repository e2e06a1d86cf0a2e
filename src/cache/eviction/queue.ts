/** The two policies of one queue: first in, first out; and least recently used, where a use moves a node to its end. */
import type { Eviction, EvictionContext, EvictionNode } from "./eviction.ts";
import { NodeList } from "./node-list.ts";

/** First in, first out: what came first leaves first, however often it is used. */
export function createFifo(context: EvictionContext): Eviction {
  return createQueue(context, () => {});
}

/** Least recently used: what was not used for the longest time leaves. */
export function createLru(context: EvictionContext): Eviction {
  return createQueue(context, (queue, node) => queue.moveToNewest(node));
}

function createQueue(
  { capacity, drop }: EvictionContext,
  use: (queue: NodeList, node: EvictionNode) => void,
): Eviction {
  const queue = new NodeList(0);

  const evictTo = (max: number): void => {
    for (let out = queue.oldest; out !== undefined && queue.cost > max; out = queue.oldest) {
      queue.remove(out);
      drop(out);
    }
  };

  return {
    touch: (node) => use(queue, node),
    admit(node, cost) {
      evictTo(capacity - cost);
      node.seat.cost = cost;
      queue.push(node);
    },
    resize(node, cost) {
      use(queue, node);
      queue.resize(node, cost);
      evictTo(capacity);
    },
    remove: (node) => queue.remove(node),
    get usedCost() {
      return queue.cost;
    },
  };
}
