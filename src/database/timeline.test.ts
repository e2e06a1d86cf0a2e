import { describe, expect, test } from "bun:test";
import { descent, parseHistory } from "./timeline.ts";

const HISTORY = "1\t0/5000000\tno recovery target specified\n\n2\t0/9000000\tbefore 2026\n";

describe("a server", () => {
  const other = { timeline: 3, lsn: 0xa000000n };
  const history = parseHistory(HISTORY);

  test("follows when all it has lies before the forks", () => {
    expect(descent({ timeline: 1, lsn: 0x5000000n }, other, history)).toEqual({ kind: "follows" });
    expect(descent({ timeline: 2, lsn: 0x8ffffffn }, other, history)).toEqual({ kind: "follows" });
    expect(descent({ timeline: 3, lsn: 0xa000000n }, other, history)).toEqual({ kind: "follows" });
  });

  test("has diverged when it went one byte beyond, on any timeline", () => {
    expect(descent({ timeline: 1, lsn: 0x5000001n }, other, history)).toMatchObject({
      kind: "diverged",
      fork: 0x5000000n,
    });
    expect(descent({ timeline: 3, lsn: 0xa000001n }, other, history)).toMatchObject({ kind: "diverged" });
  });

  test("has diverged when its timeline is not in the other's history: two were promoted", () => {
    const result = descent({ timeline: 4, lsn: 1n }, other, history);
    expect(result).toMatchObject({
      kind: "diverged",
      reason: "timeline 4 is not in the history of timeline 3",
    });
  });
});
