/** Draws one of many by weight in constant time: the alias method (Walker 1977, in Vose's form of 1991). */
import type { Random } from "../../base/index.ts";

/** Indexes of `weights`, each as often as its weight. Setting up is O(n), a draw O(1). */
export function drawer(weights: readonly number[], random: Random): () => number {
  const { length } = weights;
  if (length < 2) return () => 0;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const chances = Float64Array.from(weights, (weight) => (weight * length) / sum);
  const aliases = Int32Array.from(weights, (_, index) => index);
  const small: number[] = [];
  const large: number[] = [];
  for (const [index, chance] of chances.entries()) (chance < 1 ? small : large).push(index);
  while (small.length > 0 && large.length > 0) {
    const [less = 0, more = 0] = [small.pop(), large.at(-1)];
    aliases[less] = more;
    const left = (chances[more] ?? 0) - (1 - (chances[less] ?? 0));
    chances[more] = left;
    if (left < 1) small.push(large.pop() ?? 0);
  }
  return () => {
    const place = random() * length;
    const index = Math.floor(place);
    return place - index < (chances[index] ?? 1) ? index : (aliases[index] ?? index);
  };
}
