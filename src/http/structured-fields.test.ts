import { expect, test } from "bun:test";
import { type BareItem, type Member, parseDictionary, parseItem, parseList } from "./structured-fields.ts";
import { writeDictionary, writeItem, writeList } from "./structured-fields-write.ts";

const valueOf = (text: string): BareItem | undefined => parseItem(text)?.value;

const ITEMS: readonly (readonly [string, BareItem])[] = [
  ["42", { kind: "integer", value: 42 }],
  ["  42  ", { kind: "integer", value: 42 }],
  ["-0", { kind: "integer", value: 0 }],
  ["0042", { kind: "integer", value: 42 }],
  ["999999999999999", { kind: "integer", value: 999_999_999_999_999 }],
  ["-999999999999999", { kind: "integer", value: -999_999_999_999_999 }],
  ["1.5", { kind: "decimal", value: 1.5 }],
  ["-00.123", { kind: "decimal", value: -0.123 }],
  ["123456789012.1", { kind: "decimal", value: 123_456_789_012.1 }],
  ['"a b"', { kind: "string", value: "a b" }],
  ['"a \\"b\\\\"', { kind: "string", value: 'a "b\\' }],
  ['""', { kind: "string", value: "" }],
  ["a_b-c3/*", { kind: "token", value: "a_b-c3/*" }],
  ["*a:b", { kind: "token", value: "*a:b" }],
  [":aGVsbG8=:", { kind: "bytes", value: Buffer.from("hello") }],
  [":aGVsbG8:", { kind: "bytes", value: Buffer.from("hello") }],
  ["?1", { kind: "boolean", value: true }],
  ["?0", { kind: "boolean", value: false }],
  ["@1659578233", { kind: "date", value: 1_659_578_233 }],
  ["@-62135596800", { kind: "date", value: -62_135_596_800 }],
  ['%"f%c3%bc%c3%bc"', { kind: "display-string", value: "füü" }],
];

test.each(ITEMS)("%j is an item", (text, value) => {
  expect(valueOf(text)).toEqual(value);
});

test.each([
  ["", "nothing"],
  ["\t42", "a tab before it"],
  ["4 2", "two items"],
  ["42 \t", "a tab after it"],
  ["1000000000000000", "16 digits"],
  ["1.", "no digit after the point"],
  [".1", "no digit before the point"],
  ["1.1234", "four digits after the point"],
  ["1234567890123.1", "13 digits before the point"],
  ["--1", "two signs"],
  ["- 1", "a blank after the sign"],
  ["1.1.1", "two points"],
  ['"a', "an open string"],
  ['"a\\x"', "an escape of another letter"],
  ['"a\tb"', "a control character in a string"],
  ['"ü"', "a string beyond ASCII"],
  ["'a'", "single quotes"],
  [":a-b:", "the URL alphabet of base64"],
  [":aGVsbG8", "open bytes"],
  ["?2", "no boolean"],
  ["?", "half a boolean"],
  ["@1.5", "a broken date"],
  ["@x", "a date that is no number"],
  ['%"%C3%BC"', "capital hexadecimal digits"],
  ['%"%ff"', "bytes that are no UTF-8"],
  ["a;B=1", "a key with capitals"],
  ["a;=1", "no key"],
  ["a;b=", "no value"],
  ["a ;b", "a blank before a semicolon"],
  ["a, b", "a list"],
])("%j is no item: %s", (text) => {
  expect(parseItem(text)).toBeUndefined();
});

test("parameters keep their last value and the place of their key", () => {
  const item = parseItem("text/html;  charset=utf-8;q=0.5;charset=latin1;x");
  expect([...(item?.parameters ?? [])]).toEqual([
    ["charset", { kind: "token", value: "latin1" }],
    ["q", { kind: "decimal", value: 0.5 }],
    ["x", { kind: "boolean", value: true }],
  ]);
});

test.each([
  ["", 0],
  ["  ", 0],
  ["a", 1],
  ["a,b", 2],
  ["a ,\t b", 2],
  ["(), (a), (a b);q=1", 3],
  ["(  a   b  )", 1],
  ['"a, b", (c "d, e")', 2],
])("%j is a list of %d", (text, size) => {
  expect(parseList(text)?.length).toBe(size);
});

test.each([",", "a,", "a,,b", "a b", "(a", "(a,b)", "(a(b))", "()a", "(a\tb)", '"a"b'])(
  "%j is no list",
  (text) => {
    expect(parseList(text)).toBeUndefined();
  },
);

test("a key of a dictionary without a value is true, with parameters or without", () => {
  const members = parseDictionary("a, b;x=1, c=?0, d=(1 2), *e_-.1=tok");
  expect([...(members ?? new Map<string, Member>()).keys()]).toEqual(["a", "b", "c", "d", "*e_-.1"]);
  expect(members?.get("a")).toEqual({
    kind: "item",
    value: { kind: "boolean", value: true },
    parameters: new Map(),
  });
  expect(members?.get("d")?.kind).toBe("inner-list");
});

test("a key that comes again keeps its last value", () => {
  const members = parseDictionary("a=1, b=2, a=3");
  expect(members?.size).toBe(2);
  expect(members?.get("a")).toMatchObject({ value: { value: 3 } });
});

test.each(["A=1", "max-age =1", "max-age= 1", "a=1, &&&", "a=1,", "=1", "a==1", "a=1 b=2", "1=a"])(
  "%j is no dictionary",
  (text) => {
    expect(parseDictionary(text)).toBeUndefined();
  },
);

test.each(ITEMS)("%j survives writing and reading", (text, value) => {
  const written = writeItem({ kind: "item", value, parameters: new Map() });
  expect(written).toBeDefined();
  expect(valueOf(written ?? "")).toEqual(valueOf(text));
});

test.each([
  ["a;b;c=1", "a;b;c=1"],
  ["a ,b;x=?1 ,(c   d);e", "a, b;x, (c d);e"],
  ["1.0, 1.50, -0.001", "1.0, 1.5, -0.001"],
])("the list %j is written as %j", (text, written) => {
  expect(writeList(parseList(text) ?? [])).toBe(written);
});

test("a dictionary is written with bare keys for what is true", () => {
  const members = parseDictionary("a=?1, b=?0, c=(1);p, d=?1;q") ?? new Map<string, Member>();
  expect(writeDictionary(members)).toBe("a, b=?0, c=(1);p, d;q");
});

const item = (value: BareItem, key = "k"): Member => ({
  kind: "item",
  value,
  parameters: new Map([[key, { kind: "boolean", value: true }]]),
});

test.each([
  [0.0005, "0.0"],
  [0.0015, "0.002"],
  [2.0025, "2.002"],
  [9.9999, "10.0"],
])("the decimal %d is rounded to %s", (value, text) => {
  expect(writeList([item({ kind: "decimal", value })])).toBe(`${text};k`);
});

test.each<[string, Member]>([
  ["a token with a blank", item({ kind: "token", value: "a b" })],
  ["a string beyond ASCII", item({ kind: "string", value: "ü" })],
  ["an integer of 16 digits", item({ kind: "integer", value: 1e15 })],
  ["a fraction as an integer", item({ kind: "integer", value: 1.5 })],
  ["a decimal of 13 digits", item({ kind: "decimal", value: 1e12 })],
  ["half a character", item({ kind: "display-string", value: "\ud800" })],
  ["a parameter with capitals", item({ kind: "token", value: "a" }, "K")],
])("%s has no form on the wire", (_, member) => {
  expect(writeList([member])).toBeUndefined();
  expect(writeDictionary(new Map([["a", member]]))).toBeUndefined();
});
