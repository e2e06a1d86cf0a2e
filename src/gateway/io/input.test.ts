import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { Input } from "./input.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
const textOf = ({ bytes, start, end }: Input): string => Buffer.from(bytes).toString("latin1", start, end);

describe("input that waits", () => {
  test("is what was added and not yet read, whatever the pieces", () => {
    const random = seededRandom(5);
    const input = new Input();
    let expected = "";
    for (let turn = 0; turn < 500; turn++) {
      const piece = String(turn % 10).repeat(Math.floor(random() * 200));
      input.append(bytesOf(`--${piece}--`), 2, 2 + piece.length);
      expected += piece;
      const read = Math.floor(random() * Math.min(input.length, 300));
      input.start += read;
      expected = expected.slice(read);
      expect(textOf(input)).toBe(expected);
    }
  });

  test("uses room again that was read, rather than grow", () => {
    const input = new Input();
    for (let turn = 0; turn < 100; turn++) {
      input.append(bytesOf("x".repeat(1000)), 0, 1000);
      input.start += 1000;
    }
    expect(input.bytes.length).toBe(1024);
  });

  test("keeps what it was given when the giver uses its memory again", () => {
    const given = bytesOf("first");
    const input = new Input();
    input.append(given, 0, 5);
    given.fill("x");
    expect(textOf(input)).toBe("first");
  });
});
