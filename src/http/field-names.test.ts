import { expect, test } from "bun:test";
import { FIELD, FIELD_CODES, fieldCode, wireName } from "./field-names.ts";

const codeOf = (name: string): number => fieldCode(Buffer.from(name, "latin1"), 0, name.length);
const named = Object.entries(FIELD).filter(([, code]) => code > FIELD.lookalike);

test("every known field is found in any case", () => {
  for (const [key, code] of named) {
    expect(codeOf(wireName(key))).toBe(code);
    expect(codeOf(wireName(key).toUpperCase())).toBe(code);
  }
});

test("a known field with an underscore is a lookalike", () => {
  for (const [key] of named.filter(([name]) => wireName(name).includes("-"))) {
    expect(codeOf(wireName(key).replace("-", "_"))).toBe(FIELD.lookalike);
  }
});

test("other names are other fields, however like they are", () => {
  for (const name of [
    "x",
    "hos",
    "hosts",
    "content-lengti",
    "xcontent-length",
    "content-length-",
    "my_own",
    "via1",
  ]) {
    expect([name, codeOf(name)]).toEqual([name, FIELD.other]);
  }
});

test("codes are dense", () => {
  expect(Object.values(FIELD).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: FIELD_CODES }, (_, i) => i) as never,
  );
});
