/** A database that runs elsewhere: tenfold starts no server, and routes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../base/testing/postgres.ts";
import { AppFolders, freePorts, status, tenfold } from "./testing/app-folder.ts";

const folders = new AppFolders();
const app = folders.make("shop", { tasks: 1 });
const [router = 0] = freePorts(1);
let server: TestPostgres;

describe.skipIf(!hasPostgres)("a database elsewhere (needs Postgres)", () => {
  beforeAll(async () => {
    server = await startPostgres({ access: "host all all 127.0.0.1/32 scram-sha-256\nlocal all all trust" });
    const owner = new Client(server.connection);
    await owner.connect();
    await owner.query("create role shop login password 'pass word'");
    await owner.query("create database goods owner shop");
    await owner.end();
  }, 60_000);
  afterAll(async () => {
    await folders.remove();
    await server.stop();
  }, 60_000);

  test("is found by tasks at the router's address, with the URL's user and database", async () => {
    const path = join(app.folder, "tenfold.config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as object;
    const url = `postgres://shop:pass%20word@127.0.0.1:${server.port}/goods`;
    writeFileSync(path, JSON.stringify({ ...config, databases: { goods: { url, address: router } } }));
    writeFileSync(
      join(app.folder, "app.js"),
      "Bun.serve({ port: process.env.PORT, fetch: () => new Response(process.env.DATABASE_URL) })",
    );
    expect(await tenfold(["up", "--detach"], app.folder)).toMatchObject({ code: 0 });
    const given = await (await fetch(app.url)).text();
    expect(given).toBe(`postgres://shop:pass%20word@127.0.0.1:${router}/goods`);
    const client = new Client({ connectionString: given });
    await client.connect();
    const { rows } = await client.query("select current_user as who, current_database() as what");
    expect(rows).toEqual([{ who: "shop", what: "goods" }]);
    await client.end();
    const now = await status(app.folder);
    expect(now.services.map(({ name }) => name)).toEqual(["router-goods", "web"]);
    expect(now.databases).toMatchObject([
      { name: "goods", folder: null, servers: [{ state: "elsewhere", address: `127.0.0.1:${server.port}` }] },
    ]);
    expect(JSON.stringify(now)).not.toContain("pass%20word");
    expect((await tenfold(["status"], app.folder)).out).not.toContain("pass%20word");
  }, 60_000);
});
