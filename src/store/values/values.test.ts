import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { bytesOf, latin1 } from "../../resp/index.ts";
import { Deque } from "./deque.ts";
import { Order } from "./order.ts";

const text = (bytes: Uint8Array, start: number, end: number): string => latin1(bytes, start, end);

describe("a deque", () => {
  test("says the same as an array after 50,000 random changes, and weighs nothing when it is empty", () => {
    const weight = { bytes: 0 };
    const deque = new Deque(weight);
    const array: string[] = [];
    const random = seededRandom(1);
    for (let step = 0; step < 50_000; step++) {
      const value = bytesOf(`${step}`.repeat(1 + Math.floor(random() ** 8 * 4000)));
      const index = Math.floor(random() * array.length);
      const draw = random();
      if (draw < 0.25) {
        deque.pushHead(value, 0, value.length);
        array.unshift(text(value, 0, value.length));
      } else if (draw < 0.5) {
        deque.pushTail(value, 0, value.length);
        array.push(text(value, 0, value.length));
      } else if (draw < 0.6) {
        expect(deque.popHead() ? text(deque.bytes, deque.start, deque.end) : undefined).toBe(array.shift());
      } else if (draw < 0.7) {
        expect(deque.popTail() ? text(deque.bytes, deque.start, deque.end) : undefined).toBe(array.pop());
      } else if (array.length === 0) {
        expect(deque.at(0)).toBe(false);
      } else if (draw < 0.75) {
        deque.set(index, value, 0, value.length);
        array[index] = text(value, 0, value.length);
      } else if (draw < 0.8) {
        deque.insertBefore(index, value, 0, value.length);
        array.splice(index, 0, text(value, 0, value.length));
      } else if (draw < 0.85) {
        deque.removeAt(index);
        array.splice(index, 1);
      } else {
        expect(deque.at(index)).toBe(true);
        expect(text(deque.bytes, deque.start, deque.end)).toBe(array[index] ?? "");
      }
    }
    const up: string[] = [];
    deque.each(0, deque.length, (...element) => up.push(text(...element)) > 0);
    expect(up).toEqual(array);
    const down: string[] = [];
    deque.eachBackwards((...element) => down.push(text(...element)) > 0);
    expect(down).toEqual(array.toReversed());
    deque.trim(10, 15);
    expect(deque.length).toBe(5);
    while (deque.popTail());
    expect(weight.bytes).toBe(0);
  });
});

describe("an order", () => {
  test("says the same as a sorted array after 30,000 random changes", () => {
    const weight = { bytes: 0 };
    const order = new Order(weight, (a, b) => a - b);
    const random = seededRandom(2);
    const scores = new Map<number, number>();
    for (let step = 0; step < 30_000; step++) {
      const ref = 1 + Math.floor(random() * 4000);
      const score = scores.get(ref);
      if (score !== undefined) {
        order.remove(score, ref);
        scores.delete(ref);
      } else {
        const fresh = Math.floor(random() * 50);
        order.add(fresh, ref);
        scores.set(ref, fresh);
      }
    }
    const sorted = [...scores].map(([ref, score]) => [score, ref] as const);
    sorted.sort(([a, x], [b, y]) => a - b || x - y);
    const read: (readonly [number, number])[] = [];
    order.each(0, order.length, false, (ref, score) => read.push([score, ref]));
    expect(read).toEqual(sorted);
    const back: (readonly [number, number])[] = [];
    order.each(order.length - 1, order.length, true, (ref, score) => back.push([score, ref]));
    expect(back).toEqual(sorted.toReversed());
    for (const [rank, [score, ref]] of sorted.entries()) expect(order.rank(score, ref)).toBe(rank);
    expect(order.countWhile((score) => score < 25)).toBe(sorted.filter(([score]) => score < 25).length);
    for (const [ref, score] of scores) order.remove(score, ref);
    expect([order.length, weight.bytes]).toEqual([0, 0]);
  });
});
