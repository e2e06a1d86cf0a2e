import { describe, expect, test } from "bun:test";
import { Delivery, SHIELD_WAIT_MS } from "./delivery.ts";

/** A shield and an edge that have all up to `head`. */
function inStep(head = 0): Delivery {
  const delivery = new Delivery(head, 0);
  delivery.setReceivers(
    new Map([
      ["s1", "shield"],
      ["fra", "edge"],
    ]),
  );
  delivery.acknowledged("s1", head, 0, false);
  delivery.acknowledged("fra", head, 0, false);
  return delivery;
}

describe("delivery", () => {
  test("begins with a question: how far a receiver is", () => {
    const delivery = new Delivery(7, 0);
    delivery.setReceivers(
      new Map([
        ["s1", "shield"],
        ["fra", "edge"],
      ]),
    );
    expect(delivery.due("s1", 0)).toEqual({ from: 8, to: 7 });
    delivery.acknowledged("s1", 5, 0, false);
    expect(delivery.due("s1", 0)).toEqual({ from: 6, to: 7 });
    expect(delivery.due("nobody", 0)).toBeUndefined();
  });

  test("gives an entry to shields at once, and to edges when every shield has acknowledged it", () => {
    const delivery = inStep();
    delivery.setReceivers(
      new Map([
        ["s1", "shield"],
        ["s2", "shield"],
        ["fra", "edge"],
      ]),
    );
    delivery.acknowledged("s2", 0, 0, false);
    delivery.appended(1, 0, false);
    expect([delivery.due("s1", 0), delivery.due("s2", 0), delivery.due("fra", 0)]).toEqual([
      { from: 1, to: 1 },
      { from: 1, to: 1 },
      undefined,
    ]);
    delivery.acknowledged("s1", 1, 10, false);
    expect(delivery.due("fra", 10)).toBeUndefined();
    delivery.acknowledged("s2", 1, 20, false);
    expect(delivery.due("fra", 20)).toEqual({ from: 1, to: 1 });
  });

  test("without shields waits for nobody", () => {
    const delivery = new Delivery(0, 0);
    delivery.setReceivers(new Map([["fra", "edge"]]));
    delivery.acknowledged("fra", 0, 0, false);
    delivery.appended(1, 0, false);
    expect([delivery.hasShields, delivery.due("fra", 0)]).toEqual([false, { from: 1, to: 1 }]);
  });

  test("does not wait for ever for a shield; what edges got without it is repeated when it has caught up", () => {
    const delivery = inStep();
    for (const number of [1, 2, 3]) delivery.appended(number, 0, false);
    expect([delivery.due("fra", SHIELD_WAIT_MS - 1), delivery.releaseMs]).toEqual([
      undefined,
      SHIELD_WAIT_MS,
    ]);
    expect(delivery.due("fra", SHIELD_WAIT_MS)).toEqual({ from: 1, to: 3 });
    expect(delivery.isOwed(2)).toBe(true);
    expect(delivery.acknowledged("s1", 2, 5000, false)).toBeUndefined();
    expect(delivery.acknowledged("s1", 3, 5000, false)).toEqual({ from: 1, to: 3 });
    expect(delivery.isOwed(2)).toBe(false);
    expect(delivery.acknowledged("s1", 3, 5000, false)).toBeUndefined();
  });

  test("repeats nothing because of a repetition: a shield that is always late would never come to an end", () => {
    const delivery = inStep();
    delivery.appended(1, 0, false);
    delivery.due("fra", SHIELD_WAIT_MS);
    expect(delivery.acknowledged("s1", 1, 3000, false)).toEqual({ from: 1, to: 1 });
    delivery.appended(2, 3000, true);
    expect(delivery.due("fra", 3000)).toEqual({ from: 1, to: 2 });
    expect(delivery.acknowledged("s1", 2, 9000, false)).toBeUndefined();
  });

  test("after a restart holds a shield to what it lacked, as far as edges may have it already", () => {
    const delivery = new Delivery(9, 0);
    delivery.setReceivers(
      new Map([
        ["s1", "shield"],
        ["fra", "edge"],
      ]),
    );
    delivery.due("fra", SHIELD_WAIT_MS);
    expect(delivery.released).toBe(9);
    expect(delivery.acknowledged("s1", 6, 3000, false)).toBeUndefined();
    expect(delivery.isOwed(7)).toBe(true);
    expect(delivery.acknowledged("s1", 9, 3100, false)).toEqual({ from: 7, to: 9 });
  });

  test("repeats everything when a shield has forgotten everything after edges had been told", () => {
    const delivery = inStep();
    delivery.appended(1, 0, false);
    expect(delivery.acknowledged("s1", 1, 10, true)).toBeUndefined();
    delivery.due("fra", 10);
    delivery.appended(2, 20, false);
    delivery.due("fra", 20 + SHIELD_WAIT_MS);
    expect(delivery.acknowledged("s1", 2, 5000, true)).toBe("everything");
  });

  test("keeps what it knows of receivers that stay when the config changes", () => {
    const delivery = inStep(4);
    delivery.setReceivers(
      new Map([
        ["fra", "edge"],
        ["s1", "edge"],
        ["lon", "edge"],
      ]),
    );
    expect([delivery.acked("fra"), delivery.acked("s1"), delivery.acked("lon")]).toEqual([
      4,
      undefined,
      undefined,
    ]);
  });
});
