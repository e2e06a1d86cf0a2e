import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../base/index.ts";
import { NO_POSTGRES, startedPrimary, valueOf } from "../../testing/servers.ts";
import { advise } from "./advise.ts";
import { throwawayClone } from "./throwaway-clone.ts";

/** 100 000 orders of 5000 customers; four states, which are no use to an index. */
const SEED = [
  "create extension pg_stat_statements",
  "create table customers (id int primary key)",
  "insert into customers select generate_series(1, 5000)",
  `create table orders (id int primary key, customer int references customers, state text, made timestamptz not null, note text)`,
  `insert into orders select i, 1 + i * 7919 % 5000, (array['a','b','c','d'])[1 + i % 4],
    timestamptz '2026-01-01' + i * interval '1 minute', repeat('x', 60) from generate_series(1, 100000) i`,
  "create index orders_state_made on orders (state, made)",
  "create index orders_state on orders (state)",
  "create table events (id int, made date, primary key (id, made)) partition by range (made)",
  "create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01')",
  "create index events_made on events (made)",
  "create index events_made_again on events (made)",
  "analyze",
];

describe.skipIf(NO_POSTGRES)("advice (needs Postgres)", () => {
  test("proposes the index that was faster on a clone, none that was not, and leaves nothing behind", async () => {
    const primary = await startedPrimary({});
    for (const sql of SEED) await primary.query(sql);
    const orders = "select id, note from orders where customer = 42 order by made desc limit 10";
    for (let at = 0; at < 20; at++) await primary.query(orders);
    await primary.query("select count(*) from orders where note = 'none'");
    const { options } = primary;
    const source = {
      name: primary.name,
      host: "127.0.0.1",
      port: options.settings.port,
      data: primary.data,
    };
    const client = await primary.connect();
    const made: Awaited<ReturnType<typeof throwawayClone>>[] = [];
    const advice = await advise({
      client,
      replicas: [],
      clock: systemClock,
      clone: async () => {
        const clone = await throwawayClone(source, options);
        made.push(clone);
        return clone.server.connect();
      },
    });
    for (const clone of made) await clone.drop();
    expect(advice.statementsProblem).toBeUndefined();
    expect(advice.proposed.map(({ sql }) => sql)).toEqual([
      "CREATE INDEX CONCURRENTLY orders_customer_made_idx ON public.orders (customer, made)",
    ]);
    const [index] = advice.proposed;
    expect(index?.statements.map(({ gain }) => gain >= 2)).toContain(true);
    expect(index?.statements.map(({ id }) => id)).toContain("foreign key orders_customer_fkey");
    expect(index?.bytes).toBeGreaterThan(1_000_000);
    expect(index?.insertUs?.after).toBeGreaterThan(0);
    expect(advice.existing.map(({ fault, index: { name } }) => [fault, name])).toEqual([
      ["prefix", "orders_state"],
    ]);
    expect(advice.partitionsProblem).toContain("do not partition");
    expect(await valueOf(primary, "select count(*)::text from pg_replication_slots")).toBe("0");
    const [plan] = await primary.query(`explain (format json) ${orders}`);
    await primary.query(index?.sql ?? "");
    const [changed] = await primary.query(`explain (format json) ${orders}`);
    expect(plan?.["QUERY PLAN"]).not.toContain("orders_customer_made_idx");
    expect(changed?.["QUERY PLAN"]).toContain("orders_customer_made_idx");
    const without = await advise({ client, replicas: [], clock: systemClock, clone: undefined });
    expect(without.proposed).toEqual([]);
    client.close();
  }, 120_000);
});
