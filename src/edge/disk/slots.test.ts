import { expect, test } from "bun:test";
import { admitUsedAgain, DiskGhosts } from "./admission.ts";
import { diskLayoutOf, diskSizesFor, HITS_PER_SEGMENT, openDiskIndex } from "./layout.ts";
import { classOf, classUnits } from "./length-class.ts";
import { ByteRate } from "./rate.ts";
import { offReason } from "./reasons.ts";
import { isLater, SEGMENT_STATE, type Segment } from "./segments.ts";
import { DiskSlots, placeOf, slotOf, unitOf } from "./slots.ts";
import { segmentsOf, testIndex } from "./testing.ts";

function scene() {
  const index = testIndex();
  const segments = segmentsOf(index);
  const current = segments.take(undefined)?.current ?? { slot: 0, serial: 0 };
  const slots = new DiskSlots(index, segments);
  const put = (hashHi: number, unit: number, varyHash = 0, { slot, serial }: Segment = current): number =>
    slots.put({ hashHi, hashLo: 7, varyHash, place: placeOf(slot, unit), serial, lengthClass: 3 });
  const units = (hashHi: number): number[] => slots.find(hashHi, 7).map((at) => unitOf(slots.placeAt(at)));
  return { index, segments, current, slots, put, units };
}

test("a tier of 10 GiB has an index of less than 100 MiB for 2.6 million objects", () => {
  const sizes = diskSizesFor({ bytes: 10 * 2 ** 30, workers: 8 });
  expect(diskLayoutOf(sizes).words * 4).toBeLessThan(100 << 20);
  expect(sizes.buckets * 16 * 0.6).toBeGreaterThan(2.6e6);
  expect(() => diskSizesFor({ bytes: 1 << 20, workers: 8 })).toThrow(RangeError);
});

test("an index of another layout, or one that is cut short, is refused", () => {
  const { words } = testIndex();
  expect(() => openDiskIndex(words.subarray(0, 1000))).toThrow("cut short");
  words[3] = 999;
  expect(() => openDiskIndex(words)).toThrow("not an index");
});

test("a class of lengths holds each of its lengths, and a sixteenth more at most", () => {
  for (let units = 1; units < 500_000; units = Math.ceil(units * 1.01)) {
    const most = classUnits(classOf(units));
    expect(most).toBeGreaterThanOrEqual(units);
    expect(most).toBeLessThanOrEqual(units * 1.0626);
    expect(classOf(units)).toBeLessThan(256);
  }
});

test("a place is a slot and a unit", () => {
  expect([slotOf(placeOf(2047, 1_048_575)), unitOf(placeOf(2047, 1_048_575))]).toEqual([2047, 1_048_575]);
});

test("the same object is replaced, another variant is not, and both can be forgotten", () => {
  const { slots, put, units } = scene();
  put(1, 10);
  put(1, 20, 5);
  put(1, 30);
  expect(units(1).toSorted((a, b) => a - b)).toEqual([20, 30]);
  expect([slots.forget(1, 7, 5), units(1), slots.forget(1, 7), units(1)]).toEqual([1, [30], 1, []]);
});

test("a full bucket gives up what was used least", () => {
  const { slots, put, units } = scene();
  for (let object = 1; object <= 16; object++) put(object, object);
  for (let object = 1; object <= 16; object++) {
    const [at = 0] = slots.find(object, 7);
    if (object !== 9) slots.touch(at, slots.placeAt(at));
  }
  put(17, 17);
  expect([units(9), units(17), units(8)]).toEqual([[], [17], [8]]);
});

test("what lies in a segment that was dropped is not found, in whatever life its slot is", () => {
  const { segments, slots, current, put, units } = scene();
  put(1, 10);
  segments.drop(current);
  expect(units(1)).toEqual([]);
  expect(segments.take(undefined)?.current.slot).toBe(current.slot);
  expect([units(1), slots.count()]).toEqual([[], 0]);
});

