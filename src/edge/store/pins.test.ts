import { expect, test } from "bun:test";
import { COLUMN, HEADER, layoutOf, PINS, sizesFor } from "./layout.ts";
import type { Store } from "./store.ts";
import {
  body,
  bodyOf,
  DEAD_PID,
  find,
  memoryStores,
  openAs,
  put,
  requestFor,
  reserve,
  use,
} from "./testing.ts";

const layout = layoutOf(sizesFor({ bytes: 1 << 20, workers: 2, objectShare: 0.1 }));

function twoStores(): { block: Uint8Array; words: Int32Array; one: Store; other: Store } {
  const { block, stores } = memoryStores();
  const [one, other] = stores;
  if (one === undefined || other === undefined) throw new Error("two stores");
  return { block, words: new Int32Array(block.buffer), one, other };
}

/** Fills both rings several times over: half of what is stored is asked for again. */
function overfill(store: Store): void {
  for (let i = 0; i < 2000; i++) {
    put(store, `example.com/filler/${i}`, { bodyBytes: 4000 });
    if (i % 2 === 0) use(store, `example.com/filler/${i}`, 2);
  }
}

test("bytes that another worker reads are not overwritten, however much is stored meanwhile", () => {
  const { one, other } = twoStores();
  put(one, "example.com/a", { body: "apple" });
  const entry = find(other, "example.com/a");
  overfill(one);
  expect(body(one, "example.com/a")).toBeUndefined();
  expect(entry === undefined ? "" : bodyOf(entry)).toBe("apple");
});

test("a pin keeps an object's bytes while its reader looks at others", () => {
  const { one, other } = twoStores();
  put(one, "example.com/a", { body: "apple" });
  find(other, "example.com/a");
  const pin = other.pin();
  body(other, "example.com/b");
  overfill(one);
  expect(bodyOf(other.at(pin))).toBe("apple");
  other.unpin(pin);
});

test("a popular object goes round under its readers without a change of its bytes", () => {
  const { one, other } = twoStores();
  put(one, "example.com/a", { body: "apple" });
  const pins: number[] = [];
  for (let round = 0; round < 60; round++) {
    use(one, "example.com/a", 3);
    if (find(other, "example.com/a") !== undefined) pins.push(other.pin());
    for (let i = 0; i < 30; i++) put(one, `example.com/${round}/${i}`, { bodyBytes: 4000 });
  }
  expect(pins.length).toBeGreaterThan(50);
  expect(new Set(pins.map((pin) => bodyOf(other.at(pin))))).toEqual(new Set(["apple"]));
});

test("a pin that was given back lets the bytes go", () => {
  const { one, other } = twoStores();
  put(one, "example.com/a", { bodyBytes: 4000 });
  find(other, "example.com/a");
  const pin = other.pin();
  other.unpin(pin);
  other.release();
  overfill(one);
  expect(one.stats().liveBytes).toBeGreaterThan(one.stats().capacityBytes * 0.9);
});

test("all who hold the same record share a pin, which is free after the last of them", () => {
  const { one, other } = twoStores();
  put(one, "example.com/a", { body: "apple" });
  const pins = Array.from({ length: 3 * PINS }, () => {
    find(other, "example.com/a");
    return other.pin();
  });
  expect(new Set(pins)).toEqual(new Set([1]));
  other.release();
  for (const pin of pins.slice(1)) other.unpin(pin);
  overfill(one);
  expect(bodyOf(other.at(1))).toBe("apple");
  other.unpin(1);
  overfill(one);
  put(one, "example.com/b", { body: "pear" });
  find(other, "example.com/b");
  expect(other.pin()).toBe(1);
});

test("a worker whose pins are all in use is told so", () => {
  const [one] = memoryStores({ bytes: 4 << 20 }).stores;
  if (one === undefined) throw new Error("no store");
  const pins = Array.from({ length: PINS }, (_, index) => {
    put(one, `example.com/${index}`, { body: "apple" });
    find(one, `example.com/${index}`);
    return one.pin();
  });
  expect(pins.at(-1)).toBe(-1);
  expect(new Set(pins).size).toBe(PINS);
  expect(one.reserve(requestFor(one, "example.com/b"))).toBe("no-pins");
  one.unpin(pins[0] ?? 0);
  expect(put(one, "example.com/b")).toBeUndefined();
});

