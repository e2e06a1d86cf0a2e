import { expect, test } from "bun:test";
import { crc32c } from "./crc32c.ts";
import { randomBytes, utf8 } from "./testing.ts";

const rising = Uint8Array.from({ length: 32 }, (_, at) => at);

// RFC 3720 appendix B.4, and the check value of the CRC catalogue.
test.each([
  ["nothing", new Uint8Array(0), 0x00000000],
  ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 rising bytes", rising, 0x46dd794e],
  ["32 falling bytes", rising.toReversed(), 0x113fdb5c],
  ['"123456789"', utf8("123456789"), 0xe3069283],
])("the checksum of %s is the published one", (_, bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

test("pieces, each given the checksum of the one before, equal the whole at every split", () => {
  const bytes = utf8("123456789");
  for (let split = 0; split <= bytes.length; split++) {
    const first = crc32c(bytes, 0, split);
    expect(crc32c(bytes, split, bytes.length, first)).toBe(0xe3069283);
  }
});

test("any single flipped bit is found", () => {
  const bytes = randomBytes(64, 5);
  const checksum = crc32c(bytes);
  for (let bit = 0; bit < 512; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(crc32c(flipped)).not.toBe(checksum);
  }
});
