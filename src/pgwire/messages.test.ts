import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { textOf, utf8 } from "./bytes.ts";
import { FieldReader, readError, readErrorCode } from "./fields.ts";
import { formatLsn, parseLsn } from "./lsn.ts";
import { MessageWriter } from "./message-writer.ts";
import { parsePostgresUrl } from "./postgres-url.ts";
import { writeError, writeParameterStatus, writeReadyForQuery, writeTable } from "./replies.ts";
import { writeClose, writeQuery, writeSaslInitial } from "./requests.ts";
import { message, wire } from "./testing.ts";

function written(write: (writer: MessageWriter) => void): string {
  const writer = new MessageWriter();
  write(writer);
  return Buffer.from(writer.take()).toString("latin1");
}

describe("messages", () => {
  test.each([
    ["a query", (to: MessageWriter) => writeQuery(to, "select 1"), "Q\0\0\0\rselect 1\0"],
    ["a close", (to: MessageWriter) => writeClose(to, "S", "x"), "C\0\0\0\x07Sx\0"],
    ["a status", (to: MessageWriter) => writeParameterStatus(to, "a", "b"), "S\0\0\0\x08a\0b\0"],
    ["ready", (to: MessageWriter) => writeReadyForQuery(to, 73), "Z\0\0\0\x05I"],
    ["SASL", (to: MessageWriter) => writeSaslInitial(to, "M", "xy"), "p\0\0\0\x0cM\0\0\0\0\x02xy"],
    [
      "a table",
      (to: MessageWriter) => writeTable(to, ["a"], [["é"], [null]]),
      "T\0\0\0\x1a\0\x01a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0D\0\0\0\x0c\0\x01\0\0\0\x02Ã©D\0\0\0\x0a\0\x01\xff\xff\xff\xff",
    ],
  ])("%s is written as documented", (_, write, bytes) => {
    expect(written(write)).toBe(bytes);
  });

  test("an error written and read again is the same", () => {
    const error = { severity: "FATAL", code: "57P01", message: "no", detail: "é", hint: "wait" } as const;
    const writer = new MessageWriter();
    writeError(writer, error);
    expect(readError(writer.bytes, 0, writer.length)).toEqual(error);
    expect(readErrorCode(writer.bytes, 0, writer.length)).toBe("57P01");
  });

  test("an error that is cut anywhere, or mutated, is read without an exception", () => {
    const random = seededRandom(31);
    const error = message("E", "SERROR\0C42601\0Msyntax\0\0");
    for (let at = 0; at < error.length; at++) readError(error, 0, at);
    for (let round = 0; round < 5000; round++) {
      const bytes = error.slice();
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
      expect(readError(bytes, 0, bytes.length).code.length).toBeLessThanOrEqual(bytes.length);
    }
  });

  test("fields beyond the end break the reader, not the reading", () => {
    const bytes = wire("ab\0\0\x01");
    const reader = new FieldReader(bytes, 0, bytes.length);
    expect([reader.cstring(), reader.int16(), reader.isBroken]).toEqual(["ab", 1, false]);
    expect([reader.int32(), reader.cstring(), reader.isBroken]).toEqual([0, "", true]);
    expect(new FieldReader(bytes, 0, 2).slice(-1)).toEqual(new Uint8Array(0));
  });

  test.each(["", "a", "é", "x".repeat(40), `${"x".repeat(31)}é`, "日本"])(
    "text %p goes there and back",
    (text) => {
      const bytes = utf8(text);
      expect(textOf(bytes, 0, bytes.length)).toBe(text);
    },
  );

  test.each(["0/0", "0/16B3748", "16/B374D848", "FFFFFFFF/FFFFFFFF"])(
    "the position %s goes there and back",
    (text) => {
      expect(formatLsn(parseLsn(text) ?? -1n)).toBe(text);
    },
  );

  test.each(["", "0", "0/", "0/123456789", "g/1", "0/1 "])("%p is no position", (text) => {
    expect(parseLsn(text)).toBeUndefined();
  });

  test.each([
    [
      "postgres://a:p%40@h:1/d?sslmode=require",
      { host: "h", port: 1, user: "a", password: "p@", database: "d" },
    ],
    ["postgresql://[::1]/", { host: "::1", port: 5432, user: "postgres", database: "postgres" }],
  ])("a URL says where the server is: %p", (text, parts) => {
    expect(parsePostgresUrl(text)).toMatchObject(parts);
  });

  test.each(["mysql://x", "", "postgres://a:%zz@h"])("what is no URL is told in a sentence: %p", (text) => {
    expect(typeof parsePostgresUrl(text)).toBe("string");
  });
});
