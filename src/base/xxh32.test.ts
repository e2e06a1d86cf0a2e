import { expect, test } from "bun:test";
import { randomBytes } from "./testing.ts";
import { xxh32 } from "./xxh32.ts";

const PRIME = 2654435761;

/** The buffer of xxHash's own sanity check. */
function sanityBuffer(length: number): Uint8Array {
  let generator = BigInt(PRIME);
  return Uint8Array.from({ length }, () => {
    const byte = Number(generator >> 56n);
    generator = (generator * 11400714785074694797n) & 0xffff_ffff_ffff_ffffn;
    return byte;
  });
}

test.each([
  [0, 0, 0x02cc5d05],
  [0, PRIME, 0x36b78ae7],
  [1, 0, 0xcf65b03e],
  [1, PRIME, 0xb4545aa4],
  [14, 0, 0x1208e7e2],
  [14, PRIME, 0x6af1d1fe],
  [222, 0, 0x5bd11dbd],
  [222, PRIME, 0x58803c5f],
])("hashes %p bytes of the sanity buffer with seed %p to %p", (length, seed, hash) => {
  expect(xxh32(sanityBuffer(length), 0, length, seed)).toBe(hash);
});

test("agrees with an independent implementation on random input of every length to 200", () => {
  for (let length = 0; length <= 200; length++) {
    const bytes = randomBytes(length, length);
    expect(xxh32(bytes, 0, length, length)).toBe(Bun.hash.xxHash32(bytes, length));
  }
});

test("hashes the range alone, whatever is around it", () => {
  const bytes = sanityBuffer(222);
  const framed = new Uint8Array(300).fill(7);
  framed.set(bytes, 33);
  expect(xxh32(framed, 33, 33 + 222, 0)).toBe(0x5bd11dbd);
});
