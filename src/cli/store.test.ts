import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { textOf } from "../resp/index.ts";
import { RespClient } from "../resp/io/index.ts";
import { AppFolders, freePorts, MAIN, tenfold } from "./testing/app-folder.ts";

const folders = new AppFolders();
const clients: RespClient[] = [];
afterAll(async () => {
  for (const client of clients) client.close();
  await folders.remove();
});

function connect(url: string): RespClient {
  const client = new RespClient({ url, deadlineMs: 5000 });
  clients.push(client);
  return client;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`did not happen within 15 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const APP = `
Bun.serve({ port: process.env.PORT, fetch: () => new Response(process.env.TENFOLD_STORE_SHARED_URL) });
process.on("SIGTERM", () => process.exit(0));
`;

describe("stores in the config", () => {
  test("check refuses a store that may drop what must not vanish, and says how to mend it", async () => {
    const { folder } = folders.make("evicting", {});
    const path = join(folder, "tenfold.config.json");
    const config = (await Bun.file(path).json()) as Record<string, unknown>;
    const stores = {
      users: { url: "redis://:secret@10.0.0.5/0", use: "sessions" },
      pages: { url: "redis://10.0.0.5:6379/1", use: "cache" },
      shared: { url: "embedded:", eviction: "allkeys-lru" },
    };
    await Bun.write(path, JSON.stringify({ ...config, stores }));
    for (const command of [["check"], ["up", "--detach"]]) {
      const { code, err } = await tenfold(command, folder);
      expect(code).not.toBe(0);
      expect(err).toContain("stores.pages.url: is the server of stores.users");
      expect(err).toContain('write eviction: "noeviction", or use: "cache" if all in it can be made again');
      expect(err).not.toContain("secret");
    }
  });

  test("a store in Postgres is not run, and its URL is known to every task", async () => {
    const app = folders.make("with-postgres", {});
    await Bun.write(join(app.folder, "app.js"), APP);
    const path = join(app.folder, "tenfold.config.json");
    const config = (await Bun.file(path).json()) as Record<string, unknown>;
    const url = "pg://app:secret@127.0.0.1:5432/app?sslmode=disable";
    await Bun.write(path, JSON.stringify({ ...config, stores: { shared: { url } } }));
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
    expect(await (await fetch(app.url)).text()).toBe(url);
    const { out } = await tenfold(["status"], app.folder);
    expect(out).not.toContain("store-shared");
    expect(out).not.toContain("secret");
  }, 30_000);

  test("are run, healed, and known to every task", async () => {
    const app = folders.make("with-store", {});
    const [port = 0] = freePorts(1);
    await Bun.write(join(app.folder, "app.js"), APP);
    const path = join(app.folder, "tenfold.config.json");
    const config = (await Bun.file(path).json()) as Record<string, unknown>;
    const stores = { shared: { url: "embedded:", address: `127.0.0.1:${port}`, fsync: "always" } };
    await Bun.write(path, JSON.stringify({ ...config, stores }));
    const up = Bun.spawn([process.execPath, MAIN, "up"], {
      cwd: app.folder,
      stdout: "ignore",
      stderr: "ignore",
    });
    let url = "";
    await until("the app", async () => {
      url = await (await fetch(app.url)).text();
      return url.startsWith("redis://");
    });
    expect(url).toMatch(new RegExp(`^redis://default:[\\w-]{32}@127\\.0\\.0\\.1:${port}$`));
    const client = connect(url);
    await until("the store", async () => (await client.call(["SET", "k", "v"])) === "OK");
    const stranger = connect(`redis://127.0.0.1:${port}`);
    expect(await stranger.call(["GET", "k"]).catch((error: Error) => error.message)).toContain("refused");
    const info = textOf(await client.call(["INFO", "server"])) ?? "";
    process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), "SIGKILL");
    await until("the store again", async () => textOf(await client.call(["GET", "k"])) === "v");
    up.kill("SIGINT");
    expect(await up.exited).toBe(0);
    expect(existsSync(join(app.folder, ".tenfold/stores/shared.password"))).toBe(true);
  }, 60_000);
});

describe("tenfold store", () => {
  test("serves, keeps what it was told over a stop, and says where it is", async () => {
    const [port = 0] = freePorts(1);
    const start = async (): Promise<ReturnType<typeof Bun.spawn>> => {
      const command = [process.execPath, MAIN, "store", "--address", `127.0.0.1:${port}`, "--data", "data"];
      return Bun.spawn(command, { cwd: folders.root, stdout: "pipe", stderr: "inherit" });
    };
    const client = connect(`redis://127.0.0.1:${port}`);
    const first = await start();
    await until("the store", async () => (await client.call(["RPUSH", "list", "a", "b"])) === 2);
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    const second = await start();
    await until("the store again", async () => (await client.call(["LLEN", "list"])) === 2);
    second.kill("SIGINT");
    expect(await second.exited).toBe(0);
    expect(await new Response(second.stdout as ReadableStream).text()).toContain(
      `store at redis://127.0.0.1:${port}`,
    );
  }, 30_000);

  test.each([
    [["--address", "0.0.0.0:6399"], "there is no password"],
    [["--fsync", "sometimes"], "write one of everysec, always, no, off"],
    [["--eviction", "lru"], "is not known"],
    [["--memory", "much"], "is no size"],
  ])("refuses %p in a sentence", async (words, told) => {
    const env = { ...process.env, TENFOLD_STORE_PASSWORD: "" };
    const child = Bun.spawn([process.execPath, MAIN, "store", ...words], {
      cwd: folders.root,
      env,
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await child.exited).not.toBe(0);
    expect(await new Response(child.stderr).text()).toContain(told);
  });
});
