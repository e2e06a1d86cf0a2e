import { describe, expect, test } from "bun:test";
import { pack, unpack } from "msgpackr";
import { seededRandom } from "../base/index.ts";
import { randomBytes } from "../base/testing.ts";
import { createCodec, JSON_SERIALIZER, type Serializer } from "./codec.ts";
import { sizeOfValue } from "./settings.ts";

const MSGPACK: Serializer = { letter: "m", encode: pack, decode: unpack };
const VALUES = [
  1,
  "text",
  "ü€😀",
  true,
  null,
  undefined,
  [1, [2]],
  { a: { b: [null, "c"] } },
  "x".repeat(5000),
];

describe.each([
  ["JSON", JSON_SERIALIZER],
  ["msgpackr", MSGPACK],
])("values as bytes by %s", (_, serializer) => {
  const codec = createCodec(serializer, 1024);

  test.each(VALUES.map((value) => [value]))("%p comes back", (value) => {
    expect(codec.decode(codec.encode(value))).toEqual({ value });
  });

  test("what compresses is smaller, what does not is as it was", () => {
    expect(codec.encode("x".repeat(5000)).length).toBeLessThan(200);
    const random = seededRandom(1);
    const noise = Array.from({ length: 400 }, () => String.fromCharCode(0x4e00 + random() * 20_000)).join("");
    const plain = createCodec(serializer, Number.POSITIVE_INFINITY);
    expect(codec.encode(noise).length).toBeLessThanOrEqual(plain.encode(noise).length);
    expect(codec.decode(codec.encode(noise))).toEqual({ value: noise });
  });

  test("bytes that nobody wrote, cut off or changed, are no value or another, and never an exception", () => {
    const whole = codec.encode({ name: "x".repeat(3000) });
    for (let length = 0; length < whole.length; length++) codec.decode(whole.subarray(0, length));
    for (let seed = 0; seed < 2000; seed++) {
      const bytes = randomBytes(40, seed);
      codec.decode(bytes);
      const changed = Uint8Array.from(whole);
      changed[(bytes[0] ?? 0) % changed.length] = bytes[1] ?? 0;
      codec.decode(changed);
    }
    expect(codec.decode(new Uint8Array(0))).toBeUndefined();
  });
});

test("a value that another serializer wrote is not read", () => {
  const [json, msgpack] = [createCodec(JSON_SERIALIZER, 1024), createCodec(MSGPACK, 1024)];
  expect(json.decode(msgpack.encode({ a: 1 }))).toBeUndefined();
  expect(msgpack.decode(json.encode({ a: 1 }))).toBeUndefined();
});

test.each([[""], ["jj"], ["u"], ["\n"], ["é"]])("the letter %j is refused", (letter) => {
  expect(() => createCodec({ ...JSON_SERIALIZER, letter }, 1024)).toThrow("is not one letter");
});

test("the size of a value is about that of its text", () => {
  expect(sizeOfValue("x".repeat(100), "k")).toBeWithin(300, 500);
  expect(sizeOfValue(new Uint8Array(1000), "k")).toBeWithin(1000, 1500);
  expect(sizeOfValue({ a: "x".repeat(1000) }, "k")).toBeWithin(1000, 1500);
  expect(sizeOfValue(1, "k")).toBeWithin(100, 300);
});
