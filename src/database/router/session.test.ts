import { expect, test } from "bun:test";
import { Statements } from "./prepared.ts";
import { Session } from "./session.ts";

test("a session knows the body of its last Parse without a name again, wherever it lies", () => {
  const session = new Session(new Statements());
  const arrived = new TextEncoder().encode("..select 1..select 2");
  expect(session.isUnnamed(arrived, 2, 10)).toBe(false);
  session.unnamed = arrived.slice(2, 10);
  expect(session.isUnnamed(arrived, 2, 10)).toBe(true);
  expect([session.isUnnamed(arrived, 12, 20), session.isUnnamed(arrived, 2, 11)]).toEqual([false, false]);
  session.discarded();
  expect(session.isUnnamed(arrived, 2, 10)).toBe(false);
});
