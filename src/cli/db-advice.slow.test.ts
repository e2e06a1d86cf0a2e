import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify } from "../base/io/index.ts";
import { freePort } from "../base/testing.ts";
import { NO_POSTGRES, until } from "../database/testing/servers.ts";
import { MAIN } from "./testing/app-folder.ts";
import { connectDatabase } from "./testing/database.ts";

/** 40 000 orders of 2000 customers, no index on the foreign key. */
const SEED = [
  "create table customers (id int primary key)",
  "insert into customers select generate_series(1, 2000)",
  "create table orders (id int primary key, customer int references customers, note text)",
  "insert into orders select i, 1 + i * 7919 % 2000, repeat('x', 80) from generate_series(1, 40000) i",
  "create extension pg_stat_statements",
  "analyze",
];

describe.skipIf(NO_POSTGRES)("tenfold db advise (needs Postgres)", () => {
  const port = freePort();
  let folder = "";
  let clones = "";
  let server: Bun.Subprocess | undefined;
  let query: ReturnType<typeof connectDatabase>;

  function start(
    env: Readonly<Record<string, string>>,
    ...words: string[]
  ): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    return Bun.spawn([process.execPath, MAIN, "db", ...words], {
      cwd: folder,
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, TMPDIR: clones, ...env },
    });
  }

  async function tenfold(...words: string[]): Promise<{ code: number; text: string }> {
    const child = start({}, ...words);
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, text: `${out}${err}` };
  }

  /** Starts advice, and waits until its copy runs. */
  /** NaN while there is none, or its file is not written yet. */
  async function pidOfCopy(): Promise<number> {
    const [name = ""] = await readdir(clones);
    const path = join(clones, name, "s/data/postmaster.pid");
    return existsSync(path) ? Number.parseInt(await Bun.file(path).text(), 10) : Number.NaN;
  }

  async function midway(): Promise<Bun.Subprocess> {
    const child = start({}, "advise");
    await until("the copy runs", async () => identify(await pidOfCopy()) !== undefined, 60_000);
    return child;
  }

  async function left(): Promise<unknown> {
    return {
      folders: await readdir(clones),
      slots: await query(port, "select slot_name from pg_replication_slots"),
    };
  }

  const NOTHING = { folders: [], slots: [] };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tenfold-cli-advice-"));
    clones = await mkdtemp(join(tmpdir(), "tenfold-clones-"));
    for (const path of [folder, clones]) await chmod(path, 0o755);
    server = Bun.spawn(
      [process.execPath, MAIN, "db", "serve", "db1", "--new", "--address", `127.0.0.1:${port}`],
      {
        cwd: folder,
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    const reader = (server.stdout as ReadableStream<Uint8Array>).getReader();
    for (let text = ""; !text.includes("postgres://"); ) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`it ended: ${text}`);
      text += new TextDecoder().decode(value);
    }
    query = connectDatabase(join(folder, ".tenfold/database"));
    for (const sql of SEED) await query(port, sql);
    for (let at = 0; at < 5; at++) await query(port, "select note from orders where customer = 42");
  }, 60_000);

  afterAll(async () => {
    server?.kill("SIGTERM");
    await server?.exited;
    for (const path of [folder, clones]) await rm(path, { recursive: true, force: true });
  });

  test("proposes an index for statements that our servers count by themselves, and cleans up", async () => {
    const { code, text } = await tenfold("advise");
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(text).toContain("CREATE INDEX CONCURRENTLY orders_customer_idx ON public.orders (customer);");
    expect(text).toMatch(/5 calls .* select note from orders where customer = \$1/);
    expect(await left()).toEqual(NOTHING);
  }, 60_000);

  test("that is stopped leaves nothing behind", async () => {
    const child = await midway();
    child.kill("SIGINT");
    expect(await child.exited).toBe(1);
    expect(await left()).toEqual(NOTHING);
  }, 120_000);

  test("that is killed leaves a copy, which the next one removes", async () => {
    const child = await midway();
    child.kill("SIGKILL");
    await child.exited;
    const [name = ""] = await readdir(clones);
    expect(name).toStartWith("tenfold-advice-");
    const pid = await pidOfCopy();
    expect(identify(pid)).toBeDefined();
    expect((await tenfold("advise")).code).toBe(0);
    expect(await left()).toEqual(NOTHING);
    expect(identify(pid)).toBeUndefined();
  }, 120_000);

  test("reads a server by its URL, and not in the clear where that has no TLS and the URL asks for it", async () => {
    const url = `postgres://postgres:wrong@127.0.0.1:${port}/postgres`;
    expect((await tenfold("advise", "--database", url)).text).toContain("password authentication failed");
    const { superuser } = await Bun.file(join(folder, ".tenfold/database/cluster.json")).json();
    const unproven = start({ PGPASSWORD: superuser }, "advise", "--database", url.replace(":wrong", ""));
    expect(await unproven.stdout.text()).toContain(
      "not-verified: CREATE INDEX CONCURRENTLY orders_customer_idx",
    );
    for (const mode of ["require", "verify-full"]) {
      const { code, text } = await tenfold("budget", "--database", `${url}?sslmode=${mode}`);
      expect(code).toBe(1);
      expect(text).toContain("the server has no TLS");
      expect(text).not.toContain("wrong");
    }
  }, 60_000);

  test("adds up connections", async () => {
    const { code, text } = await tenfold("budget", "--workers", "8", "--pool", "20");
    expect(code).toBe(0);
    expect(text).toContain("full pools ask for 165 of 97: 68 connections would be refused");
  }, 30_000);
});
