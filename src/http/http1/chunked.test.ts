import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { ChunkedScanner, type ChunkMode } from "./chunked.ts";
import type { ChunkMistake } from "./syntax-errors.ts";
import { bytesOf } from "./testing.ts";

interface Scanned {
  kept: string;
  rest: string;
  done: boolean;
  error: string | undefined;
  dataBytes: number;
}

/** Feeds `raw` in pieces that end at `cuts`, and collects what may be forwarded. */
function scan(raw: string, mode: ChunkMode = "framing", cuts: readonly number[] = []): Scanned {
  const scanner = new ChunkedScanner(mode);
  const bytes = bytesOf(raw);
  let kept = "";
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    while (at < end && !scanner.done && scanner.error === undefined) {
      const next = scanner.scan(bytes, at, end);
      if (next < 0) break;
      for (let i = 0; i < scanner.segmentCount; i++) {
        kept += bytes.toString("latin1", scanner.segments[i * 2], scanner.segments[i * 2 + 1]);
      }
      at = next;
    }
  }
  const { done, error, dataBytes } = scanner;
  return { kept, rest: raw.slice(at), done, error, dataBytes };
}

const VALID: readonly (readonly [raw: string, framing: string, data: string])[] = [
  ["0\r\n\r\n", "0\r\n\r\n", ""],
  ["5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"],
  ["A\r\n0123456789\r\n1\r\n\n\r\n000\r\n\r\n", "A\r\n0123456789\r\n1\r\n\n\r\n000\r\n\r\n", "0123456789\n"],
  [
    "000000000000000a\r\n0123456789\r\n0\r\n\r\n",
    "000000000000000a\r\n0123456789\r\n0\r\n\r\n",
    "0123456789",
  ],
  ["2\r\n\r\n\r\n0\r\n\r\n", "2\r\n\r\n\r\n0\r\n\r\n", "\r\n"],
  ['3;a=b;c="d;e"\r\nabc\r\n0;z\r\n\r\n', "3\r\nabc\r\n0\r\n\r\n", "abc"],
  ["1\r\nx\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "x"],
  ["1;a\r\nx\r\n0;b\r\nHost:\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "x"],
];

describe("a chunked body", () => {
  test.each(VALID)("%j is kept as %j, its data as %j", (raw, framing, data) => {
    expect(scan(raw)).toEqual({
      kept: framing,
      rest: "",
      done: true,
      error: undefined,
      dataBytes: data.length,
    });
    expect(scan(raw, "data")).toMatchObject({ kept: data, done: true, dataBytes: data.length });
  });

  test("is kept the same however it is split", () => {
    for (const [raw, framing, data] of VALID) {
      const everywhere = Array.from({ length: raw.length }, (_, i) => i);
      for (const cuts of [everywhere, ...everywhere.map((cut) => [cut])]) {
        expect(scan(raw, "framing", cuts)).toMatchObject({ kept: framing, done: true });
        expect(scan(raw, "data", cuts)).toMatchObject({ kept: data, done: true });
      }
    }
  });

  test("without extensions and trailers is one segment", () => {
    const scanner = new ChunkedScanner();
    const bytes = bytesOf("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
    expect(scanner.scan(bytes, 0, bytes.length)).toBe(bytes.length);
    expect([scanner.segmentCount, scanner.segments[0], scanner.segments[1]]).toEqual([1, 0, bytes.length]);
  });

  test("ends at its last byte and leaves the next request", () => {
    expect(scan("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n")).toMatchObject({
      done: true,
      rest: "GET / HTTP/1.1\r\n",
    });
  });

  test("is unfinished at every prefix", () => {
    for (const [raw] of VALID) {
      for (let end = 0; end < raw.length; end++) {
        expect(scan(raw.slice(0, end))).toMatchObject({ done: false, error: undefined, rest: "" });
      }
    }
  });

  test("with more extensions than segments is given in several calls", () => {
    const raw = `${"1;a\r\nx\r\n".repeat(500)}0\r\n\r\n`;
    expect(scan(raw)).toMatchObject({
      kept: `${"1\r\nx\r\n".repeat(500)}0\r\n\r\n`,
      done: true,
      dataBytes: 500,
    });
    expect(scan(raw, "data").kept).toBe("x".repeat(500));
  });

  test("of gigabytes costs no more than its framing", () => {
    const scanner = new ChunkedScanner();
    const data = Buffer.alloc(1 << 20);
    scanner.scan(bytesOf("100000000\r\n"), 0, 11);
    for (let i = 0; i < 4096; i++) expect(scanner.scan(data, 0, data.length)).toBe(data.length);
    expect([scanner.dataBytes, scanner.done]).toEqual([2 ** 32, false]);
  });
});

const REFUSED: Record<ChunkMistake, string[]> = {
  "chunk-size-malformed": [
    "\r\n",
    "0x5\r\n",
    "+5\r\n",
    "-1\r\n",
    "1_0\r\n",
    " 5\r\n",
    "5 \r\n",
    "5 ;a\r\n",
    "5\t\r\n",
    "g\r\n",
    ";a\r\n",
    "5.\r\n",
    "5\0\r\n",
    "\xb5\r\n",
    "5\r\nhello\r\n\r\n0\r\n\r\n",
    "1these\r\nZ\r\n0\r\n\r\n",
    "5\r\nhello\r\n \r\n",
  ],
  "chunk-size-too-large": [
    "FFFFFFFFFFFFFFFF0\r\n",
    "00000000000000001\r\n",
    "20000000000000\r\n",
    "ffffffffffffffff\r\n",
  ],
  "chunk-line-ending": [
    "5\nhello\r\n",
    "5\rhello\r\n",
    "5\r\rhello",
    "5;a\nhello\r\n",
    "5;a\rX\r\nhello",
    "41;a=b\r\rX",
    "0\r\n\rX",
    "0\r\n\r\r\n",
    "0\n\n",
  ],
  "chunk-data-unterminated": [
    "5\r\nhello0\r\n\r\n",
    "5\r\nhello!!\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\rX",
    "5\r\nhello\r\r\n",
    "a\r\n0123456789\n0\r\n\r\n",
  ],
  "chunk-extension-malformed": [
    "5;\r\nhello\r\n",
    "5;\nhello",
    "5; a\r\n",
    "5;\0ext\r\n",
    "5;a\0\r\n",
    "5;a\x7f\r\n",
    "5;=b\r\n",
    "5;a\x0b\r\n",
  ],
  "chunk-extension-too-long": [`5;a=${"b".repeat(256)}\r\n`, `5;a=${"b".repeat(70000)}`],
  "trailer-malformed": [
    "0\r\n\n",
    "0\r\nX\r\n\r\n",
    "0\r\n X: y\r\n\r\n",
    "0\r\nX : y\r\n\r\n",
    "0\r\n: y\r\n\r\n",
    "0\r\nX: y\0\r\n\r\n",
    "0\r\nX: y\n\r\n",
    "0\r\nX: y\r\r\n",
    "0\r\nX: a\r\n b\r\n\r\n",
    "0\r\nGET / HTTP/1.1\r\n\r\n",
    "0\r\nX: y\r\n\n",
  ],
  "trailer-too-large": [`0\r\nX: ${"a".repeat(8192)}\r\n\r\n`, `0\r\n${"X: y\r\n".repeat(2000)}`],
};

describe("a chunked body is refused", () => {
  for (const [code, cases] of Object.entries(REFUSED)) {
    test(`as ${code}, at once and byte by byte`, () => {
      for (const raw of cases) {
        const everywhere = Array.from({ length: Math.min(raw.length, 400) }, (_, i) => i);
        expect([raw, scan(raw).error]).toEqual([raw, code]);
        expect([raw, scan(raw, "data", everywhere).error]).toEqual([raw, code]);
      }
    });
  }
});

test("what is kept of any mutant scans to the same data", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 20_000; i++) {
    const [raw] = VALID[Math.floor(random() * VALID.length)]!;
    const bytes = bytesOf(raw);
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const mutant = bytes.toString("latin1");
    const first = scan(mutant);
    if (!first.done) continue;
    const again = scan(first.kept);
    expect(again).toMatchObject({ kept: first.kept, done: true, rest: "", dataBytes: first.dataBytes });
    expect(scan(first.kept, "data").kept).toBe(scan(mutant, "data").kept);
  }
});

test("a scanner is as new after reset", () => {
  const scanner = new ChunkedScanner();
  scanner.scan(bytesOf("5\r\nhe"), 0, 5);
  scanner.reset("data");
  const bytes = bytesOf("1\r\nx\r\n0\r\n\r\n");
  expect(scanner.scan(bytes, 0, bytes.length)).toBe(bytes.length);
  expect([scanner.done, scanner.dataBytes, scanner.segmentCount]).toEqual([true, 1, 1]);
});
