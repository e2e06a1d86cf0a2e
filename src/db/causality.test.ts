import { expect, test } from "bun:test";
import { Causality } from "./causality.ts";

test("a token is the highest position of its commits, whatever the order in which they are learned", async () => {
  const causality = new Causality("0/10");
  const slow = Promise.withResolvers<bigint>();
  causality.committed(slow.promise);
  causality.committed(Promise.resolve(0x30n));
  slow.resolve(0x20n);
  expect(await causality.token()).toBe("0/30");
  expect(await causality.floor()).toBe(0x30n);
});

test("a read waits for positions that are on their way", async () => {
  const causality = new Causality();
  const position = Promise.withResolvers<bigint>();
  causality.committed(position.promise);
  const floor = causality.floor();
  expect(floor).toBeInstanceOf(Promise);
  position.resolve(5n);
  expect(await floor).toBe(5n);
});

test("a position that was lost sends reads to the primary until a later one is known; an earlier one does not do", async () => {
  const causality = new Causality();
  const early = Promise.withResolvers<bigint>();
  causality.committed(early.promise);
  causality.committed(Promise.reject(new Error("lost")));
  early.resolve(1n);
  expect(await causality.floor()).toBe("primary");
  causality.committed(Promise.resolve(9n));
  expect(await causality.floor()).toBe(9n);
});

test("what is no token is refused; an empty one is none", async () => {
  expect(() => new Causality("yesterday")).toThrow(TypeError);
  expect(await new Causality("").token()).toBe("");
});
