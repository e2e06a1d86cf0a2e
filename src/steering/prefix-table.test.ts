import { describe, expect, test } from "bun:test";
import { contains, parseCidr, seededRandom } from "../base/index.ts";
import { PrefixTable } from "./prefix-table.ts";

const TABLE = new PrefixTable([
  { name: "eu", prefixes: ["10.0.0.0/8", "::/0"] },
  { name: "us", prefixes: ["10.1.0.0/16", "2001:db8::/32"] },
  { name: "ap", prefixes: ["10.1.128.0/17", "10.1.0.7"] },
]);

describe("the region of an address", () => {
  test("is that of the longest prefix that has it", () => {
    const rows: [ip: string, region: string | undefined, prefix: string | undefined][] = [
      ["10.255.0.1", "eu", "10.0.0.0/8"],
      ["10.1.1.1", "us", "10.1.0.0/16"],
      ["10.1.128.0", "ap", "10.1.128.0/17"],
      ["10.1.0.7", "ap", "10.1.0.7"],
      ["10.1.0.8", "us", "10.1.0.0/16"],
      ["2001:db8::9", "us", "2001:db8::/32"],
      ["fe80::1", "eu", "::/0"],
      ["::ffff:10.1.1.1", "us", "10.1.0.0/16"],
      ["11.0.0.0", undefined, undefined],
    ];
    for (const [ip, region, prefix] of rows)
      expect([ip, TABLE.find(ip)]).toMatchObject([ip, { region, prefix }]);
  });

  test("holds for a block around it in which nothing else counts, and no larger one", () => {
    // Of 10/8 half is beside 10.128/9, which nothing divides; 10.0/16 is beside 10.1/16.
    const rows: [ip: string, scope: number][] = [
      ["10.200.0.1", 9],
      ["10.0.3.1", 16],
      ["10.1.64.1", 18],
      ["10.1.0.7", 32],
      ["10.1.0.6", 32],
      ["10.1.200.1", 17],
      ["12.0.0.1", 6],
      ["2001:db8::1", 32],
    ];
    for (const [ip, scope] of rows) expect([ip, TABLE.find(ip)?.scope]).toEqual([ip, scope]);
  });

  test("holds for all when there are no prefixes, and for text that is no address there is none", () => {
    const empty = new PrefixTable([{ name: "eu", prefixes: [] }]);
    expect(empty.find("1.2.3.4")).toEqual({ region: undefined, prefix: undefined, scope: 0 });
    expect(TABLE.find("nowhere")).toBeUndefined();
  });

  test("prefixes of one region beside each other widen the scope", () => {
    const table = new PrefixTable([{ name: "eu", prefixes: ["10.0.0.0/9", "10.128.0.0/9"] }]);
    expect(table.find("10.3.0.1")?.scope).toBe(8);
  });

  test("is what a search of all prefixes finds, and so for every address of its scope", () => {
    const random = seededRandom(11);
    const byte = (): number => Math.floor(random() * 4);
    const regions = ["a", "b", "c"].map((name) => ({
      name,
      prefixes: [...new Set(Array.from({ length: 12 }, () => block(random, byte)))],
    }));
    const owners = new Map(regions.flatMap(({ name, prefixes }) => prefixes.map((text) => [text, name])));
    const unique = regions.map(({ name, prefixes }) => ({
      name,
      prefixes: prefixes.filter((text) => owners.get(text) === name),
    }));
    const table = new PrefixTable(unique);
    const slow = (ip: string): string | undefined => {
      const fitting = [...owners.keys()].filter((text) => contains(parseCidr(text)!, ip));
      const [longest] = fitting.toSorted((a, b) => parseCidr(b)!.prefixBits - parseCidr(a)!.prefixBits);
      return longest === undefined ? undefined : owners.get(longest);
    };
    for (let round = 0; round < 500; round++) {
      const ip = [byte(), byte(), byte(), byte()].join(".");
      const found = table.find(ip);
      expect([ip, found?.region]).toEqual([ip, slow(ip)]);
      const near = parseCidr(`${ip}/${found?.scope}`)!.network[3];
      const other = (near | Math.floor(random() * 2 ** (32 - (found?.scope ?? 32)))) >>> 0;
      const otherIp = [24, 16, 8, 0].map((shift) => (other >>> shift) & 255).join(".");
      expect([ip, otherIp, slow(otherIp)]).toEqual([ip, otherIp, found?.region]);
    }
  });
});

/** A block of addresses whose bytes are small, so that many lie within each other. */
function block(random: () => number, byte: () => number): string {
  const bits = 4 + Math.floor(random() * 29);
  const value = [byte(), byte(), byte(), byte()].reduce((word, part) => word * 256 + part, 0);
  const kept = (value & (bits === 0 ? 0 : -1 << (32 - bits))) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (kept >>> shift) & 255).join(".")}/${bits}`;
}
