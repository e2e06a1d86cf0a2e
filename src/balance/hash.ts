/**
 * Hash: a key's place on a line of weighted slots decides.
 *
 * Cheap and even, but when a target comes or goes about half of the keys move to another one. Where that matters (caches,
 * sessions) use `consistent-hash` or `maglev`.
 */
import type { Balancer } from "./balancer.ts";
import { byId, columnsOf, ignoreResponse, NO_COLUMNS, sole } from "./columns.ts";
import { fractionOf, rehash } from "./key.ts";
import { endsOf, ownerAt } from "./slots.ts";

/** Creates a hash balancer. A pick is O(log candidates). Warmth is not applied: a key keeps its target. */
export function createHash(): Balancer {
  let columns = NO_COLUMNS;
  let ends = endsOf(columns);

  return {
    setTargets(candidates) {
      columns = columnsOf(byId(candidates));
      ends = endsOf(columns);
    },

    pick(hash, exclude) {
      if (columns.size < 2) return sole(columns);
      const first = columns.indexes[ownerAt(ends, fractionOf(hash), -1)] ?? -1;
      if (first !== exclude) return first;
      const excluded = columns.positions[exclude] ?? -1;
      return columns.indexes[ownerAt(ends, fractionOf(rehash(hash)), excluded)] ?? -1;
    },

    observe: ignoreResponse,
  };
}
