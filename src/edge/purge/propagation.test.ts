import { describe, expect, test } from "bun:test";
import { isBatchProblem, type PurgeBatch, readPurgeBatch, receive } from "./propagation.ts";

/** A batch of purges by tag, named after their numbers. */
const batch = (first: number, count: number, changes: Partial<PurgeBatch> = {}): PurgeBatch => ({
  epoch: "e1",
  first,
  purges: Array.from({ length: count }, (_, at) => ({ tags: [`${first + at}`] })),
  oldest: 1,
  head: first + count - 1,
  ...changes,
});
const at = (number: number): { epoch: string; number: number } => ({ epoch: "e1", number });

describe("a batch of purges", () => {
  test("that follows what the receiver has is taken whole", () => {
    expect(receive(at(3), batch(4, 2))).toEqual({
      kind: "take",
      purges: [{ tags: ["4"] }, { tags: ["5"] }],
      position: at(5),
    });
  });

  test("that came before is taken once: only what is new is applied", () => {
    expect(receive(at(5), batch(4, 2))).toEqual({ kind: "take", purges: [], position: at(5) });
    expect(receive(at(4), batch(3, 4))).toMatchObject({
      purges: [{ tags: ["5"] }, { tags: ["6"] }],
      position: at(6),
    });
    expect(receive(at(9), batch(4, 2, { head: 12 }))).toMatchObject({
      kind: "take",
      purges: [],
      position: at(9),
    });
  });

  test("behind a gap is asked for again from where the receiver is", () => {
    expect(receive(at(3), batch(5, 2))).toEqual({ kind: "behind", position: at(3) });
    expect(receive(at(3), batch(7, 0))).toEqual({ kind: "behind", position: at(3) });
  });

  test("behind a gap that the log does not reach any more drops everything", () => {
    const receipt = receive(at(3), batch(9, 2, { oldest: 5 }));
    expect(receipt).toEqual({ kind: "drop-all", reason: "log-too-short", position: at(10) });
  });

  test("of an epoch or a sender that is not known drops everything, and all that was before it is covered", () => {
    for (const position of [undefined, { epoch: "e0", number: 99 }])
      expect(receive(position, batch(4, 2, { head: 8 }))).toEqual({
        kind: "drop-all",
        reason: "unknown-epoch",
        position: at(8),
      });
  });

  test("of a log that has lost its end is not taken: its numbers would mean other purges", () => {
    expect(receive(at(9), batch(4, 2))).toEqual({ kind: "ahead", position: at(9) });
  });
});

test("any order of batches, with repetitions and losses, applies each purge once and in order, or drops everything", () => {
  let seed = 5;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let round = 0; round < 2000; round++) {
    let position = at(0);
    const applied: unknown[] = [];
    for (let step = 0; step < 30 && position.number < 20; step++) {
      const first = 1 + random(20);
      const receipt = receive(position, batch(first, random(21 - first), { head: 20 }));
      if (receipt.kind === "take") applied.push(...receipt.purges);
      position = receipt.position;
      expect(receipt.kind === "take" || receipt.kind === "behind").toBe(true);
    }
    expect(applied).toEqual(
      Array.from({ length: position.number }, (_, index) => ({ tags: [`${index + 1}`] })),
    );
  }
});

describe("the body of a batch", () => {
  test("is read as it was sent", () => {
    const sent = batch(4, 2);
    expect(readPurgeBatch({ ...sent })).toEqual(sent);
  });

  test("with a mistake is refused by its first", () => {
    const rows: [path: string, changes: object][] = [
      ["epoch", { epoch: "" }],
      ["epoch", { epoch: "a".repeat(65) }],
      ["first", { first: "1" }],
      ["head", { head: -1 }],
      ["oldest", { oldest: 0.5 }],
      ["purges", { purges: {} }],
      ["purges", { purges: ["x"] }],
      ["purges", { purges: Array.from({ length: 101 }, () => ({})), head: 200 }],
      ["first", { first: 4, head: 4 }],
      ["first", { first: 0, purges: [] }],
    ];
    for (const [path, changes] of rows) {
      const read = readPurgeBatch({ ...batch(4, 2), ...changes });
      expect([path, isBatchProblem(read) ? read.path : read]).toEqual([path, path]);
    }
  });
});
