import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { bytesOf, latin1 } from "../../resp/index.ts";
import { copyBytes, Dict } from "./dict.ts";
import { halfSipHash } from "./siphash.ts";
import { Slab } from "./slab.ts";

const SECRET = { low: 1, high: 2 };

describe("HalfSipHash", () => {
  test("gives the vectors of the reference code for 2 and 4 rounds", () => {
    const key = { low: 0x0302_0100, high: 0x0706_0504 };
    const hashes = [0, 1, 2].map((length) => {
      const bytes = Uint8Array.from({ length }, (_, i) => i);
      return (halfSipHash(bytes, 0, length, key, 2, 4) >>> 0).toString(16);
    });
    expect(hashes).toEqual(["5b9f35a9", "b85a4727", "3a662fa"]);
  });
});

describe("a slab", () => {
  test("gives blocks that never overlap, and counts them honestly", () => {
    const slab = new Slab();
    const random = seededRandom(1);
    const blocks = new Map<number, { size: number; mark: number }>();
    for (let step = 0; step < 30_000; step++) {
      if (random() < 0.55 || blocks.size === 0) {
        const size = 4 + Math.floor(random() ** 4 * 20_000);
        const ref = slab.allocate(size);
        expect(blocks.has(ref)).toBe(false);
        expect(slab.capacity(ref)).toBeGreaterThanOrEqual(size);
        const mark = step & 0xff;
        slab.bytes(ref).fill(mark, slab.offset(ref), slab.offset(ref) + size);
        blocks.set(ref, { size, mark });
      } else {
        const [ref = 0] = blocks.keys();
        const block = blocks.get(ref);
        const start = slab.offset(ref);
        const bytes = slab.bytes(ref).subarray(start, start + (block?.size ?? 0));
        expect(bytes.every((byte) => byte === block?.mark)).toBe(true);
        slab.release(ref);
        blocks.delete(ref);
      }
    }
    const used = [...blocks.keys()].reduce((sum, ref) => sum + slab.capacity(ref), 0);
    expect(slab.usedBytes).toBe(used);
    for (const ref of blocks.keys()) slab.release(ref);
    expect(slab.usedBytes).toBe(0);
  });

  test("gives empty pages to other sizes: memory does not grow when all is released in between", () => {
    const slab = new Slab();
    for (const size of [24, 100, 1000, 5000]) {
      const refs = Array.from({ length: Math.ceil(2_000_000 / size) }, () => slab.allocate(size));
      for (const ref of refs) slab.release(ref);
    }
    expect(slab.reservedBytes).toBeLessThan(4_000_000);
  });
});

function newDict(shardBits = 2): { dict: Dict; slab: Slab; weight: { bytes: number } } {
  const slab = new Slab();
  const weight = { bytes: 0 };
  return { dict: new Dict(slab, SECRET, shardBits, weight), slab, weight };
}

function put(dict: Dict, key: string, value: string): void {
  const [k, v] = [bytesOf(key), bytesOf(value)];
  const found = dict.find(k, 0, k.length);
  const ref = found === 0 ? dict.insert(k, 0, k.length, v.length) : dict.resize(found, v.length);
  dict.open(ref);
  copyBytes(v, 0, v.length, dict.bytes, dict.valueStart);
}

function get(dict: Dict, key: string): string | undefined {
  const k = bytesOf(key);
  return dict.find(k, 0, k.length) === 0 ? undefined : latin1(dict.bytes, dict.valueStart, dict.valueEnd);
}

function drop(dict: Dict, key: string): void {
  const k = bytesOf(key);
  const ref = dict.find(k, 0, k.length);
  if (ref !== 0) dict.remove(ref);
}

describe("a dict", () => {
  test("says the same as a Map after 60,000 random changes, expiries included", () => {
    const { dict, slab } = newDict();
    const map = new Map<string, string>();
    const expiries = new Map<string, number>();
    const random = seededRandom(2);
    for (let step = 0; step < 60_000; step++) {
      const key = `key:${Math.floor(random() * 3000)}`;
      const draw = random();
      if (draw < 0.5) {
        const value = "v".repeat(Math.floor(random() ** 6 * 30_000));
        put(dict, key, value);
        map.set(key, value);
      } else if (draw < 0.7) {
        drop(dict, key);
        map.delete(key);
        expiries.delete(key);
      } else if (draw < 0.85 && map.has(key)) {
        const atMs = random() < 0.3 ? 0 : Math.floor(random() * 2 ** 45);
        dict.setExpiry(dict.find(bytesOf(key), 0, key.length), atMs);
        expiries.set(key, atMs);
      } else {
        expect(get(dict, key)).toBe(map.get(key));
        const ref = dict.find(bytesOf(key), 0, key.length);
        if (ref !== 0) expect(dict.expiry(ref)).toBe(expiries.get(key) ?? 0);
      }
    }
    expect(dict.size).toBe(map.size);
    expect(dict.expiring).toBe([...expiries.values()].filter((atMs) => atMs > 0).length);
    for (const key of map.keys()) drop(dict, key);
    expect([dict.size, dict.expiring, slab.usedBytes]).toEqual([0, 0, 0]);
  });

  test("shrinks again, and gives all memory back when it is disposed of", () => {
    const { dict, weight } = newDict();
    for (let i = 0; i < 50_000; i++) put(dict, `k${i}`, "");
    const full = weight.bytes;
    for (let i = 0; i < 49_900; i++) drop(dict, `k${i}`);
    expect(weight.bytes).toBeLessThan(full / 20);
    dict.dispose();
    expect(weight.bytes).toBe(0);
  });

  test("a scan finds every key that is there all the time, while others come and go", () => {
    const random = seededRandom(3);
    for (let round = 0; round < 12; round++) {
      const { dict } = newDict(round % 4);
      const stay = Array.from({ length: 500 }, (_, i) => `stay:${i}`);
      for (const key of stay) put(dict, key, "");
      const seen = new Set<string>();
      let cursor = 0;
      let grows = random() < 0.5;
      do {
        cursor = dict.scan(cursor, 7, (ref) => {
          dict.open(ref);
          seen.add(latin1(dict.bytes, dict.keyStart, dict.valueStart));
        });
        if (random() < 0.02) grows = !grows;
        for (let i = 0; i < 60; i++) {
          const other = `other:${Math.floor(random() * 20_000)}`;
          if (grows) put(dict, other, "");
          else drop(dict, other);
        }
      } while (cursor !== 0);
      expect(stay.filter((key) => !seen.has(key))).toEqual([]);
    }
  });

  test("a scan of a table at rest visits each key once", () => {
    const { dict } = newDict(3);
    for (let i = 0; i < 10_000; i++) put(dict, `k${i}`, "");
    let visits = 0;
    let calls = 0;
    for (let cursor = 0; calls === 0 || cursor !== 0; calls++) cursor = dict.scan(cursor, 10, () => visits++);
    expect(visits).toBe(10_000);
    expect(calls).toBeGreaterThan(500);
  });

  test("draws keys about evenly", () => {
    const { dict } = newDict();
    for (let i = 0; i < 100; i++) put(dict, `k${i}`, "");
    const random = seededRandom(4);
    const counts = new Map<number, number>();
    for (let i = 0; i < 100_000; i++) {
      const ref = dict.random(random());
      counts.set(ref, (counts.get(ref) ?? 0) + 1);
    }
    expect(counts.size).toBe(100);
    expect(Math.max(...counts.values())).toBeLessThan(10_000);
  });
});
