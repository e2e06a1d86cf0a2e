/** `tenfold db partition` on a real server, while writers write and the command is killed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../base/testing/postgres.ts";
import { MAIN } from "./testing/app-folder.ts";

const ROWS = 100_000;
let server: TestPostgres;
let client: Client;

function start(args: readonly string[]) {
  return Bun.spawn([process.execPath, MAIN, "db", "partition", ...args, "--database", server.url], {
    cwd: tmpdir(),
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function partition(...args: string[]) {
  const child = start(args);
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, err };
}

/** What a writer was told is in the table: key -> note. */
type Told = Map<string, string>;

/** Inserts, updates, moves and deletes rows of its own share until it is stopped; all of it is acknowledged. */
function write(told: Told, share: number, isolation: string) {
  const state = { stopped: false, writes: 0, repeats: 0 };
  const run = async () => {
    const own = new Client(server.connection);
    await own.connect();
    await own.query(`set default_transaction_isolation = '${isolation}'`);
    const keys = [...told.keys()];
    for (let at = 0; !state.stopped; at++) {
      const key = keys[(at * 7919) % keys.length] ?? "";
      const note = `${share}-${at}`;
      try {
        // oxlint-disable-next-line no-await-in-loop -- a writer writes one thing after the other
        await once(own, told, { key, note, kind: at % 4, fresh: `${ROWS + 1 + at * 4 + share}` });
        state.writes++;
      } catch (error) {
        // Told so by the server: the transaction did nothing, and is begun again.
        if ((error as { code?: string }).code !== "40001") throw error;
        state.repeats++;
      }
    }
    await own.end();
  };
  return { state, done: run() };
}

interface Write {
  readonly key: string;
  readonly note: string;
  readonly kind: number;
  readonly fresh: string;
}

async function once(own: Client, told: Told, { key, note, kind, fresh }: Write): Promise<void> {
  if (kind === 0) {
    await own.query("insert into events (id, at, note) values ($1, '2026-03-05', $2)", [fresh, note]);
    told.set(fresh, note);
  } else if (kind === 1) {
    const { rowCount } = await own.query("delete from events where id = $1", [key]);
    expect(rowCount).toBe(told.has(key) ? 1 : 0);
    told.delete(key);
  } else if (kind === 2) {
    const { rowCount } = await own.query(
      "update events set at = at + interval '40 days', note = $2 where id = $1",
      [key, note],
    );
    expect(rowCount).toBe(told.has(key) ? 1 : 0);
    if (told.has(key)) told.set(key, note);
  } else {
    const { rowCount } = await own.query("update events set note = $2 where id = $1", [key, note]);
    expect(rowCount).toBe(told.has(key) ? 1 : 0);
    if (told.has(key)) told.set(key, note);
  }
}

async function makeEvents(): Promise<Told[]> {
  await client.query(`drop table if exists events, events_before_partition`);
  await client.query(`create table events (id bigserial, at timestamptz not null default now(), note text check (note <> ''),
    twice text generated always as (note || note) stored, primary key (id, at))`);
  await client.query("create index events_note on events (note)");
  await client.query("comment on table events is 'what ''happened'''");
  await client.query("grant select, insert on events to reader");
  await client.query(`insert into events (at, note)
    select timestamptz '2026-01-01' + n * interval '1 minute', 'n' || n from generate_series(1, ${ROWS}) n`);
  const shares: Told[] = [new Map(), new Map(), new Map(), new Map()];
  for (let id = 1; id <= ROWS; id++) shares[id % 4]?.set(String(id), `n${id}`);
  return shares;
}

async function contents(): Promise<Map<string, string>> {
  const { rows } = await client.query<{ id: string; note: string }>("select id, note from events");
  expect(rows.length).toBe(new Set(rows.map(({ id }) => id)).size);
  return new Map(rows.map(({ id, note }) => [id, note]));
}

