import { expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { type Block, layoutOf, sizesFor, UNIT_WORDS } from "./layout.ts";
import { RECORD, STATE } from "./record.ts";
import { Ring } from "./ring.ts";

const HEAD = 0;
const FIRST_UNIT = 4;
const CAPACITY = 100;

function ringOf(): { ring: Ring; words: Int32Array } {
  const bytes = new Uint8Array((FIRST_UNIT + CAPACITY) * UNIT_WORDS * 4);
  const words = new Int32Array(bytes.buffer);
  const block: Block = { bytes, words, layout: layoutOf(sizesFor({ bytes: 1 << 20, workers: 1 })) };
  return { ring: new Ring(block, FIRST_UNIT, CAPACITY, HEAD), words };
}

/** Takes a record of `units` units, freeing from the tail as needed; its unit. */
function take(ring: Ring, words: Int32Array, units: number): number {
  ring.turnFor(units);
  while (ring.room < units) {
    ring.drop();
    ring.turnFor(units);
  }
  const unit = ring.headUnit;
  words[unit * UNIT_WORDS + RECORD.size] = units;
  words[unit * UNIT_WORDS + RECORD.state] = STATE.live;
  ring.take(units);
  return unit;
}

/** The units of the records from tail to head; an error when they are not whole. */
function walk(ring: Ring, words: Int32Array): number[] {
  const found: number[] = [];
  let left = ring.used;
  for (let unit = ring.tailUnit; left > 0; unit = FIRST_UNIT + ((unit - FIRST_UNIT) % CAPACITY)) {
    const size = words[unit * UNIT_WORDS + RECORD.size] ?? 0;
    if (size <= 0 || size > left) throw new Error(`no record of ${size} units at ${unit}`);
    if (words[unit * UNIT_WORDS + RECORD.state] !== STATE.pad) found.push(unit);
    left -= size;
    unit += size;
  }
  return found;
}

test("records leave in the order in which they came, and never cross the area's end", () => {
  const { ring, words } = ringOf();
  const random = seededRandom(3);
  const units: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const size = 1 + Math.floor(random() * 30);
    const unit = take(ring, words, size);
    expect(unit + size).toBeLessThanOrEqual(FIRST_UNIT + CAPACITY);
    units.push(unit);
    const walked = walk(ring, words);
    expect(walked).toEqual(units.slice(-walked.length));
  }
});

test("a full ring differs from an empty one", () => {
  const { ring, words } = ringOf();
  expect([ring.used, ring.free, ring.room]).toEqual([0, 100, 100]);
  take(ring, words, 100);
  expect([ring.used, ring.free, ring.room]).toEqual([100, 0, 0]);
});

test("a record that is jumped over stays where it is and is the newest", () => {
  const { ring, words } = ringOf();
  const first = take(ring, words, 40);
  const second = take(ring, words, 40);
  ring.jump();
  expect(walk(ring, words)).toEqual([second, first]);
  expect(ring.used).toBe(100);
  const third = take(ring, words, 30);
  expect(walk(ring, words)).toEqual([first, third]);
});

test("whatever is jumped over and freed in whatever order, the ring stays whole", () => {
  const { ring, words } = ringOf();
  const random = seededRandom(4);
  for (let i = 0; i < 5000; i++) {
    const chance = ring.used === 0 ? 1 : random();
    if (chance < 0.3) ring.jump();
    else if (chance < 0.5) ring.drop();
    else take(ring, words, 1 + Math.floor(random() * 20));
    walk(ring, words);
    expect(ring.used).toBeLessThanOrEqual(CAPACITY);
  }
});

test("a death between the two steps of a jump is mended", () => {
  const { ring, words } = ringOf();
  const first = take(ring, words, 40);
  const second = take(ring, words, 60);
  // The first step alone: the head has passed the record at the tail.
  ring.take(40);
  expect(ring.used).toBe(140);
  ring.mend();
  expect(walk(ring, words)).toEqual([second, first]);
});
