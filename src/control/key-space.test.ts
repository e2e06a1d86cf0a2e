import { expect, test } from "bun:test";
import { HISTORY_MAX, KeySpace } from "./key-space.ts";
import type { Change } from "./state-store.ts";
import { memoryStore } from "./testing/memory-store.ts";
import { stateStoreSuite } from "./testing/state-store-suite.ts";

stateStoreSuite("the store in memory", () => {
  const space = new KeySpace();
  return {
    open: async () => {
      space.forgetHistory();
      return memoryStore(space);
    },
  };
});

test("changes are remembered up to a bound, and who asks for older ones is told to list again", async () => {
  const store = memoryStore();
  for (let number = 0; number <= HISTORY_MAX; number += 1) await store.put("a", String(number), "any");
  const seen: Change[] = [];
  store.watch("", 1, (change) => seen.push(change));
  store.watch("", HISTORY_MAX, (change) => seen.push(change));
  expect(seen.map((change) => change.kind)).toEqual(["lost", "put"]);
});
