import { expect, test } from "bun:test";
import { historyName, parseSegmentName, segmentName, segmentOf, segmentStart } from "./wal-file.ts";

test("a segment's name and number are each other's, over the edge of a log", () => {
  for (const [name, number] of [
    ["000000010000000000000001", 1n],
    ["0000000A00000000000000FF", 255n],
    ["000000010000000100000000", 256n],
  ] as const) {
    const segment = { timeline: Number.parseInt(name.slice(0, 8), 16), number };
    expect([segmentName(segment), parseSegmentName(name)]).toEqual([name, segment]);
    expect(segmentOf(segmentStart(number))).toBe(number);
  }
});

test("other files are no segments", () => {
  const names = [
    "00000002.history",
    "000000010000000000000001.partial",
    "archive_status",
    "00000001000000000000000g",
  ];
  expect(names.map(parseSegmentName)).toEqual([undefined, undefined, undefined, undefined]);
  expect(historyName(10)).toBe("0000000A.history");
});
