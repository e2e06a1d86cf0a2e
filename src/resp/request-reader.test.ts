import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { latin1 } from "./bytes.ts";
import { STRANGER_LIMITS } from "./limits.ts";
import { RequestWriter } from "./request.ts";
import { RequestReader } from "./request-reader.ts";
import { readRequests, wire } from "./testing.ts";

const MIXED = wire(
  '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*0\r\n\r\nPING "a b" \'c\\\'d\' "\\x41\\n"\r\n*-1\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$5\r\na\r\nb\r\r\nQUIT\n',
);
const MIXED_REQUESTS = [["GET", "k"], ["PING", "a b", "c'd", "A\n"], ["SET", "", "a\r\nb\r"], ["QUIT"]];

describe("requests", () => {
  test("are read as they are written down: arrays, inline lines, empty ones between", () => {
    expect(readRequests([MIXED])).toEqual(MIXED_REQUESTS);
  });

  test("may be split at every byte", () => {
    for (let at = 0; at <= MIXED.length; at++)
      expect(readRequests([MIXED.subarray(0, at), MIXED.subarray(at)])).toEqual(MIXED_REQUESTS);
    expect(readRequests(Array.from(MIXED, (byte) => Uint8Array.of(byte)))).toEqual(MIXED_REQUESTS);
  });

  test.each([
    ["*1\r\n:3\r\n", "Protocol error: expected '$', got ':'"],
    ["*x\r\n", "Protocol error: invalid multibulk length"],
    ["*1048577\r\n", "Protocol error: invalid multibulk length"],
    ["*1\r\n$-1\r\n", "Protocol error: invalid bulk length"],
    ["*1\r\n$536870913\r\n", "Protocol error: invalid bulk length"],
    ["*1\r\n$1x\r\n", "Protocol error: invalid bulk length"],
    ['SET "k\r\n', "Protocol error: unbalanced quotes in request"],
    ["SET 'a'b\r\n", "Protocol error: unbalanced quotes in request"],
    [`*${"1".repeat(70_000)}`, "Protocol error: too big mbulk count string"],
    [`*1\r\n$${"1".repeat(70_000)}`, "Protocol error: too big bulk count string"],
    ["x".repeat(70_000), "Protocol error: too big inline request"],
  ])("that are malformed are refused in Redis' words: %p", (text, mistake) => {
    expect(readRequests([wire(text)])).toEqual([mistake]);
  });

  test("of a client that has not said who it is are small", () => {
    const reader = (): RequestReader => new RequestReader(STRANGER_LIMITS);
    expect(readRequests([wire("*11\r\n")], reader())).toEqual([
      "Protocol error: unauthenticated multibulk length",
    ]);
    expect(readRequests([wire("*1\r\n$20000\r\n")], reader())).toEqual([
      "Protocol error: unauthenticated bulk length",
    ]);
  });

  test("a length that is announced takes no memory before its bytes come", () => {
    const reader = new RequestReader();
    readRequests([wire("*2\r\n$3\r\nSET\r\n$500000000\r\nabc")], reader);
    expect(reader.heldBytes).toBeLessThan(4096);
  });

  test("of 200 arguments get their places", () => {
    const writer = new RequestWriter();
    const request = Array.from({ length: 200 }, (_, i) => `argument-${i}`);
    writer.add(request);
    writer.add(["PING"]);
    expect(readRequests([writer.take()])).toEqual([request, ["PING"]]);
  });

  test("written and read again are the same, whatever bytes they hold and however they are split", () => {
    const random = seededRandom(7);
    for (let round = 0; round < 300; round++) {
      const writer = new RequestWriter();
      const requests = Array.from({ length: 1 + random() * 5 }, () =>
        Array.from({ length: 1 + random() * 6 }, () =>
          Uint8Array.from({ length: random() * 60 }, () => random() * 256),
        ),
      );
      for (const request of requests) writer.add(request);
      const bytes = writer.take();
      const cuts = Array.from({ length: 3 }, () => Math.floor(random() * bytes.length)).toSorted(
        (a, b) => a - b,
      );
      const pieces = [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length));
      const texts = requests.map((request) =>
        request.map((argument) => latin1(argument, 0, argument.length)),
      );
      expect(readRequests(pieces)).toEqual(texts);
    }
  });

  test("10,000 mutations end in requests or in a mistake, never in an exception or an endless loop", () => {
    const random = seededRandom(11);
    for (let round = 0; round < 10_000; round++) {
      const bytes = MIXED.slice();
      for (let i = 0; i < 1 + random() * 4; i++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      const whole = readRequests([bytes]);
      const at = Math.floor(random() * bytes.length);
      expect(readRequests([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    }
  });
});
