import { describe, expect, test } from "bun:test";
import { BodyReader } from "./body.ts";

/** Reads `raw` in two pieces, split at `at`; what may go on, and what is left over. */
function read(body: BodyReader, raw: string, at: number): { kept: string; rest: string } {
  const bytes = Buffer.from(raw, "latin1");
  let kept = "";
  let end = 0;
  for (const limit of [at, bytes.length]) {
    const start = end;
    end = body.read(bytes, start, limit);
    body.forEachPart(start, end, (from, to) => {
      kept += bytes.toString("latin1", from, to);
    });
    if (body.error !== undefined) break;
  }
  return { kept, rest: raw.slice(end) };
}

const CHUNKS = "4;a=b\r\nWiki\r\n5\r\npedia\r\n0\r\nT: x\r\n\r\n";

describe("a body", () => {
  test("of a length ends after so many bytes, split anywhere", () => {
    for (let at = 0; at <= 8; at++) {
      const body = new BodyReader();
      body.begin("length", 5, false);
      expect(read(body, "12345GET", at)).toEqual({ kept: "12345", rest: "GET" });
      expect([body.done, body.received, body.dataBytes]).toEqual([true, 5, 5]);
    }
  });

  test("in chunks keeps its framing without extensions and trailers, split anywhere", () => {
    for (let at = 0; at <= CHUNKS.length; at++) {
      const body = new BodyReader();
      body.begin("chunked", 0, false);
      const clean = "4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n";
      expect(read(body, `${CHUNKS}GET`, at)).toEqual({ kept: clean, rest: "GET" });
      expect([body.done, body.dataBytes]).toEqual([true, 9]);
    }
  });

  test("in chunks can be had as plain data, split anywhere", () => {
    for (let at = 0; at <= CHUNKS.length; at++) {
      const body = new BodyReader();
      body.begin("chunked", 0, true);
      expect(read(body, CHUNKS, at)).toEqual({ kept: "Wikipedia", rest: "" });
    }
  });

  test("without a length goes on until the connection ends", () => {
    const body = new BodyReader();
    body.begin("until-close", 0, false);
    expect(read(body, "as it comes", 3)).toEqual({ kept: "as it comes", rest: "" });
    expect([body.done, body.isUntilClose]).toEqual([false, true]);
  });

  test("that is none takes nothing", () => {
    const body = new BodyReader();
    body.begin("none", 0, false);
    expect(read(body, "GET", 1)).toEqual({ kept: "", rest: "GET" });
    expect(body.done).toBe(true);
  });

  test("that breaks the grammar says why, and the next one starts afresh", () => {
    const body = new BodyReader();
    body.begin("chunked", 0, false);
    read(body, "zz\r\n", 1);
    expect(body.error).toBe("chunk-size-malformed");
    body.begin("chunked", 0, false);
    expect(read(body, CHUNKS, 0).rest).toBe("");
    expect(body.error).toBeUndefined();
  });

  test("copies its parts one behind the other", () => {
    const body = new BodyReader();
    const bytes = Buffer.from(CHUNKS);
    const to = Buffer.alloc(64, "-");
    body.begin("chunked", 0, true);
    const end = body.copyParts(bytes, 0, body.read(bytes, 0, bytes.length), to, 2);
    expect(to.toString("latin1", 0, end)).toBe("--Wikipedia");
  });
});
