import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { latin1 } from "./bytes.ts";
import { formatDouble } from "./double.ts";
import { ReplyWriter } from "./reply-writer.ts";
import { readReplies, wire, writeRandom } from "./testing.ts";

/** The examples of the RESP3 specification, and what they mean. */
const GOLDEN: readonly (readonly [string, unknown])[] = [
  ["+OK\r\n", "OK"],
  ["-ERR unknown command 'foobar'\r\n", "-ERR unknown command 'foobar'"],
  [":1000\r\n", 1000],
  [":-9223372036854775808\r\n", -9223372036854775808n],
  ["$6\r\nfoobar\r\n", "$foobar"],
  ["$0\r\n\r\n", "$"],
  ["$-1\r\n", null],
  ["*-1\r\n", null],
  ["*3\r\n:1\r\n*1\r\n+x\r\n$-1\r\n", [1, ["x"], null]],
  ["*0\r\n", []],
  ["_\r\n", null],
  ["#t\r\n", true],
  ["#f\r\n", false],
  [",3.14\r\n", 3.14],
  [",inf\r\n", Number.POSITIVE_INFINITY],
  [",-inf\r\n", Number.NEGATIVE_INFINITY],
  [",nan\r\n", Number.NaN],
  ["(3492890328409238509324850943850943825024385\r\n", 3492890328409238509324850943850943825024385n],
  ["!21\r\nSYNTAX invalid syntax\r\n", "-SYNTAX invalid syntax"],
  ["=15\r\ntxt:Some string\r\n", "$Some string"],
  ["%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n", ["first", 1, "second", 2]],
  ["~2\r\n+orange\r\n#t\r\n", ["orange", true]],
  ["|1\r\n+ttl\r\n:3600\r\n*2\r\n:1\r\n|1\r\n+a\r\n*0\r\n:2\r\n", [1, 2]],
  [">2\r\n+message\r\n$2\r\nhi\r\n", { push: ["message", "$hi"] }],
];

describe("replies", () => {
  test.each(GOLDEN)("of the specification: %p", (text, meaning) => {
    expect(readReplies([wire(text)])).toEqual([meaning]);
  });

  test("may be split at every byte", () => {
    const all = wire(GOLDEN.map(([text]) => text).join(""));
    const meanings = GOLDEN.map(([, meaning]) => meaning);
    for (let at = 0; at <= all.length; at++)
      expect(readReplies([all.subarray(0, at), all.subarray(at)])).toEqual(meanings);
    expect(readReplies(Array.from(all, (byte) => Uint8Array.of(byte)))).toEqual(meanings);
  });

  test.each([
    ["@x\r\n", 'mistake: unknown kind of value "@"'],
    ["$5\r\nabcdexx", "mistake: a bulk string does not end where it should"],
    ["$-2\r\n", "mistake: invalid bulk length"],
    ["*99999999999\r\n", "mistake: invalid aggregate length"],
    ["*1\r\n".repeat(65), "mistake: aggregates are nested too deep"],
    ["+a\rb", "mistake: CR without LF"],
    ["#x\r\n", "mistake: a boolean is t or f"],
    ["HTTP/1.1 400 Bad Request\r\n", 'mistake: unknown kind of value "H"'],
    [`+${"x".repeat(70_000)}`, "mistake: a line is too long"],
  ])("that are malformed are refused: %p", (text, mistake) => {
    expect(readReplies([wire(text)])).toEqual([mistake]);
  });

  test("a string that comes in many pieces is put together", () => {
    const text = "x".repeat(3_000_000);
    const bytes = wire(`$${text.length}\r\n${text}\r\n:1\r\n`);
    const pieces = Array.from({ length: 31 }, (_, i) => bytes.subarray(i * 100_000, (i + 1) * 100_000));
    expect(readReplies(pieces)).toEqual([`$${text}`, 1]);
  });

  test("written and read again are the same, split anywhere", () => {
    const random = seededRandom(3);
    for (let round = 0; round < 500; round++) {
      const writer = new ReplyWriter();
      writer.protocol = 3;
      const meanings = Array.from({ length: 5 }, () => writeRandom(writer, random));
      const bytes = writer.bytes.slice(0, writer.length);
      const at = Math.floor(random() * bytes.length);
      expect(readReplies([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(meanings);
    }
  });

  test("10,000 mutations end in values or in a mistake, the same however they are split", () => {
    const random = seededRandom(5);
    const all = wire(GOLDEN.map(([text]) => text).join(""));
    for (let round = 0; round < 10_000; round++) {
      const bytes = all.slice();
      for (let i = 0; i < 1 + random() * 3; i++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      const at = Math.floor(random() * bytes.length);
      expect(readReplies([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(readReplies([bytes]));
    }
  });

  test("RESP2 gets what Redis sends for what it does not know", () => {
    const writer = new ReplyWriter();
    writer.null();
    writer.map(1);
    writer.set(1);
    writer.double(0.1);
    writer.boolean(true);
    writer.verbatim("x");
    writer.push(2);
    const text = "$-1\r\n*2\r\n*1\r\n$19\r\n0.10000000000000001\r\n:1\r\n$1\r\nx\r\n*2\r\n";
    expect(latin1(writer.bytes, 0, writer.length)).toBe(text);
  });

  test.each([
    [0.1, "0.10000000000000001"],
    [3, "3"],
    [-0, "-0"],
    [1e17, "1e+17"],
    [1.5e-7, "1.4999999999999999e-07"],
    [123456789.123, "123456789.123"],
    [1e16, "10000000000000000"],
    [5e-324, "4.9406564584124654e-324"],
    [0.0001, "0.0001"],
    [Number.NEGATIVE_INFINITY, "-inf"],
  ])("a double is written as C writes it: %p", (value, text) => {
    expect(formatDouble(value)).toBe(text);
  });
});
