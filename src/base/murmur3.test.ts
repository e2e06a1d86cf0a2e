import { describe, expect, test } from "bun:test";
import { murmur3, murmur3String } from "./murmur3.ts";
import { hexBytes, randomBytes, utf8 } from "./testing.ts";

describe("murmur3", () => {
  // From the test vectors that circulate with SMHasher's reference implementation.
  test.each([
    ["", 0, 0x00000000],
    ["", 1, 0x514e28b7],
    ["", 0xffffffff, 0x81f16f39],
    ["ff ff ff ff", 0, 0x76293b50],
    ["21 43 65 87", 0, 0xf55b516b],
    ["21 43 65 87", 0x5082edee, 0x2362f9de],
    ["21 43 65", 0, 0x7e4a8634],
    ["21 43", 0, 0xa0f7b07a],
    ["21", 0, 0x72661cf4],
    ["00 00 00 00", 0, 0x2362f9de],
    ["00 00 00", 0, 0x85f0b427],
    ["00 00", 0, 0x30f4c306],
    ["00", 0, 0x514e28b7],
  ])("hashes bytes %p with seed %p to %p", (hex, seed, hash) => {
    const bytes = hexBytes(hex);
    expect(murmur3(bytes, 0, bytes.length, seed)).toBe(hash);
  });

  test("agrees with an independent implementation on random input of every length to 200", () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = randomBytes(length, length);
      expect(murmur3(bytes, 0, length, length)).toBe(Bun.hash.murmur32v3(bytes, length));
    }
  });

  test("hashes the range alone, whatever is around it", () => {
    const bytes = utf8("xxxHello, world!xxx");
    expect(murmur3(bytes, 3, 16, 0x9747b28c)).toBe(0x24884cba);
  });
});

describe("murmur3String", () => {
  test.each([
    ["test", 0, 0xba6bd213],
    ["Hello, world!", 0, 0xc0363e43],
    ["The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd],
  ])("hashes %p with seed %p to %p", (text, seed, hash) => {
    expect(murmur3String(text, seed)).toBe(hash);
  });

  test.each([
    ["ASCII of every tail length", ["", "a", "ab", "abc", "abcd", "abcde"]],
    ["two, three and four byte characters", ["é", "user-ß", "日本語", "key 🔑 key", "\u{10ffff}"]],
    ["lone surrogates", ["\ud800", "a\udc00b", "\ud800\ud800"]],
    ["text beyond the scratch space", ["é".repeat(1024), "é".repeat(1025), "日".repeat(5000)]],
  ])("equals the hash of the UTF-8 bytes: %s", (_, texts) => {
    for (const text of texts) {
      const bytes = utf8(text);
      expect(murmur3String(text, 99)).toBe(murmur3(bytes, 0, bytes.length, 99));
    }
  });

  test("spreads numbered keys evenly over buckets", () => {
    const buckets = new Uint32Array(64);
    for (let i = 0; i < 64_000; i++) buckets[murmur3String(`user-${i}`, 0) % 64]!++;
    const chiSquare = buckets.reduce((total, seen) => total + (seen - 1000) ** 2 / 1000, 0);
    // 63 degrees of freedom: beyond 131 once in a million.
    expect(chiSquare).toBeLessThan(131);
  });
});
