import { expect, test } from "bun:test";
import { whyElsewhere } from "./elsewhere.ts";

test.each([
  ["25006", "", "replica-refused"],
  ["0A000", "", "replica-refused"],
  ["0A000", "GetSerializableTransactionSnapshot", "serializable"],
  ["40001", "ProcessInterrupts", "recovery-conflict"],
  ["42P01", "parserOpenTable", undefined],
] as const)("%s of %p: %p, but not in a transaction", (code, routine, reason) => {
  const error = { severity: "ERROR", code, routine, message: "" };
  expect(whyElsewhere(error, false)).toBe(reason);
  expect(whyElsewhere(error, true)).toBeUndefined();
});

test.each([
  ["57P01", "replica-lost"],
  ["57P02", "replica-lost"],
  ["57P05", undefined],
] as const)("a session that ends by %s: %p", (code, reason) => {
  expect(whyElsewhere({ severity: "FATAL", code, message: "" }, true)).toBe(reason);
});