async function until(what: () => Promise<boolean>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- asked again and again
  while (!(await what())) await Bun.sleep(5);
}

/** Starts a run, and kills it when it has copied so many rows; one of the last rows is locked, so that it does not end before. */
async function killedAfter(copied: number, args: readonly string[]): Promise<void> {
  const held = new Client(server.connection);
  await held.connect();
  await held.query("begin; select from events where id = 90000 for update");
  const child = start(args);
  await until(async () => {
    const { rows } = await client
      .query<{ copied: string }>("select copied from events_partitioning")
      .catch(() => ({ rows: [] }));
    return Number(rows[0]?.copied ?? -1) >= copied || child.exitCode !== null;
  });
  child.kill("SIGKILL");
  await child.exited;
  await held.end();
  expect(child.signalCode).toBe("SIGKILL");
}

async function definition(): Promise<unknown> {
  const { rows } =
    await client.query(`select relname, relkind, (select count(*) from pg_trigger where tgrelid = pg_class.oid) as triggers,
    (select count(*) from pg_proc where proname like 'tenfold%') as functions from pg_class
    where relnamespace = 'public'::regnamespace order by relname`);
  return rows;
}

describe.skipIf(!hasPostgres)("db partition (needs Postgres)", () => {
  beforeAll(async () => {
    server = await startPostgres();
    client = new Client(server.connection);
    await client.connect();
    await client.query("create role reader");
  }, 60_000);
  afterAll(async () => {
    await client.end();
    await server.stop();
  }, 60_000);

  test("killed and run again under writes, the table has what the writers were told", async () => {
    const shares = await makeEvents();
    const isolations = ["read committed", "read committed", "repeatable read", "serializable"];
    const writers = shares.map((told, share) => write(told, share, isolations[share] ?? ""));
    const args = ["events", "--by", "range(at)", "--every", "month"];
    for (const copied of [5000, 40_000]) {
      const child = start(args);
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      await until(async () => {
        const { rows } = await client
          .query<{ copied: string }>("select copied from events_partitioning")
          .catch(() => ({ rows: [] }));
        return Number(rows[0]?.copied ?? 0) >= copied || child.exitCode !== null;
      });
      child.kill("SIGKILL");
      // oxlint-disable-next-line no-await-in-loop -- as above
      await child.exited;
      expect({ signal: child.signalCode, err: await child.stderr.text() }).toEqual({
        signal: "SIGKILL",
        err: "",
      });
    }
    const last = await partition(...args);
    expect(last).toMatchObject({ code: 0, err: "" });
    expect(last.out).toContain("going on after");
    expect(last.out).toContain("events is partitioned");
    const before = writers.map(({ state }) => state.writes);
    await until(async () => writers.every(({ state }, at) => state.writes > (before[at] ?? 0) + 8));
    for (const { state } of writers) state.stopped = true;
    await Promise.all(writers.map(({ done }) => done));
    const told = new Map(shares.flatMap((share) => [...share]));
    expect(await contents()).toEqual(told);
    await looksLikeBefore();
    expect((await partition("events", "--drop-old")).out).toContain("dropped events_before_partition");
    await client.query("insert into events (note) values ('its sequence is still there')");
  }, 240_000);

  test("--dry-run changes nothing, --abort leaves the table as it was", async () => {
    await makeEvents();
    const before = await definition();
    const dry = await partition("events", "--by", "hash(id)", "--parts", "4", "--dry-run");
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.out).toContain('partition by hash ("id")');
    expect(await definition()).toEqual(before);
    await killedAfter(0, ["events", "--by", "hash(id)", "--parts", "4"]);
    expect(await partition("events", "--abort")).toMatchObject({ code: 0, out: "events is as it was\n" });
    expect(await definition()).toEqual(before);
    expect((await contents()).size).toBe(ROWS);
    expect((await partition("events", "--abort")).err).toContain("nothing was begun");
  }, 120_000);

  test("a copy that is not the same is not swapped in", async () => {
    await makeEvents();
    const args = ["events", "--by", "hash(id)", "--parts", "4"];
    await killedAfter(80_000, args);
    await client.query("alter table events disable trigger tenfold_mirror_rows");
    await client.query("update events set note = 'unseen' where id = 1");
    const { code, err } = await partition(...args);
    expect(err).toContain("events has 100000 rows, its twin 100000, and they are not the same");
    expect(code).toBe(1);
    await client.query("alter table events add column more int");
    expect((await partition(...args)).err).toContain("the definition of events has changed");
    expect(await partition("events", "--abort")).toMatchObject({ code: 0 });
  }, 120_000);

  test("TRUNCATE and what is written after it are mirrored, too", async () => {
    await makeEvents();
    const args = ["events", "--by", "range(at)", "--every", "week"];
    await killedAfter(5000, args);
    await client.query("truncate events");
    await client.query(
      "insert into events (id, at, note) values (7, '2026-01-07', 'first'), (200000, '1999-01-07', 'default')",
    );
    expect(await partition(...args)).toMatchObject({ code: 0, err: "" });
    expect(await contents()).toEqual(
      new Map([
        ["7", "first"],
        ["200000", "default"],
      ]),
    );
  }, 60_000);

  test("awkward names, identity, enums, foreign keys and partial indexes go along", async () => {
    await client.query(`create schema "Odd one"; create type "Odd one".mood as enum ('good', 'bad');
      create table "Odd one".tenants (id int primary key); insert into "Odd one".tenants select generate_series(1, 9);
      create table "Odd one"."Or""der's" ("Id" bigint generated always as identity, tenant int not null
        references "Odd one".tenants on delete cascade, mood "Odd one".mood default 'good', gone boolean, day date,
        primary key (tenant, mood, "Id"), unique ("Id", tenant)) with (fillfactor = 80);
      alter table "Odd one"."Or""der's" alter column day set statistics 500, alter column tenant set (n_distinct = 9);
      create index "by Day" on "Odd one"."Or""der's" (day desc, (tenant + 1)) where not gone;
      insert into "Odd one"."Or""der's" (tenant, mood, gone, day)
        select n % 9 + 1, (array['good', 'bad'])[n % 2 + 1]::"Odd one".mood, n % 3 = 0, date '2026-01-01' + n % 90 from generate_series(1, 12000) n;
      comment on index "Odd one"."by Day" is 'it''s by day'`);
    const { code, err } = await partition(`Odd one.Or"der's`, "--by", "hash(tenant)", "--parts", "3");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    await client.query(`delete from "Odd one".tenants where id = 4`);
    const { rows } =
      await client.query(`insert into "Odd one"."Or""der's" (tenant) values (1) returning "Id"::int as id,
      (select count(*)::int from "Odd one"."Or""der's") as n, (select count(*)::int from pg_indexes where tablename = 'Or"der''s') as indexes`);
    expect(rows).toEqual([{ id: 12_001, n: 12_000 - 1334, indexes: 3 }]);
    const kept =
      await client.query(`select attname, attstattarget::int as target, attoptions::text as options,
        obj_description('"Odd one"."by Day"'::regclass) as comment,
        pg_get_serial_sequence('"Odd one"."Or""der''s"', 'Id') as sequence
      from pg_attribute where attrelid = '"Odd one"."Or""der''s"'::regclass and attname in ('day', 'tenant') order by 1`);
    const same = { comment: "it's by day", sequence: `"Odd one"."Or""der's_Id_seq"` };
    expect(kept.rows).toMatchObject([
      { attname: "day", target: 500, ...same },
      { attname: "tenant", options: "{n_distinct=9}", ...same },
    ]);
  }, 60_000);

  test("killed in the very swap, it swaps when it is run again, and nobody has noticed", async () => {
    await makeEvents();
    const args = ["events", "--by", "hash(id)", "--parts", "4"];
    const reader = new Client(server.connection);
    await reader.connect();
    await reader.query("begin; select count(*) from events"); // the swap waits for it
    const child = start(args);
    const waits = `select 1 from pg_locks where mode = 'AccessExclusiveLock' and not granted and relation = 'events'::regclass`;
    await until(async () => (await client.query(waits)).rows.length > 0 || child.exitCode !== null);
    child.kill("SIGKILL");
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    await reader.end();
    await client.query("insert into events (id, note) values (200001, 'between')");
    expect(await partition(...args)).toMatchObject({ code: 0, err: "" });
    expect((await contents()).get("200001")).toBe("between");
    expect((await contents()).size).toBe(ROWS + 1);
    const again = await partition(...args);
    expect(again.out).toContain("tenfold db partition events --drop-old");
  }, 120_000);

  test("what cannot be held is refused, with the mend", async () => {
    await client.query(`create table plain (id int primary key, at timestamptz, note text);
      create table parent (id int primary key); create table child (id int references parent);
      create table watched (id int primary key); create view watching as select * from watched;
      create table counted (id int primary key); create table lists (id int primary key); create table rowed (id int primary key);
      create function counting() returns bigint language sql begin atomic; select count(*) from counted; end;
      create policy listed on plain using (id in (select id from lists));
      create table holder (one rowed)`);
    const rows: [args: string[], said: string][] = [
      [["plain", "--by", "range(at)", "--every", "month"], "add at to it (primary key (id, at)), or drop it"],
      [["plain", "--by", "range(id)", "--every", "day"], "is of type integer, which has no months"],
      [["plain", "--by", "hash(nothing)", "--parts", "4"], "has no column nothing"],
      [
        ["parent", "--by", "hash(id)", "--parts", "4"],
        "is referenced by foreign keys of other tables: public.child",
      ],
      [["child", "--by", "hash(id)", "--parts", "4"], "has no primary key"],
      [["watched", "--by", "hash(id)", "--parts", "4"], "is read by views"],
      [
        ["counted", "--by", "hash(id)", "--parts", "4"],
        "go on with the old table: function public.counting()",
      ],
      [["lists", "--by", "hash(id)", "--parts", "4"], "policy listed on table public.plain"],
      [["rowed", "--by", "hash(id)", "--parts", "4"], "column one of table public.holder"],
      [["watching", "--by", "hash(id)", "--parts", "4"], "is not an ordinary table"],
      [["none", "--by", "hash(id)", "--parts", "4"], "there is no table public.none"],
    ];
    for (const [args, said] of rows) {
      // oxlint-disable-next-line no-await-in-loop -- two cores
      const { code, err } = await partition(...args);
      expect(err).toContain(said);
      expect(code).toBe(1);
    }
  }, 60_000);
});

/** Names, grants, comment and constraints are those of before. */
async function looksLikeBefore(): Promise<void> {
  const { rows } = await client.query(`select relkind, obj_description(oid) as comment,
    has_table_privilege('reader', oid, 'insert') as granted, has_table_privilege('reader', oid, 'delete') as more,
    (select array_agg(indexrelid::regclass::text order by indexrelid::regclass::text) from pg_index where indrelid = c.oid) as indexes,
    (select count(*) from pg_trigger where tgrelid = c.oid and not tgisinternal)::int as triggers,
    pg_get_serial_sequence('events', 'id') as sequence from pg_class c where oid = 'events'::regclass`);
  expect(rows[0]).toEqual({
    relkind: "p",
    comment: "what 'happened'",
    granted: true,
    more: false,
    indexes: ["events_note", "events_pkey"],
    triggers: 0,
    sequence: "public.events_id_seq",
  });
  const used = await client.query<{ part: string; n: number }>(
    "select tableoid::regclass::text as part, count(*)::int as n from events group by 1 order by 1",
  );
  expect(used.rows.map(({ part }) => part)).toContain("events_p2026_02");
}
