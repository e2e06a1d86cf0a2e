import { describe, expect, test } from "bun:test";
import { type Budget, connectionBudget, type Pools, type ServerLimits } from "./connection-budget.ts";

const MIB = 1024 ** 2;
const LIMITS: ServerLimits = {
  maxConnections: 100,
  superuserReserved: 3,
  reserved: 2,
  workMemBytes: 8 * MIB,
  sharedBufferBytes: 128 * MIB,
  inUse: [
    { app: "web", state: "idle", count: 7 },
    { app: "web", state: "active", count: 2 },
  ],
  roles: [],
};
const MACHINE = { cores: 8, memoryBytes: 16 * 1024 * MIB };

function budget(pools: Partial<Pools>, limits: Partial<ServerLimits> = {}, machine = MACHINE): Budget {
  return connectionBudget({ ...LIMITS, ...limits }, { workers: 4, size: 10, others: 5, ...pools }, machine);
}

describe("a budget", () => {
  test("adds up what pools ask for, against what is left of the reserved ones", () => {
    expect(budget({})).toMatchObject({
      available: 95,
      used: 9,
      pooled: 40,
      demanded: 45,
      left: 50,
      problems: [],
    });
  });

  test("names what would be refused, to the connection", () => {
    expect(budget({ workers: 1, size: 90 }).problems.join()).not.toContain("refused");
    expect(budget({ workers: 1, size: 91 }).problems[0]).toBe(
      "full pools ask for 96 of 95: 1 connections would be refused (53300)",
    );
  });

  test("recommends what the cores work on, shared by the pools, and never more than there is", () => {
    expect(budget({}).recommended).toMatchObject({ total: 17, each: 4 });
    expect(budget({ workers: 50 }).recommended).toMatchObject({ total: 17, each: 1 });
    expect(budget({}, { maxConnections: 20 }).recommended).toMatchObject({ total: 10, each: 2 });
    expect(budget({}, { maxConnections: 6 }).recommended).toMatchObject({ total: 1, each: 1 });
  });

  test("puts the router between when pools ask for four times that, or cannot have one each", () => {
    const routed = (pools: Partial<Pools>): boolean =>
      budget(pools).problems.join().includes("put the router between");
    expect(routed({ workers: 17, size: 4 })).toBe(false);
    expect(routed({ workers: 1, size: 69 })).toBe(true);
    expect(routed({ workers: 18, size: 1 })).toBe(true);
  });

  test("names roles with less, and memory that is not there", () => {
    const roles = [
      { name: "web", limit: 39 },
      { name: "jobs", limit: 40 },
    ];
    expect(budget({}, { roles }).problems).toEqual(["role web may have 39 connections, below the pools' 40"]);
    expect(budget({}).worstMemoryBytes).toBe((100 * 18 + 128) * MIB);
    expect(budget({}, {}, { ...MACHINE, memoryBytes: 1900 * MIB }).problems[0]).toContain(
      "lower max_connections",
    );
    expect(budget({}, {}, { ...MACHINE, memoryBytes: 1928 * MIB }).problems).toEqual([]);
  });
});
