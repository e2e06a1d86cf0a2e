import { expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { RequestIds } from "./request-id.ts";

test("an id is the same as bytes and as text, and no two are equal", () => {
  const ids = new RequestIds(seededRandom(1));
  const seen = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const number = ids.next();
    expect(Buffer.from(ids.write(number)).toString()).toBe(ids.text(number));
    seen.add(ids.text(number));
  }
  expect(seen.size).toBe(300);
  expect(ids.text(2 ** 40)).toMatch(/^[0-9a-f]{20}$/);
});

test("workers do not make the same ids", () => {
  const text = (seed: number): string => new RequestIds(seededRandom(seed)).text(1);
  expect(text(1)).not.toBe(text(2));
});