test("an object's first use puts it into its segment's list, once", () => {
  const { segments, slots, current, put } = scene();
  const at = put(1, 10);
  for (let use = 0; use < 9; use++) slots.touch(at, placeOf(current.slot, 10));
  expect([[...segments.hitsOf(current.slot)], slots.usesAt(at)]).toEqual([[at], 3]);
  for (let hit = 0; hit < HITS_PER_SEGMENT; hit++) segments.noteHit(current.slot, at);
  expect(segments.hitsOf(current.slot)).toHaveLength(HITS_PER_SEGMENT);
});

test("an object that moves counts a use less, and does not come back when it was removed meanwhile", () => {
  const { slots, current, put, units } = scene();
  const at = put(1, 10);
  slots.touch(at, placeOf(current.slot, 10));
  const entry = {
    hashHi: 1,
    hashLo: 7,
    varyHash: 0,
    place: placeOf(current.slot, 50),
    serial: current.serial,
    lengthClass: 3,
  };
  expect([slots.move(at, placeOf(current.slot, 10), entry), units(1), slots.usesAt(at)]).toEqual([
    true,
    [50],
    0,
  ]);
  slots.clear(at, entry.place);
  expect(slots.move(at, entry.place, entry)).toBe(false);
});

test("segments are taken free ones first, then the oldest, never one that somebody fills", () => {
  const index = testIndex();
  const [one, two] = [segmentsOf(index, 0), segmentsOf(index, 1)];
  const others = two.take(undefined)?.current;
  const taken: (Segment | undefined)[] = [];
  let victim: Segment | undefined;
  for (let turn = 0; turn < 40; turn++) {
    const next = one.take(victim);
    victim = next?.victim;
    if (next !== undefined) one.seal(next.current);
    taken.push(next?.current);
  }
  expect(taken.slice(0, 17).map((segment) => segment?.slot)).toEqual([
    ...Array.from({ length: 15 }, (_, at) => at + 1),
    1,
    2,
  ]);
  expect(taken.every((segment) => segment !== undefined && segment.slot !== others?.slot)).toBe(true);
});

test("what a dead worker was filling can be taken, and its lock is inherited", () => {
  const index = testIndex();
  const dead = segmentsOf(index, 1);
  while (dead.take(undefined) !== undefined);
  index.words[16] = (2 << 22) | 2;
  const living = segmentsOf(index, 0, (pid) => pid !== 2);
  expect(living.take(undefined)?.current.slot).toBe(0);
});

test("found segments are scanned the latest first, and serials go on after them", () => {
  const segments = segmentsOf(testIndex());
  for (const serial of [7, 900, 30]) segments.found({ slot: serial % 16, serial });
  expect(segments.unscanned().map(({ serial }) => serial)).toEqual([900, 30, 7]);
  segments.scanned({ slot: 7, serial: 7 }, 100);
  expect(segments.stateOf(7)).toBe(SEGMENT_STATE.sealed);
  expect(isLater(segments.take(undefined)?.current.serial ?? 0, 900)).toBe(true);
});

test("what is offered again not long after is admitted", () => {
  const ghosts = new DiskGhosts(testIndex());
  const offer = (hash: number): string =>
    admitUsedAgain({ access: 0, bytes: 1, wasOffered: ghosts.wasOffered(hash, 5) }) ?? "admitted";
  expect([offer(2), offer(4), offer(2)]).toEqual(["not-used-again", "not-used-again", "admitted"]);
  for (let other = 10; other < 60; other += 2) offer(other);
  expect(offer(4)).toBe("not-used-again");
});

test("bytes are given out at a rate, after a burst of four seconds", () => {
  const rate = new ByteRate(100, 0);
  const takes = (count: number, nowMs: number): number =>
    Array.from({ length: count }, () => rate.take(50, nowMs)).filter(Boolean).length;
  expect([takes(20, 0), takes(20, 1000), takes(20, 60_000)]).toEqual([8, 2, 8]);
});

test("an error of the system is one of three reasons", () => {
  const reason = (code: string): string => offReason(Object.assign(new Error(code), { code }));
  expect(["ENOSPC", "EROFS", "EIO"].map(reason)).toEqual(["disk-full", "unwritable", "io-error"]);
});
