import { expect, test } from "bun:test";
import { type Identity, isOfSameLog, readHistory } from "./identity.ts";

const PRIMARY: Identity = {
  timeline: 3,
  system: "7001",
  history: "1 0/3000000,2 0/5000000",
  mark: Uint8Array.of(1, 2, 3, 4),
};

test.each([
  ["the same", {}, true],
  ["with more of the log", { mark: Uint8Array.of(1, 2, 3, 4, 5) }, true],
  [
    "that has told nothing but its timeline",
    { system: undefined, history: undefined, mark: undefined },
    true,
  ],
  ["without the log's beginning", { mark: undefined }, true],
  ["of another cluster", { system: "7002" }, false],
  ["with another fork", { history: "1 0/3000000,2 0/5000028" }, false],
  ["that was promoted at the same place, too", { mark: Uint8Array.of(1, 2, 9, 4) }, false],
  ["on an earlier timeline", { timeline: 2, history: "1 0/3000000", mark: Uint8Array.of(7) }, true],
] as const)("a server %s", (_, differs, isSame) => {
  expect(isOfSameLog(PRIMARY, { ...PRIMARY, ...differs })).toBe(isSame);
});

test("a history is read without its words", () => {
  const text = "1\t0/3000000\tno recovery target specified\n\n2\t0/5000028\tbefore 2026-01-01\n";
  expect(readHistory(text)).toEqual({ history: "1 0/3000000,2 0/5000028", fork: 0x5000028n });
  expect(readHistory("")).toEqual({ history: "", fork: undefined });
});
