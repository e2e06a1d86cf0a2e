import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const scratch = mkdtempSync(join(tmpdir(), "tenfold-build-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs a program in the repository; gives its exit code and all that it printed. */
function run(...command: string[]) {
  const child = Bun.spawnSync(command, { cwd: ROOT });
  return { code: child.exitCode, printed: child.stdout.toString() + child.stderr.toString() };
}

describe("what an app imports", () => {
  beforeAll(() => {
    const build = run(
      "node_modules/.bin/tsc",
      "-p",
      "tsconfig.build.json",
      "--outDir",
      join(scratch, "dist"),
    );
    expect(build).toEqual({ code: 0, printed: "" });
    writeFileSync(join(scratch, "package.json"), '{ "type": "module" }');
  }, 60_000);

  test("runs on plain Node: tenfold/config knows a mistake when it sees one", () => {
    const program = `
      import { defineConfig, parseConfig } from "./dist/config/index.js";
      const outcome = parseConfig(defineConfig({ lisseners: {} }), { folder: "/", cores: 2 });
      console.log(outcome.problems[0].mend);`;
    writeFileSync(join(scratch, "app.js"), program);
    expect(run("node", join(scratch, "app.js"))).toEqual({
      code: 0,
      printed: expect.stringContaining("listeners"),
    });
  });

  test("runs on plain Node: tenfold/planner simulates production's own balancers", () => {
    const program = `
      import { parseDesign, simulate } from "./dist/planner/index.js";
      const design = parseDesign({
        clients: { all: { to: "web", rate: "100/s" } },
        nodes: { web: { kind: "gateway", to: "app" }, app: { kind: "service", tasks: 3, time: "10ms" } },
        run: { duration: "5s" },
      });
      console.log(simulate(design.value).total.errorShare);`;
    writeFileSync(join(scratch, "plan.js"), program);
    expect(run("node", join(scratch, "plan.js"))).toEqual({ code: 0, printed: "0\n" });
  });

  test("runs on plain Node: tenfold/cache loads once, keeps what is written behind, and finds a server that is not there", () => {
    const program = `
      import { createCache, writeBehind } from "./dist/cache/io/index.js";
      const cache = createCache({ store: "redis://127.0.0.1:1" });
      let loads = 0;
      const values = await Promise.all([1, 2, 3].map(() => cache.getOrSet("k", async () => ++loads)));
      const rows = new Map();
      const source = { load: (key) => rows.get(key), store: (key, value) => void rows.set(key, value) };
      const behind = await writeBehind(cache, source, { prefix: "row:", log: ${JSON.stringify(join(scratch, "node.log"))} });
      await behind.set(1, "one");
      await behind.drain();
      await behind.close();
      await cache.close();
      console.log(values.join(), rows.get(1));`;
    writeFileSync(join(scratch, "cache.js"), program);
    expect(run("node", join(scratch, "cache.js"))).toEqual({ code: 0, printed: "1,1,1 one\n" });
  });

  test("runs on plain Node: tenfold/session counts visits, tenfold/http-cache answers 304, tenfold/next keeps a page", () => {
    const program = `
      import { createServer } from "node:http";
      import { createSessions, memoryStore, nodeSessions } from "./dist/session/io/index.js";
      import { sendCached } from "./dist/http-cache/index.js";
      import { memoryBackend, nextCacheHandler } from "./dist/next-cache/io/index.js";
      const sessions = createSessions({ store: memoryStore() });
      const server = createServer(nodeSessions(sessions, (request, response, session) => {
        const body = request.url === "/count" ? String(session.increment("n")) : "same";
        sendCached(request, response, body, { cache: { store: "private", noCache: true } });
      }));
      server.listen(0, async () => {
        const ask = (path, headers) => fetch("http://127.0.0.1:" + server.address().port + path, { headers });
        const first = await ask("/count");
        const cookie = first.headers.getSetCookie()[0].split(";")[0];
        const count = await (await ask("/count", { cookie })).text();
        const { status } = await ask("/", { "if-none-match": (await ask("/")).headers.get("etag") });
        const handler = new (nextCacheHandler({ backend: memoryBackend(), buildId: "b" }))();
        await handler.set("/", { kind: "PAGES", html: "kept" });
        console.log(count, status, (await handler.get("/")).value.html);
        server.close();
      });`;
    writeFileSync(join(scratch, "serve.js"), program);
    expect(run("node", join(scratch, "serve.js"))).toEqual({ code: 0, printed: "2 304 kept\n" });
  });

  test("runs on plain Node: tenfold/cache/query knows what a query is that it cannot cache", () => {
    const program = `
      import { cacheQueries } from "./dist/cache/query/index.js";
      import { RespClient } from "./dist/resp/io/index.js";
      const store = new RespClient({ url: "redis://127.0.0.1:1" });
      const db = cacheQueries({ query: () => Promise.reject(new Error("no database")) }, { store });
      console.log((await db.queryCache.explain("SELECT 1")).reason);
      process.exit(0);`;
    symlinkSync(join(ROOT, "node_modules"), join(scratch, "node_modules"));
    writeFileSync(join(scratch, "query.js"), program);
    expect(run("node", join(scratch, "query.js"))).toEqual({ code: 0, printed: "no-tables\n" });
  });

  test("runs on plain Node: a store in Postgres that is not there costs a cache nothing but time, and a wrong URL is told", () => {
    const program = `
      import { createCache } from "./dist/cache/io/index.js";
      import { openSessionStore } from "./dist/session/io/index.js";
      const cache = createCache({ store: "pg://postgres@127.0.0.1:1/none" });
      console.log(await cache.getOrSet("k", async () => "loaded"));
      try { openSessionStore("pg://host"); } catch (error) { console.log(error.message); }
      process.exit(0);`;
    writeFileSync(join(scratch, "postgres.js"), program);
    expect(run("node", join(scratch, "postgres.js"))).toEqual({
      code: 0,
      printed: "loaded\nthe store's URL is none: write pg://user:password@host:5432/database\n",
    });
  });

  test("tenfold/planner is bundled for a browser without a module of Node", async () => {
    const { success, outputs } = await Bun.build({
      entrypoints: [join(scratch, "dist/planner/index.js")],
      target: "browser",
    });
    const [bundle] = outputs;
    expect(success).toBe(true);
    expect(await bundle?.text()).not.toMatch(/from "node:|require\(|process\.|Bun\./);
  });
});

describe("the published package", () => {
  test("holds the launcher, the sources and the guide, and no test", () => {
    const packed = JSON.parse(
      run("npm", "pack", "--dry-run", "--json", "--ignore-scripts", "--silent").printed,
    );
    const paths: string[] = packed[0].files.map((file: { path: string }) => file.path);
    expect(paths).toContain("bin/tenfold");
    expect(paths).toContain("src/config/index.ts");
    expect(paths).toContain("docs/guide/getting-started.md");
    expect(paths.filter((path) => /\.test\.ts$|(?:^|\/)testing(?:\/|\.ts$)|suite\.ts$/.test(path))).toEqual(
      [],
    );
  });
});
