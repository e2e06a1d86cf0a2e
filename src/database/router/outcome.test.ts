import { expect, test } from "bun:test";
import { outcomeOf } from "./outcome.ts";

test("an id that the primary has in its history is asked for, and believed", () => {
  expect(outcomeOf("ask")).toBe("ask");
  expect(outcomeOf("ask", "committed")).toBe("committed");
  expect(outcomeOf("ask", "aborted")).toBe("lost");
});

test("a transaction that is not over is asked for again", () => {
  expect(outcomeOf("ask", "in progress")).toBe("ask-again");
});

test("what is too long ago, or said in words unknown, is not known", () => {
  expect(outcomeOf("ask", null)).toBe("unknown");
  expect(outcomeOf("ask", "prepared")).toBe("unknown");
});

test("an id that may be another transaction's is never believed", () => {
  expect(outcomeOf("unknown", "committed")).toBe("unknown");
  expect(outcomeOf("unseen", "committed")).toBe("lost");
});
