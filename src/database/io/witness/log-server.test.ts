import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulatedTime } from "../../../base/index.ts";
import { eventually, settle } from "../../../base/testing.ts";
import { PgConnection } from "../../../pgwire/io/index.ts";
import { LogServer } from "./log-server.ts";
import { ReceivedLog } from "./received-log.ts";

const folder = mkdtempSync(join(tmpdir(), "tenfold-log-server-"));
let server: LogServer | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<ReturnType<typeof simulatedTime>> {
  const time = simulatedTime();
  server = await LogServer.start({
    host: "127.0.0.1",
    port: 0,
    user: "replica",
    password: "secret",
    log: await ReceivedLog.open(folder, 4),
    systemId: () => "7",
    history: () => undefined,
    ...time,
  });
  return time;
}

function open(): Socket {
  const socket = connect(server?.port ?? 0, "127.0.0.1");
  sockets.push(socket);
  return socket.on("error", () => {});
}

describe("the sender of a witness", () => {
  test("gives up a replica that takes the stream and says nothing", async () => {
    const time = await start();
    const parameters = { replication: "true" };
    const options = { host: "127.0.0.1", port: server?.port ?? 0, user: "replica", password: "secret" };
    const replica = await PgConnection.connect({ ...options, parameters });
    let messages = 0;
    const streamed = replica.stream("START_REPLICATION 0/0 TIMELINE 0", () => messages++).catch(String);
    await eventually("the stream begins", () => messages > 0);
    for (let second = 0; second < 20; second += 1) time.advance(1_000);
    expect(await streamed).toContain("the server closed it");
    expect(messages).toBeGreaterThan(10);
  });

  test("waits for nobody who does not log in, or does not read why not", async () => {
    const time = await start();
    open();
    const garbage = open();
    garbage.pause();
    garbage.write(Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])); // a start-up without parameters: no replication
    await eventually("both are there", () => server?.sessions === 2 && garbage.bytesWritten > 0);
    await settle();
    for (let second = 0; second < 12; second += 1) time.advance(1_000);
    await eventually("nobody is", () => server?.sessions === 0);
  });
});
