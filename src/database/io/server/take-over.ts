/**
 * Taking over a data directory that somebody else made: with initdb by hand, or Debian's packages. It stays where it is; the server's folder
 * gets a link to it, last, so that whatever dies halfway is done again.
 *
 *   checks, which change nothing -> its configuration, below ours -> its access, after ours -> roles of ours -> link
 *
 * Roles are made by Postgres' single-user mode: it needs no password, and no server that anybody could reach meanwhile.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile, stat, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { identify } from "../../../base/io/index.ts";
import {
  configurationFile,
  GIVEN_ACCESS_FILE,
  givenConfiguration,
  placeIn,
} from "../../given-configuration.ts";
import { REPLICATION_ROLE, SETTINGS_FILE, SUPERUSER } from "../../server-settings.ts";
import { changeRole, hasData, INCLUDES, REWIND_FUNCTIONS, verifierText } from "./data-directory.ts";
import { ensureReachable, linkTarget, syncPath, writeOwned } from "./owner.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { runProgram } from "./program.ts";
import { readLock } from "./server-process.ts";

/**
 * Has `server` work on the data directory `given`; does nothing when it does so already. The superuser gets the cluster's password.
 * Throws a `ServerError` that says what is in the way; nothing is changed then.
 */
export async function takeOver(server: PostgresServer, given: string): Promise<void> {
  const link = join(server.options.folder, "data");
  const there = linkTarget(link);
  if (there === given) return;
  if (there !== undefined || existsSync(link))
    throw new ServerError(
      "data-exists",
      `${server.name} has data already, in ${there ?? link}: take another name`,
    );
  await checkGiven(server, given);
  await prepareFiles(server, given);
  await makeRoles(server, given);
  await symlink(given, link);
  await syncPath(server.options.folder);
}

async function checkGiven(server: PostgresServer, given: string): Promise<void> {
  const { binaries, owner } = server.options;
  if (!(await hasData(given)))
    throw new ServerError("data-missing", `${given} is no data directory of Postgres: it has no PG_VERSION`);
  const version = (await readFile(join(given, "PG_VERSION"), "utf8")).trim();
  if (Number(version) !== binaries.major)
    throw new ServerError(
      "other-version",
      `${given} is of Postgres ${version}, and ${binaries.bin} is of ${binaries.version}: name the folder of Postgres ${version} (--postgres /usr/lib/postgresql/${version}), or bring the data up by pg_upgrade`,
    );
  const { uid } = await stat(given);
  const own = owner?.uid ?? process.getuid?.();
  if (uid !== own)
    throw new ServerError(
      "wrong-owner",
      `${given} belongs to uid ${uid}, and Postgres would run as uid ${own}: name its owner (--user), or give it over (chown -R)`,
    );
  const lock = readLock(given);
  if (lock !== undefined && identify(lock.pid) !== undefined)
    throw new ServerError(
      "still-running",
      `a server runs in ${given} (pid ${lock.pid}): stop it, and see to it that nobody starts it again (Debian: systemctl disable --now postgresql@VERSION-NAME)`,
    );
  const signal = ["standby.signal", "recovery.signal"].find((name) => existsSync(join(given, name)));
  if (signal !== undefined)
    throw new ServerError(
      "is-standby",
      `${given} is a replica (it has ${signal}): take over its primary, and have this one cloned from it; or promote it first, where that primary is gone`,
    );
  await ensureReachable(given, owner);
}

/** Its own files, where they will be read from now on. Those that are there already are of an attempt before. */
async function prepareFiles({ options: { owner } }: PostgresServer, given: string): Promise<void> {
  const own = join(given, "postgresql.conf");
  const opts = await readFile(join(given, "postmaster.opts"), "utf8").catch(() => "");
  const from = configurationFile(opts) ?? own;
  if (!existsSync(from))
    throw new ServerError(
      "configuration-missing",
      `${from} is not there: put the server's postgresql.conf and pg_hba.conf into ${given}`,
    );
  const text = await readFile(from, "utf8");
  const isDone = from === own && text.includes(SETTINGS_FILE);
  const at = (name: "hba_file" | "ident_file", usual: string): string =>
    resolve(given, placeIn(text, name) ?? join(dirname(from), usual));
  const access = join(given, GIVEN_ACCESS_FILE);
  if (!existsSync(access))
    await writeOwned(access, await readFile(at("hba_file", "pg_hba.conf"), "utf8").catch(() => ""), owner);
  const [ident, wanted] = [at("ident_file", "pg_ident.conf"), join(given, "pg_ident.conf")];
  if (ident !== wanted && existsSync(ident)) await writeOwned(wanted, await readFile(ident, "utf8"), owner);
  if (!isDone)
    await writeOwned(
      own,
      `${givenConfiguration(text, (kind, path) => held(kind, resolve(dirname(from), path)))}${INCLUDES}`,
      owner,
    );
  await changeRole(given, {}, owner);
}

/** What an included file, or all files of a folder, hold. */
function held(kind: string, path: string): string {
  if (kind !== "include_dir") return existsSync(path) ? readFileSync(path, "utf8") : "";
  const names = existsSync(path) ? readdirSync(path).filter((name) => /^[^.].*\.conf$/.test(name)) : [];
  return names
    .toSorted()
    .map((name) => readFileSync(join(path, name), "utf8"))
    .join("\n");
}

/** Each a line: that is how single-user mode takes statements. */
async function makeRoles({ options }: PostgresServer, given: string): Promise<void> {
  const { binaries, owner, passwords } = options;
  const make = (role: string): string =>
    `do $$ begin if not exists (select from pg_roles where rolname = '${role}') then create role ${role}; end if; end $$`;
  const statements = [
    make(SUPERUSER),
    `alter role ${SUPERUSER} superuser login password '${verifierText(passwords.superuser)}'`,
    make(REPLICATION_ROLE),
    `alter role ${REPLICATION_ROLE} login replication password '${verifierText(passwords.replication)}'`,
    ...REWIND_FUNCTIONS.map((name) => `grant execute on function pg_catalog.${name} to ${REPLICATION_ROLE}`),
  ];
  const args = ["--single", "-D", given, "-c", "log_min_messages=error", "postgres"];
  const { code, output } = await runProgram(binaries, "postgres", args, owner, {
    input: statements.map((statement) => `${statement}\n`).join(""),
  });
  const problem = output.split("\n").find((line) => /\b(?:ERROR|FATAL|PANIC):/.test(line));
  if (code !== 0 || problem !== undefined)
    throw new ServerError("start-failed", `Postgres cannot work on ${given}: ${problem ?? output}`);
}
