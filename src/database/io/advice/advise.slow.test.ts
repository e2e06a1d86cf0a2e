import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../base/index.ts";
import { NO_POSTGRES, sourceOf, startedPrimary, valueOf } from "../../testing/servers.ts";
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
    const source = sourceOf(primary);
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

  test("on a shop in a schema of its own names what is missing, what goes, and nothing that is needed", async () => {
    const primary = await startedPrimary({});
    for (const sql of SHOP) await primary.query(sql);
    const client = await primary.connect();
    await client.query("set search_path = shop");
    for (let at = 1; at <= 20; at++) for (const sql of statementsOfShop(at)) await client.query(sql);
    const { options } = primary;
    const source = sourceOf(primary);
    const made: Awaited<ReturnType<typeof throwawayClone>>[] = [];
    const clone = async () => {
      const one = await throwawayClone(source, options);
      made.push(one);
      return one.server.connect();
    };
    const advice = await advise({ client, replicas: [], clock: systemClock, clone });
    for (const one of made) await one.drop();
    client.close();
    expect(advice.proposed.map(({ sql }) => sql.split(" ON ")[1]).toSorted()).toEqual([
      "shop.items (product)",
      "shop.orders (customer, placed)",
    ]);
    // Each was tried, that with an interval too: it deletes a tenth of the rows, with the index and without.
    expect(advice.rejected.filter(({ reason }) => reason === "no-sample")).toEqual([]);
    for (const { statements, bytes } of advice.proposed) {
      expect(bytes).toBeGreaterThan(0);
      expect(Math.max(...statements.map(({ gain }) => gain))).toBeGreaterThan(2);
    }
    expect(advice.existing.map(({ fault, index }) => `${fault} ${index.name}`).toSorted()).toEqual([
      "duplicate orders_placed_again",
      "prefix items_order",
    ]);
    expect(await valueOf(primary, "select count(*)::text from shop.carts")).toBe("30000");
  }, 120_000);
});

/** Indexes that look alike and are not; constraints; a foreign key without an index; a table without one for its retention. */
const SHOP = [
  "create extension pg_stat_statements; create schema shop",
  "create table shop.customers (id int primary key, email text not null unique, name text)",
  "insert into shop.customers select i, 'c' || i || '@shop.example', 'N' || i from generate_series(1, 10000) i",
  "create table shop.products (id int primary key, sku text, constraint one_sku unique (sku))",
  "insert into shop.products select i, 'sku' || i from generate_series(1, 2000) i",
  `create table shop.orders (id int primary key, customer int not null references shop.customers, state text, placed timestamptz)`,
  `insert into shop.orders select i, 1 + i * 7919 % 10000, case when i % 100 = 0 then 'open' else 'done' end,
    timestamptz '2026-01-01' + i * interval '1 minute' from generate_series(1, 60000) i`,
  `create table shop.items (order_id int references shop.orders on delete cascade, line int, product int references shop.products,
    primary key (order_id, line))`,
  "insert into shop.items select 1 + i / 2, i % 2, 1 + i * 31 % 2000 from generate_series(0, 119999) i",
  `create table shop.carts (id int primary key, "updatedAt" timestamptz, filler text)`,
  "insert into shop.carts select i, now() - i * interval '1 minute', repeat('x', 50) from generate_series(1, 30000) i",
  "create index orders_placed on shop.orders (placed)",
  "create index orders_placed_again on shop.orders (placed)",
  "create index orders_placed_last on shop.orders (placed desc nulls last)",
  "create index orders_placed_with on shop.orders (placed) include (state)",
  "create index orders_placed_open on shop.orders (placed) where state = 'open'",
  "create index customers_name on shop.customers (name)",
  "create index customers_name_like on shop.customers (name text_pattern_ops)",
  'create index customers_name_other on shop.customers (name collate "C")',
  "create index customers_lower on shop.customers (lower(name))",
  "create index items_order on shop.items (order_id)",
  "analyze",
];

/** What an app asks, as often as it asks. */
function statementsOfShop(at: number): string[] {
  return [
    `select * from orders where customer = ${at} order by placed desc limit 10`,
    `select * from items where product = ${at}`,
    `select c.name, count(*) from customers c join orders o on o.customer = c.id where c.email = 'c${at}@shop.example' group by 1`,
    `select count(*) from orders where state = 'open' and placed > timestamptz '2026-02-01'`,
    `update orders set state = 'done' where id = ${at * 100}`,
    `select * from customers where lower(name) = 'n${at}'`,
    `delete from carts where "updatedAt" < now() - interval '99 days'`,
    `select id from customers where name like 'N${at}%'`,
  ];
}
