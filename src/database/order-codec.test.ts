import { expect, test } from "bun:test";
import { parseOrder } from "./order-codec.ts";
import type { Order } from "./orders.ts";

const UPSTREAM = { host: "127.0.0.1", port: 5432, slot: "tenfold_db2" };
const SOURCE = { name: "db1", host: "127.0.0.1", port: 5432, data: "/data" };

const ORDERS: readonly Order[] = [
  { kind: "start" },
  { kind: "stop", mode: "fast" },
  { kind: "freeze" },
  { kind: "promote", term: 3 },
  { kind: "follow", upstream: UPSTREAM },
  { kind: "demote", upstream: UPSTREAM },
  { kind: "rejoin", source: SOURCE },
  { kind: "rewind", source: SOURCE },
  { kind: "reclone", source: SOURCE },
  { kind: "drain", data: "/data" },
  { kind: "quorum", count: 1, names: ["db2"] },
  { kind: "slots", servers: [] },
  { kind: "lease", term: 3, validMs: 3500 },
  { kind: "backup", label: "nightly" },
];

test("orders are read as they were written", () => {
  for (const order of ORDERS) expect(parseOrder(JSON.parse(JSON.stringify(order)))).toEqual(order);
});

test("what is no order is refused", () => {
  const wrong: unknown[] = [
    null,
    [],
    "start",
    { kind: "toString" },
    { kind: "__proto__" },
    { kind: "stop" },
    { kind: "promote", term: -1 },
    { kind: "promote", term: 1.5 },
    { kind: "follow", upstream: { ...UPSTREAM, host: "a b" } },
    { kind: "follow", upstream: { ...UPSTREAM, port: 70_000 } },
    { kind: "reclone", source: { ...SOURCE, data: "relative" } },
    { kind: "reclone", source: { ...SOURCE, data: "/a\nb" } },
    { kind: "quorum", count: 1, names: ["x'; drop"] },
    { kind: "lease", term: 1, validMs: 1e12 },
    { kind: "backup", label: "../../etc" },
  ];
  for (const value of wrong) expect([value, parseOrder(value)]).toEqual([value, undefined]);
});
