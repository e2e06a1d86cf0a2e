import { expect, test } from "bun:test";
import { BLOCK_BYTES_MAX, formatStore, HEADER, layoutOf, openBlock, sizesFor } from "./layout.ts";

const MIB = 1 << 20;

test.each([MIB, 5 * MIB + 123, 64 * MIB, BLOCK_BYTES_MAX])(
  "a block of %d bytes is used to its last units",
  (bytes) => {
    const layout = layoutOf(sizesFor({ bytes, workers: 8 }));
    expect(layout.bytes).toBeLessThanOrEqual(bytes);
    expect(layout.bytes).toBeGreaterThan(bytes - 128);
    const data = layout.sizes.smallUnits + layout.sizes.mainUnits;
    expect((data * 64) / bytes).toBeGreaterThan(bytes === MIB ? 0.75 : 0.9);
  },
);

test("a block of too few or too many bytes is refused", () => {
  expect(() => sizesFor({ bytes: 1000, workers: 1 })).toThrow(RangeError);
  expect(() => sizesFor({ bytes: BLOCK_BYTES_MAX + 1, workers: 1 })).toThrow(RangeError);
});

test("what is not a block of this version, or is cut short, is refused", () => {
  const block = new Uint8Array(MIB);
  expect(() => openBlock(block)).toThrow("not a store of this version");
  formatStore(block, sizesFor({ bytes: MIB, workers: 1 }), 1);
  expect(openBlock(block).layout.sizes).toEqual(sizesFor({ bytes: MIB, workers: 1 }));
  expect(() => openBlock(block.subarray(0, MIB / 2))).toThrow("cut short");
  expect(() => openBlock(block.subarray(0, 100))).toThrow("cut short");
  new Int32Array(block.buffer)[HEADER.version] = 99;
  expect(() => openBlock(block)).toThrow("not a store of this version");
});
