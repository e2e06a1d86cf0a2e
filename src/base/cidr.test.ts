import { describe, expect, test } from "bun:test";
import { contains, parseCidr, parseIp } from "./cidr.ts";

/** Whether `ip` is in the block that `text` writes. */
function isIn(text: string, ip: string): boolean {
  const block = parseCidr(text);
  if (block === undefined) throw new Error(`${text} did not parse`);
  return contains(block, ip);
}

describe("a block holds", () => {
  test.each([
    ["10.0.0.0/8", "10.255.0.1"],
    ["10.1.2.3/8", "10.9.9.9"],
    ["0.0.0.0/0", "255.255.255.255"],
    ["192.0.2.7", "192.0.2.7"],
    ["192.0.2.128/25", "192.0.2.255"],
    ["10.0.0.0/8", "::ffff:10.1.2.3"],
    ["10.0.0.0/8", "::ffff:a01:203"],
    ["::ffff:10.0.0.0/104", "10.1.2.3"],
    ["2001:db8::/32", "2001:db8:ffff::1"],
    ["2001:db8::/33", "2001:DB8:7fff::1"],
    ["fe80::/10", "fe80::1%eth0"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["::/0", "2001:db8::1"],
  ])("%s holds %s", (text, ip) => {
    expect(isIn(text, ip)).toBe(true);
  });
});

describe("a block does not hold", () => {
  test.each([
    ["10.0.0.0/8", "11.0.0.0"],
    ["192.0.2.7", "192.0.2.8"],
    ["192.0.2.128/25", "192.0.2.127"],
    ["2001:db8::/33", "2001:db8:8000::1"],
    ["0.0.0.0/0", "2001:db8::1"],
    ["0.0.0.0/0", "::1"],
    ["::/0", "10.0.0.1"],
    ["::/0", "::ffff:10.0.0.1"],
    ["0.0.0.0/0", "not an address"],
    ["0.0.0.0/0", ""],
  ])("%s does not hold %s", (text, ip) => {
    expect(isIn(text, ip)).toBe(false);
  });
});

test("every prefix length of both families ends exactly at its bit", () => {
  for (let bits = 1; bits <= 32; bits++) {
    const flipped = (0xffff_ffff ^ (2 ** (32 - bits))) >>> 0;
    const ip = [24, 16, 8, 0].map((shift) => (flipped >>> shift) & 255).join(".");
    expect([isIn(`255.255.255.255/${bits}`, ip), isIn(`255.255.255.255/${bits - 1}`, ip)]).toEqual([
      false,
      true,
    ]);
  }
  for (let bits = 1; bits <= 128; bits++) {
    const group = (bits - 1) >> 4;
    const groups = Array.from({ length: 8 }, (_, at) =>
      (at === group ? 0x8000 >> ((bits - 1) & 15) : 0).toString(16),
    );
    const ip = groups.join(":");
    expect([isIn(`::/${bits}`, ip), isIn(`::/${bits - 1}`, ip)]).toEqual([false, true]);
  }
});

test("an address may be given parsed", () => {
  const block = parseCidr("10.0.0.0/8")!;
  expect(contains(block, parseIp("10.1.1.1")!)).toBe(true);
});

describe("what is no block is refused", () => {
  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "10.0.0",
    "10.0.0.256",
    "10.0.0.01",
    "10.0.0.0.0",
    "0x0a.0.0.1",
    "::/129",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::1",
    "1.2.3.4::1",
    "::1.2.3",
    ":1",
    "1:",
    "localhost",
  ])("%p", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});
