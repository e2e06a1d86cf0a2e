import { expect, test } from "bun:test";
import { BoundedQueue } from "./queue.ts";
import { seededRandom } from "./random.ts";

test("items come out in the order they went in", () => {
  const queue = new BoundedQueue<string>(3);
  for (const item of ["a", "b", "c"]) expect(queue.push(item)).toBe(true);
  expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual(["a", "b", "c", undefined]);
});

test("a full queue refuses and keeps what it has", () => {
  const queue = new BoundedQueue<number>(2);
  expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
  expect([queue.size, queue.shift(), queue.shift(), queue.size]).toEqual([2, 1, 2, 0]);
});

test("peek shows the oldest item and leaves it", () => {
  const queue = new BoundedQueue<number>(2);
  expect(queue.peek()).toBeUndefined();
  queue.push(1);
  expect([queue.peek(), queue.size]).toEqual([1, 1]);
});

test("behaves as a plain array does over random operations", () => {
  const random = seededRandom(3);
  const queue = new BoundedQueue<number>(7);
  const model: number[] = [];
  for (let i = 0; i < 5000; i++) {
    if (random() < 0.55) expect(queue.push(i)).toBe(model.length < 7 && model.push(i) > 0);
    else expect(queue.shift()).toBe(model.shift());
    expect(queue.size).toBe(model.length);
  }
});

test("an item that was taken is let go of", async () => {
  const queue = new BoundedQueue<object>(4);
  const taken = ((): WeakRef<object> => {
    queue.push({ big: "item" });
    return new WeakRef(queue.shift()!);
  })();
  for (let round = 0; round < 100 && taken.deref() !== undefined; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    Bun.gc(true);
  }
  expect(taken.deref()).toBeUndefined();
});

test.each([0, -1, 1.5, Number.NaN])("a capacity of %p is refused", (capacity) => {
  expect(() => new BoundedQueue(capacity)).toThrow("queue capacity must be a whole number of at least 1");
});
