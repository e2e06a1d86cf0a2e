import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog, simulatedTime } from "../../../base/index.ts";
import { eventually } from "../../../base/testing.ts";
import { WalWitness } from "./wal-witness.ts";

const folder = mkdtempSync(join(tmpdir(), "tenfold-witness-"));
const servers: Server[] = [];
let witness: WalWitness | undefined;

afterEach(async () => {
  await witness?.stop();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A primary that lets in and never says a word, as one whose machine hangs. */
async function silent(): Promise<{ readonly port: number; connections: number; open: number }> {
  const seen = { port: 0, connections: 0, open: 0 };
  const server = createServer((socket) => {
    seen.connections += 1;
    seen.open += 1;
    socket
      .on("error", () => {})
      .on("close", () => (seen.open -= 1))
      .resume();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  seen.port = typeof address === "object" && address !== null ? address.port : 0;
  return seen;
}

test("a witness gives up a primary that it is about to reach, and goes on to the next one at once", async () => {
  const time = simulatedTime(); // no deadline of its own is ever over
  const log = createLog({ write: () => {}, clock: time.clock, level: "error" });
  const login = { user: "replica", password: "secret" };
  const listen = { host: "127.0.0.1", port: 0 };
  witness = await WalWitness.start({ name: "w1", folder, listen, ...login, ...time, log });
  const [first, second] = [await silent(), await silent()];
  const source = (port: number) => ({ host: "127.0.0.1", port, ...login, slot: undefined });
  witness.follow(source(first.port));
  await eventually("it is about to reach the first", () => first.open === 1);
  witness.detach();
  await eventually("it has given that up", () => first.open === 0);
  witness.follow(source(first.port));
  witness.follow(source(second.port));
  await eventually("it is about to reach the second", () => second.open === 1);
  expect(first.open).toBe(0);
  expect(witness.view()).toMatchObject({ streaming: false, isWhole: false, position: { timeline: 0 } });
});
