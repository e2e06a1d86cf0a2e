/**
 * The tests of pgjdbc, the driver of Java: a checkout with the compiled tests in its folder `out` (README.md says how), against Debian's
 * `libpostgresql-jdbc-java`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Outcome, runProgram, type Suite, type Way } from "./outcome.ts";

const LIMIT_MS = 900_000;

const REASON_LENGTH = 300;

const JARS = "/usr/share/java";

/** The driver, what it needs, and what the tests need. */
const CLASSES =
  /^(?:junit|apiguardian|hamcrest|checker-qual|scram|stringprep|osgi|opentest4j)[\w-]*\.jar$|^postgresql\.jar$/;

/** Need a second server, certificates, GSSAPI or a server that speaks of its replication. */
const LEFT_OUT = "(?:org\\.postgresql\\.(?:replication|test\\.ssl|test\\.hostchooser|ssl)\\..*)|.*SlowTest";

export const pgjdbc: Suite = {
  settings: "max_prepared_transactions = 20\n",
  users: ["postgres", "test"],
  run: async (checkout, way, only) => {
    const superuser = ["-h", "127.0.0.1", "-p", String(way.server), "-U", "postgres"];
    const statements = ["CREATE USER test WITH PASSWORD 'test'", "CREATE DATABASE test OWNER test"];
    await psql(way, [...statements.flatMap((sql) => ["-c", sql]), ...superuser, "postgres"]);
    await psql(way, ["-c", "CREATE EXTENSION hstore", ...superuser, "test"]);
    const jars = readdirSync(JARS).filter((name) => CLASSES.test(name) && !name.includes("standalone"));
    const classes = [join(checkout, "out"), ...jars.map((name) => join(JARS, name))].join(":");
    const reports = join(way.folder, "reports");
    const filter = only === "" ? [] : ["--include-classname", `.*${only}.*`];
    await runProgram({
      argv: [
        "java",
        "-Dserver=127.0.0.1",
        `-Dport=${way.port}`,
        "-Duser.timezone=UTC",
        "-cp",
        classes,
        "org.junit.platform.console.ConsoleLauncher",
        `--scan-classpath=${join(checkout, "out")}`,
        `--exclude-classname=${LEFT_OUT}`,
        `--reports-dir=${reports}`,
        "--details=none",
        "--disable-banner",
        ...filter,
      ],
      cwd: join(checkout, "pgjdbc"),
      env: environmentOf(way.port, "test"),
      limitMs: LIMIT_MS,
    });
    return readdirSync(reports).flatMap((name) => outcomesOf(readFileSync(join(reports, name), "utf8")));
  },
};

function psql(way: Way, argv: readonly string[]): Promise<unknown> {
  const env = environmentOf(way.server, "postgres");
  return runProgram({ argv: ["psql", ...argv], cwd: way.folder, env, limitMs: LIMIT_MS });
}

const TEST_CASE = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gsu;

/** Of a report of JUnit. Tests that skip themselves are left out; of one with parameters, several bear one name. */
function outcomesOf(report: string): Outcome[] {
  const seen = new Map<string, number>();
  const outcomes: Outcome[] = [];
  for (const [, method = "", owner = "", body = ""] of report.matchAll(TEST_CASE)) {
    if (body.includes("<skipped")) continue;
    const plain = `${owner.split(".").at(-1)}.${method}`;
    const nth = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, nth);
    const failure = /<(?:failure|error)[^>]*?(?:message="([^"]*)")?[^>]*>/u.exec(body);
    const passed = failure === null;
    outcomes.push({
      name: nth === 1 ? plain : `${plain} #${nth}`,
      passed,
      reason: passed ? "" : (failure[1] ?? failure[0]).replaceAll(/\s+/gu, " ").slice(0, REASON_LENGTH),
    });
  }
  return outcomes;
}