test("when pins hold all the room nothing is stored, and nothing is overwritten", () => {
  const { one, other } = twoStores();
  const urls = Array.from({ length: 100 }, (_, i) => `example.com/${i}`);
  for (const url of urls) put(one, url, { body: url.repeat(500) });
  const held = urls.filter((url) => find(other, url) !== undefined && other.pin() >= 0);
  const refusals = urls.map((url) => put(one, `${url}/new`, { body: url.repeat(500) }));
  expect(refusals).toContain("pinned");
  expect(held.length).toBeGreaterThan(50);
  held.forEach((url, index) => expect(bodyOf(other.at(index + 1))).toBe(url.repeat(500)));
});

test("a reservation that is being filled is not overwritten", () => {
  const { one, other } = twoStores();
  const reservation = reserve(other, "example.com/a", { body: "apple" });
  overfill(one);
  expect(reservation.commit()).toBeUndefined();
  expect(body(one, "example.com/a")).toBe("apple");
});

test("what a dead worker was filling is taken back once its column is cleared", () => {
  const { one, other } = twoStores();
  for (let i = 0; i < 20; i++) reserve(other, `example.com/${i}`, { bodyBytes: 4000 });
  one.clearWorker(1);
  overfill(one);
  expect(one.stats().liveBytes).toBeGreaterThan(one.stats().capacityBytes * 0.9);
});

test("while the lock is taken storing is refused as busy and finding goes on", () => {
  const { words, one, other } = twoStores();
  put(one, "example.com/a");
  const reservation = reserve(one, "example.com/b");
  words[HEADER.lock] = (2 << 22) | 2;
  expect(put(one, "example.com/c")).toBe("busy");
  expect(reservation.commit()).toBe("busy");
  expect(body(other, "example.com/a")).toBe("example.com/a");
  words[HEADER.lock] = 0;
  expect(reservation.commit()).toBeUndefined();
});

test("the lock of a dead worker is inherited: the store is empty, its epoch grows, readers keep their bytes", () => {
  const { words, block, one } = twoStores();
  openAs(block, 1, DEAD_PID);
  put(one, "example.com/a", { body: "apple" });
  find(one, "example.com/a");
  const pin = one.pin();
  words[HEADER.lock] = (2 << 22) | DEAD_PID;
  expect(put(one, "example.com/b")).toBeUndefined();
  expect(one.epoch).toBe(1);
  expect(body(one, "example.com/a")).toBeUndefined();
  overfill(one);
  expect(bodyOf(one.at(pin))).toBe("apple");
});

test("a lock is dead too when its worker's column belongs to another process now", () => {
  const { words, block, one } = twoStores();
  words[HEADER.lock] = (2 << 22) | 2;
  openAs(block, 1, 77);
  expect(put(one, "example.com/a")).toBeUndefined();
  expect(one.epoch).toBe(1);
});

test("after a death while bytes were moved nothing is stored until nobody reads any more", () => {
  const { words, block, one, other } = twoStores();
  put(one, "example.com/a", { body: "apple" });
  find(other, "example.com/a");
  const pin = other.pin();
  other.release();
  words[HEADER.moving] = 1;
  words[HEADER.lock] = (2 << 22) | DEAD_PID;
  expect(put(one, "example.com/b")).toBe("recovering");
  expect(bodyOf(other.at(pin))).toBe("apple");
  other.release();
  other.unpin(pin);
  expect(put(one, "example.com/b")).toBeUndefined();
  expect(new Int32Array(block.buffer)[layout.columns + layout.columnWords + COLUMN.pins]).toBe(0);
});

test("no process opens a column that the block does not have", () => {
  expect(() => openAs(memoryStores().block, 2, 9)).toThrow("no column 2");
});
