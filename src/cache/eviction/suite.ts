/** What every eviction policy must do, run against each row of the table. */
import { describe, expect, test } from "bun:test";
import { seededRandom, simulatedTime } from "../../base/index.ts";
import { below } from "../../base/testing.ts";
import { type Eviction, type EvictionNode, newSeat } from "./eviction.ts";
import { type EvictionName, POLICIES } from "./policies.ts";

/** A policy with the map that a cache would have around it. */
export interface Harness {
  readonly policy: Eviction;
  readonly live: Map<string, EvictionNode>;
  readonly use: (key: string, cost?: number) => boolean;
  readonly remove: (key: string) => void;
  readonly advance: (ms: number) => void;
}

/** Sets up a policy of the given capacity. `use` says whether the key was there, and brings it if not. */
export function harness(name: EvictionName, capacity: number): Harness {
  const time = simulatedTime();
  const live = new Map<string, EvictionNode>();
  const drop = (node: EvictionNode): void => void live.delete(node.seat.key);
  const policy = POLICIES[name]({ capacity, clock: time.clock, random: seededRandom(1), drop });
  const use = (key: string, cost = 1): boolean => {
    const known = live.get(key);
    if (known !== undefined) {
      policy.touch(known);
      return true;
    }
    const node = blank(key);
    live.set(key, node);
    policy.admit(node, cost);
    return false;
  };
  const remove = (key: string): void => {
    const node = live.get(key);
    if (node === undefined) return;
    policy.remove(node);
    live.delete(key);
  };
  return { policy, live, use, remove, advance: time.advance };
}

function blank(key: string): EvictionNode {
  return { uses: 0, seat: newSeat(key) };
}

function costOf(nodes: Iterable<EvictionNode>): number {
  return [...nodes].reduce((sum, { seat }) => sum + seat.cost, 0);
}

/** Runs all rules against one policy. */
export function evictionSuite(name: EvictionName): void {
  describe(name, () => {
    test("a cache that is not full keeps everything", () => {
      const { live, use } = harness(name, 100);
      for (let key = 0; key < 100; key++) use(`k${key}`);
      // W-TinyLFU's window is full before its main part is, and the rest moves on: all is kept there too.
      expect(live.size).toBe(100);
    });

    test("the capacity holds after every step of 50,000 random ones, by entries", () => {
      const { policy, live, use, remove } = harness(name, 50);
      const random = seededRandom(7);
      for (let step = 0; step < 50_000; step++) {
        const key = `k${below(random, 200)}`;
        if (random() < 0.1) remove(key);
        else use(key);
        if (live.size > 50) throw new Error(`${live.size} live`);
      }
      expect(policy.usedCost).toBe(live.size);
      expect(live.size).toBeGreaterThan(40);
    });

    test("the capacity holds by bytes, and costs that change are counted", () => {
      const { policy, live, use, remove } = harness(name, 10_000);
      const random = seededRandom(8);
      for (let step = 0; step < 20_000; step++) {
        const key = `k${below(random, 300)}`;
        const known = live.get(key);
        if (random() < 0.05) remove(key);
        else if (known !== undefined && random() < 0.3) policy.resize(known, 1 + below(random, 400));
        else use(key, 1 + below(random, 400));
        if (policy.usedCost > 10_000) throw new Error(`${policy.usedCost} of 10000 after step ${step}`);
      }
      expect(policy.usedCost).toBe(costOf(live.values()));
      expect(policy.usedCost).toBeGreaterThan(7000);
    });

    test("a capacity of one works", () => {
      const { live, use } = harness(name, 1);
      for (const key of ["a", "b", "a", "a", "c"]) use(key);
      expect(live.size).toBeLessThanOrEqual(1);
    });

    test("a node that takes all the room makes all others leave, and no more is counted than there is", () => {
      const { policy, live, use } = harness(name, 100);
      for (let key = 0; key < 10; key++) use(`k${key}`, 10);
      use("large", 100);
      expect(policy.usedCost).toBe(costOf(live.values()));
      expect(policy.usedCost).toBeLessThanOrEqual(100);
    });

    test("what is removed is gone and can come back", () => {
      const { policy, live, use, remove } = harness(name, 10);
      use("a");
      remove("a");
      expect(policy.usedCost).toBe(0);
      use("a");
      expect([...live.keys()]).toEqual(["a"]);
    });

    test("the same requests leave the same nodes", () => {
      const [one, other] = [harness(name, 20), harness(name, 20)];
      const random = seededRandom(9);
      for (let step = 0; step < 5000; step++) {
        const key = `k${below(random, 60)}`;
        expect(one.use(key)).toBe(other.use(key));
      }
      expect([...one.live.keys()].toSorted()).toEqual([...other.live.keys()].toSorted());
    });
  });
}
