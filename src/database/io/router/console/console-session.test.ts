import { afterEach, expect, test } from "bun:test";
import { eventually } from "../../../../base/testing.ts";
import type { ConsoleReply } from "../../../router/console/facts.ts";
import { type RawClient, startRouter, type TestRouter } from "../testing.ts";

let router: TestRouter | undefined;
afterEach(() => router?.stop());

/** A client of the console; its commands are answered by `ask`. No server is needed. */
async function open(ask: (text: string) => Promise<ConsoleReply>): Promise<RawClient> {
  router = startRouter(1, { adminUsers: ["postgres"] }, { askConsole: ask });
  const client = await router.raw({ database: "pgbouncer" });
  client.clear();
  return client;
}

const answered = async (text: string): Promise<ConsoleReply> => {
  await Promise.resolve();
  return { kind: "table", table: { columns: ["said"], rows: [[text]] }, tag: "SHOW" };
};

test("commands that arrive at once are answered in order, one after the other", async () => {
  const release: (() => void)[] = [];
  const client = await open(async (text) => {
    await new Promise<void>((resolve) => release.push(resolve));
    return await answered(text);
  });
  client.add("Q", "SHOW STATS\0").add("Q", "SHOW POOLS\0").add("Q", " ;\0").send();
  await eventually("the first is asked", () => release.length === 1);
  release[0]?.();
  await client.until("Z");
  await eventually("the second is asked", () => release.length === 2);
  expect(client.types).toBe("TDCZ");
  release[1]?.();
  await client.until("Z", 3);
  expect(client.types).toBe("TDCZTDCZIZ");
  expect(client.bodies("D").map((body) => body.slice(6))).toEqual(["SHOW STATS", "SHOW POOLS"]);
});

test("a command may come in pieces", async () => {
  const client = await open(answered);
  const whole = Buffer.from("Q\0\0\0\x0fSHOW STATS\0", "latin1");
  client.socket.setNoDelay(true);
  for (const byte of whole) {
    client.socket.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve)); // oxlint-disable-line no-await-in-loop -- one after another
  }
  expect(await client.until("Z")).toBe("TDCZ");
});

test("extended queries are refused up to their Sync, and the session goes on", async () => {
  const client = await open(answered);
  client.add("P", "\0SHOW STATS\0\0\0").add("B", "\0\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0").add("S").send();
  expect(await client.until("Z")).toBe("EZ");
  expect(client.errors).toEqual(["0A000"]);
  client.add("Q", "SHOW STATS\0").send();
  expect(await client.until("Z", 2)).toBe("EZTDCZ");
});

test("what is no command, or fails, is an error that does not end the session", async () => {
  const client = await open(() => Promise.resolve({ kind: "failed", message: "it is not paused" }));
  client.add("Q", "DROP TABLE t\0").add("Q", "RESUME\0").send();
  expect(await client.until("Z", 2)).toBe("EZEZ");
  expect(client.errors).toEqual(["08P01", "08P01"]);
});

test.each([
  ["a very long command", (client: RawClient) => client.add("Q", `${"x".repeat(5000)}\0`)],
  ["a message that has no place there", (client: RawClient) => client.add("d", "x")],
])("%s ends it", async (_, add) => {
  const client = await open(answered);
  add(client).send();
  await eventually("it is closed", () => client.isClosed);
  expect(client.errors).toEqual(["08P01"]);
});

test("a drain lets the console go at once", async () => {
  const client = await open(answered);
  const drained = router?.worker.drain(20_000);
  await eventually("it is closed", () => client.isClosed);
  await drained;
  expect(client.errors).toEqual(["57P01"]);
});
