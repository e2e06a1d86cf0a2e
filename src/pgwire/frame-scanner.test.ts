import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { FrameScanner } from "./frame-scanner.ts";
import { BACKEND_FRAMES, FRONTEND_FRAMES, type FrameTable } from "./messages.ts";
import { joined, message, randomStream, scan, wire } from "./testing.ts";

/** The answer to a simple query, as a server sends it. */
const ANSWER = joined([
  message("T", "\0\x01?column?\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"),
  message("D", "\0\x01\0\0\0\x011"),
  message("D", "\0\x01\0\0\0\x012"),
  message("C", "SELECT 2\0"),
  message("Z", "I"),
]);
const ANSWER_FRAMES = ["T\0\0\0!+29/34", "C\0\0\0\rSELECT 2\0+0/14", "Z\0\0\0\x05I+0/6"];

const tables: readonly (readonly [string, FrameTable])[] = [
  ["a client", FRONTEND_FRAMES],
  ["a server", BACKEND_FRAMES],
];

describe("frames", () => {
  test("that matter are handed over, the others are passed, and nothing is lost", () => {
    const { frames, bytes, mistake } = scan(new FrameScanner(BACKEND_FRAMES), [ANSWER]);
    expect(frames).toEqual(ANSWER_FRAMES);
    expect(bytes).toEqual(ANSWER);
    expect(mistake).toBeUndefined();
  });

  test("may be split at every byte", () => {
    for (let at = 0; at <= ANSWER.length; at++) {
      const scanned = scan(new FrameScanner(BACKEND_FRAMES), [ANSWER.subarray(0, at), ANSWER.subarray(at)]);
      expect(scanned).toEqual({ frames: ANSWER_FRAMES, bytes: ANSWER, mistake: undefined });
    }
    const single = scan(
      new FrameScanner(BACKEND_FRAMES),
      Array.from(ANSWER, (byte) => Uint8Array.of(byte)),
    );
    expect(single.frames).toEqual(ANSWER_FRAMES);
  });

  test.each([
    ["a length of 3", "Q\0\0\0\x03", 'invalid length 3 of a message of type "Q"'],
    ["a length of 2^31", "Q\x80\0\0\0", 'invalid length -2147483648 of a message of type "Q"'],
    ["a length of 2^32 - 1", "d\xff\xff\xff\xff", 'invalid length -1 of a message of type "d"'],
    ["a Sync with a body", "S\0\0\0\x05x", 'invalid length 5 of a message of type "S"'],
    ["a type that is none", "!\0\0\0\x04", 'unknown message type "!"'],
    ["a type that cannot be printed", "\0\0\0\0\x04", "unknown message type 0x0"],
  ])("are refused: %s", (_, text, mistake) => {
    const bytes = wire(text);
    expect(scan(new FrameScanner(FRONTEND_FRAMES), [bytes]).mistake).toBe(mistake);
    expect(scan(new FrameScanner(FRONTEND_FRAMES), [bytes.subarray(0, 2), bytes.subarray(2)]).mistake).toBe(
      mistake,
    );
  });

  test("of a length that is only announced take no memory", () => {
    const scanner = new FrameScanner(FRONTEND_FRAMES);
    scan(scanner, [wire("Q\x3f\0\0\0SELECT")]);
    expect(scanner.heldBytes).toBe(11);
  });

  test("that are long are handed over by their beginning, the rest is passed", () => {
    const long = message("B", "x".repeat(100_000));
    const { frames, bytes } = scan(new FrameScanner(FRONTEND_FRAMES), [
      long.subarray(0, 50),
      long.subarray(50),
    ]);
    expect(frames).toEqual([`${Buffer.from(long.subarray(0, 4096)).toString("latin1")}+95909/100005`]);
    expect(bytes).toEqual(long);
  });

  test.each(tables)(
    "of %s, 500 random streams split at random are found as when they come whole",
    (_, table) => {
      const random = seededRandom(17);
      for (let round = 0; round < 500; round++) {
        const stream = randomStream(table, random);
        const whole = scan(new FrameScanner(table), [stream]);
        const cuts = Array.from({ length: 4 }, () => Math.floor(random() * stream.length)).toSorted(
          (a, b) => a - b,
        );
        const pieces = [0, ...cuts].map((from, i) => stream.subarray(from, cuts[i] ?? stream.length));
        expect(scan(new FrameScanner(table), pieces)).toEqual(whole);
        expect(whole.bytes).toEqual(stream);
      }
    },
  );

  test.each(tables)(
    "of %s, 10,000 mutations end in frames or a mistake, however they are split",
    (_, table) => {
      const random = seededRandom(19);
      const stream = randomStream(table, random);
      for (let round = 0; round < 10_000; round++) {
        const bytes = stream.slice();
        for (let i = 0; i < 1 + random() * 3; i++)
          bytes[Math.floor(random() * bytes.length)] = random() * 256;
        const at = Math.floor(random() * bytes.length);
        const whole = scan(new FrameScanner(table), [bytes]);
        const split = scan(new FrameScanner(table), [bytes.subarray(0, at), bytes.subarray(at)]);
        expect(split.frames).toEqual(whole.frames);
        expect(split.mistake).toBe(whole.mistake);
      }
    },
  );
});
