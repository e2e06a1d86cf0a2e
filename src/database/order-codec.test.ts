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
  { kind: "promote", term: 3, timeline: 7 },
  { kind: "follow", term: 2, upstream: UPSTREAM },
  { kind: "demote", term: 2, upstream: UPSTREAM },
  { kind: "rejoin", term: 2, source: SOURCE },
  { kind: "rewind", term: 2, source: SOURCE },
  { kind: "reclone", term: 2, source: SOURCE },
  { kind: "drain", data: "/data" },
  { kind: "quorum", count: 1, names: ["db2"] },
  { kind: "slots", servers: [] },
  { kind: "lease", term: 3, validMs: 3500 },
  { kind: "backup", label: "nightly" },
  { kind: "backup", label: "nightly", keep: 14 },
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
    { kind: "backup", label: "two words" },
    { kind: "backup", label: "nightly", keep: 0 },
    { kind: "promote", term: 1.5 },
    { kind: "promote", term: 1, timeline: -1 },
    { kind: "follow", term: 1, upstream: { ...UPSTREAM, host: "a b" } },
    { kind: "follow", term: 1, upstream: { ...UPSTREAM, port: 70_000 } },
    { kind: "reclone", term: 1, source: { ...SOURCE, data: "relative" } },
    { kind: "reclone", term: 1, source: { ...SOURCE, data: "/a\nb" } },
    { kind: "reclone", source: SOURCE },
    { kind: "quorum", count: 1, names: ["x'; drop"] },
    { kind: "lease", term: 1, validMs: 1e12 },
    { kind: "backup", label: "../../etc" },
  ];
  for (const value of wrong) expect([value, parseOrder(value)]).toEqual([value, undefined]);
});
