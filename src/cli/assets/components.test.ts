import { describe, expect, test } from "bun:test";
import { components } from "./components.ts";

describe("the components of a graph", () => {
  test("come with what a node points to before the node", () => {
    expect(components([[1, 2], [2], []])).toEqual([[2], [1], [0]]);
  });

  test("hold circles whole, also those that overlap", () => {
    const found = components([[1], [2, 3], [0], [4], [3], [5]]);
    expect(found.map((members) => members.toSorted((a, b) => a - b))).toEqual([[3, 4], [0, 1, 2], [5]]);
  });

  test("are found along a chain that is longer than a stack is deep", () => {
    const chain = Array.from({ length: 200_000 }, (_, node) => (node === 0 ? [] : [node - 1]));
    expect(components(chain.toReversed().map((edges) => edges.map((to) => 199_999 - to)))).toHaveLength(
      200_000,
    );
  });
});
