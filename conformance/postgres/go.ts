/** The tests of clients of Go: lib/pq, a checkout, and pgx, as Debian packages it (`golang-github-jackc-pgx-v4-dev`). */
import { environmentOf, type Outcome, runProgram, type Suite, type Way } from "./outcome.ts";

const LIMIT_MS = 400_000;

const REASON_LENGTH = 300;

/** What pgx's tests expect of a database. */
const PGX_TABLES = "CREATE EXTENSION hstore; CREATE DOMAIN uint64 AS numeric(20, 0)";

export const libPq: Suite = {
  settings: "",
  users: ["postgres", "pqgotest"],
  run: (checkout, way, only) =>
    test({ packages: ["."], cwd: checkout, env: { PGSSLMODE: "disable", GOFLAGS: "-mod=mod" }, way, only }),
};

export const pgx: Suite = {
  settings: "",
  users: ["postgres"],
  run: async (checkout, way, only) => {
    const to = ["-h", "127.0.0.1", "-p", String(way.server), "-U", "postgres", "postgres"];
    await runProgram({
      argv: ["psql", "-c", PGX_TABLES, ...to],
      cwd: way.folder,
      env: environmentOf(way.server, "postgres"),
      limitMs: LIMIT_MS,
    });
    const url = `host=127.0.0.1 port=${way.port} user=postgres database=postgres sslmode=disable`;
    return test({
      packages: [".", "./stdlib", "./pgxpool"],
      cwd: checkout,
      env: { PGX_TEST_DATABASE: url, GO111MODULE: "off", GOPATH: "/usr/share/gocode" },
      way,
      only,
    });
  },
};

interface GoTest {
  readonly packages: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly way: Way;
  readonly only: string;
}

/** One outcome for each test, and one for each package. */
async function test({ packages, cwd, env, way, only }: GoTest): Promise<Outcome[]> {
  const filter = only === "" ? [] : ["-run", only];
  const { output } = await runProgram({
    argv: ["go", "test", "-json", "-vet=off", "-count=1", "-p=1", "-timeout=5m", ...filter, ...packages],
    cwd,
    env: { ...environmentOf(way.port, "postgres"), ...env },
    limitMs: LIMIT_MS,
  });
  const said = new Map<string, string>();
  const outcomes: Outcome[] = [];
  for (const line of output.split("\n").filter((text) => text.startsWith("{"))) {
    const event = JSON.parse(line) as Record<string, string | undefined>;
    const { Action, Package = "", Test = "all", Output = "" } = event;
    const name = packages.length === 1 ? Test : `${Package.split("/").at(-1)} ${Test}`;
    if (Action === "output") said.set(name, (said.get(name) ?? "") + Output);
    if (Action === "pass" || Action === "fail") {
      const reason = (said.get(name) ?? "").replaceAll(/\s+/g, " ").slice(-REASON_LENGTH);
      outcomes.push({ name, passed: Action === "pass", reason });
    }
  }
  return outcomes;
}
