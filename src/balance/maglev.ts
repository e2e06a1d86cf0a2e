/**
 * Maglev: a table of 65537 slots, filled so that each candidate owns its weight's share almost exactly and most keys
 * stay where they are when a candidate comes or goes. A pick is one look into the table.
 *
 * Each candidate has its own permutation of the slots (offset, offset + skip, ...). They take turns; at its turn a
 * candidate takes the next slot of its permutation that is still free. A lighter candidate sits out turns, so that
 * it takes weight / heaviest of them. See Eisenbud et al., "Maglev: a fast and reliable software network load
 * balancer" (NSDI 2016), section 3.4; the weighting is Envoy's.
 */
import { murmur3String } from "../base/index.ts";
import type { Balancer } from "./balancer.ts";
import { byId, type Columns, columnsOf, following, ignoreResponse, NO_COLUMNS, sole } from "./columns.ts";
import { fractionOf } from "./key.ts";

/**
 * Slots in the table: a prime, so that every skip visits every slot. 65537 is the paper's small size; with 100
 * candidates shares differ by less than 1 %. At 2 bytes a slot it is 128 KiB per group.
 */
export const TABLE_SIZE = 65_537;

const OFFSET_SEED = 0x6d61676c;
const SKIP_SEED = 0x65766d67;

/** A slot that nobody has taken. Target numbers are below 4096 and fit 16 bits beside it. */
const FREE = 0xffff;

/** Creates a maglev balancer. A pick is O(1); `setTargets` fills the table anew, about a millisecond. */
export function createMaglev(): Balancer {
  let columns = NO_COLUMNS;
  let table = new Uint16Array(0);

  return {
    setTargets(candidates) {
      columns = columnsOf(byId(candidates));
      table = columns.size < 2 ? table : fillTable(columns);
    },

    pick(hash, exclude) {
      if (columns.size < 2) return sole(columns);
      let slot = Math.floor(fractionOf(hash) * TABLE_SIZE);
      // Walking on from an excluded target spreads its keys as its leaving would: neighbouring slots belong to
      // anyone. The walk ends, since even weight 1 beside weight 1000 owns 65 slots.
      while (table[slot] === exclude) slot = following(slot, TABLE_SIZE);
      return table[slot] ?? -1;
    },

    observe: ignoreResponse,
  };
}

/** Fills a table of target numbers by the candidates' permutations. */
function fillTable({ ids, indexes, weights }: Columns): Uint16Array<ArrayBuffer> {
  const table = new Uint16Array(TABLE_SIZE).fill(FREE);
  const slots = Uint32Array.from(ids, (id) => murmur3String(id, OFFSET_SEED) % TABLE_SIZE);
  const skips = Uint32Array.from(ids, (id) => (murmur3String(id, SKIP_SEED) % (TABLE_SIZE - 1)) + 1);
  const turns = turnsOf(weights);
  for (let taken = 0; taken < TABLE_SIZE; ) {
    const position = turns();
    const skip = skips[position] ?? 1;
    let slot = slots[position] ?? 0;
    while (table[slot] !== FREE) slot = slot + skip < TABLE_SIZE ? slot + skip : slot + skip - TABLE_SIZE;
    table[slot] = indexes[position] ?? 0;
    slots[position] = slot;
    taken++;
  }
  return table;
}

/** Whose turn it is next: each round every position earns weight / heaviest, and a whole turn is taken at once. */
function turnsOf(weights: Float64Array): () => number {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const earned = new Float64Array(weights.length);
  let position = -1;
  return () => {
    for (;;) {
      position = following(position, weights.length);
      const credit = (earned[position] ?? 0) + (weights[position] ?? 0);
      earned[position] = credit >= heaviest ? credit - heaviest : credit;
      if (credit >= heaviest) return position;
    }
  };
}
