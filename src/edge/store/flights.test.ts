import { expect, test } from "bun:test";
import { FLIGHT } from "./flights.ts";
import type { Store } from "./store.ts";
import { DEAD_PID, memoryStores, openAs } from "./testing.ts";

function workers(): [Store, Store, Uint8Array] {
  const { block, stores } = memoryStores();
  return [stores[0] as Store, stores[1] as Store, block];
}

test("the first to ask leads, the others learn who leads, until it ends", () => {
  const [one, other] = workers();
  expect(one.flights.claim(1, 2, 1000, 5000)).toBe(FLIGHT.leader);
  expect(other.flights.claim(1, 2, 1000, 5000)).toBe(0);
  expect(one.flights.claim(1, 2, 1000, 5000)).toBe(0);
  expect(other.flights.leader(1, 2, 1000)).toBe(0);
  one.flights.release(1, 2);
  expect(other.flights.leader(1, 2, 1000)).toBe(-1);
  expect(other.flights.claim(1, 2, 1000, 5000)).toBe(FLIGHT.leader);
});

test("only its leader ends a flight", () => {
  const [one, other] = workers();
  one.flights.claim(1, 2, 1000, 5000);
  other.flights.release(1, 2);
  expect(other.flights.leader(1, 2, 1000)).toBe(0);
});

test("keys that share one word of the hash have flights of their own", () => {
  const [one, other] = workers();
  expect(one.flights.claim(1, 2, 1000, 5000)).toBe(FLIGHT.leader);
  expect(other.flights.claim(9, 2, 1000, 5000)).toBe(FLIGHT.leader);
});

test("a flight beyond its deadline is taken over, also where milliseconds wrap at 2^32", () => {
  const [one, other] = workers();
  const nowMs = 2 ** 32 - 10;
  expect(one.flights.claim(1, 2, nowMs, nowMs + 100)).toBe(FLIGHT.leader);
  expect(other.flights.claim(1, 2, nowMs + 99, nowMs + 5000)).toBe(0);
  expect(other.flights.claim(1, 2, nowMs + 100, nowMs + 5000)).toBe(FLIGHT.leader);
});

test("the flight of a dead worker is taken over at once", () => {
  const [one, , block] = workers();
  const dead = openAs(block, 1, DEAD_PID);
  expect(dead.flights.claim(1, 2, 1000, 5000)).toBe(FLIGHT.leader);
  expect(one.flights.leader(1, 2, 1000)).toBe(-1);
  expect(one.flights.claim(1, 2, 1000, 5000)).toBe(FLIGHT.leader);
});

test("a full set of the table lets the next go alone", () => {
  const [one] = workers();
  for (let i = 0; i < 8; i++) expect(one.flights.claim(i, 0, 1000, 5000)).toBe(FLIGHT.leader);
  expect(one.flights.claim(8, 0, 1000, 5000)).toBe(FLIGHT.alone);
});

test("a mark says until when a key is not to be waited for, and can be taken back", () => {
  const [one, other] = workers();
  one.markers.mark(1, 2, 100);
  expect(other.markers.isMarked(1, 2, 99)).toBe(true);
  expect(other.markers.isMarked(1, 2, 100)).toBe(false);
  expect(other.markers.isMarked(3, 2, 99)).toBe(false);
  other.markers.unmark(1, 2);
  expect(one.markers.isMarked(1, 2, 99)).toBe(false);
});

test("a mark says why, as long as it holds", () => {
  const [one, other] = workers();
  one.markers.mark(1, 2, 100, 7);
  expect([other.markers.reasonOf(1, 2, 99), other.markers.reasonOf(1, 2, 100)]).toEqual([7, undefined]);
});
