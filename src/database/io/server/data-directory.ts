/**
 * A data directory: making it, the files of ours in it, and what its own files say while no server runs there.
 */
import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeVerifier } from "../../../pgwire/index.ts";
import { type ControlFile, parseControlFile } from "../../control-file.ts";
import { GIVEN_ACCESS_FILE } from "../../given-configuration.ts";
import {
  type AccessRules,
  formatSettings,
  hostBasedAccess,
  type Peers,
  type PostgresSettings,
  parseSettings,
  REPLICATION_ROLE,
  ROLE_FILE,
  SETTINGS_FILE,
  SUPERUSER,
  withoutReserved,
} from "../../server-settings.ts";
import { type Binaries, hasProgram } from "./binaries.ts";
import { give, makePrivateFolder, namesIn, type Owner, writeOwned } from "./owner.ts";
import { isSystemError, ServerError } from "./problem.ts";
import { runProgram } from "./program.ts";

/** What a new cluster is made with. */
export interface NewCluster {
  readonly binaries: Binaries;
  readonly data: string;
  readonly owner: Owner;
  /** Of the superuser. */
  readonly password: string;
  /** false leaves out the sync at the end; for tests. */
  readonly durable: boolean;
}

/**
 * Makes a new cluster: SCRAM passwords, page checksums, UTF-8 that sorts by code point, which no update of a system's
 * collations can change under an index (builtin C.UTF-8 since Postgres 17, C before). Throws `data-exists` or `initdb-failed`.
 */
export async function initialise({ binaries, data, owner, password, durable }: NewCluster): Promise<void> {
  if ((await namesIn(data)).length > 0)
    throw new ServerError(
      "data-exists",
      `${data} is not empty: choose another folder, or delete what is there`,
    );
  await makePrivateFolder(data, owner);
  const folder = await mkdtemp(join(tmpdir(), "tenfold-initdb-"));
  try {
    await give(folder, owner);
    const file = join(folder, "password");
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    await give(file, owner);
    const locale =
      binaries.major >= 17
        ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        : ["--locale=C"];
    const access = [`--username=${SUPERUSER}`, `--pwfile=${file}`, "--auth=scram-sha-256"];
    const more = [
      "--encoding=UTF8",
      "--data-checksums",
      "--no-instructions",
      ...(durable ? [] : ["--no-sync"]),
    ];
    const { code, output } = await runProgram(
      binaries,
      "initdb",
      ["-D", data, ...access, ...locale, ...more],
      owner,
    );
    if (code !== 0) throw new ServerError("initdb-failed", `initdb failed: ${output}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await appendFile(join(data, "postgresql.conf"), INCLUDES);
  await changeRole(data, {}, owner);
}

/** Functions that pg_rewind calls. */
const REWIND_FUNCTIONS: readonly string[] = [
  "pg_ls_dir(text, boolean, boolean)",
  "pg_stat_file(text, boolean)",
  "pg_read_binary_file(text)",
  "pg_read_binary_file(text, bigint, bigint, boolean)",
];

/** A statement that makes a role, unless it is there. */
export function ensureRole(role: string): string {
  return `do $$ begin if not exists (select from pg_roles where rolname = '${role}') then create role ${role}; end if; end $$`;
}

/** Statements that make the role of replicas, clones and rewinds. Each is one line. */
export function replicationRole(password: string): readonly string[] {
  return [
    ensureRole(REPLICATION_ROLE),
    `alter role ${REPLICATION_ROLE} login replication password '${verifierText(password)}'`,
    ...REWIND_FUNCTIONS.map((name) => `grant execute on function pg_catalog.${name} to ${REPLICATION_ROLE}`),
  ];
}

/** The end of a postgresql.conf. */
export const INCLUDES: string = `
# tenfold's settings come last, and so they hold.
${[SETTINGS_FILE, ROLE_FILE].map((name) => `include_if_exists = '${name}'\n`).join("")}`;

/** Whether a cluster was made there. */
export async function hasData(data: string): Promise<boolean> {
  return (await namesIn(data)).includes("PG_VERSION");
}

/** What a server is told in files. */
export interface WrittenFiles {
  readonly settings: PostgresSettings;
  readonly peers: Peers;
  readonly rules: AccessRules;
}

/** Writes the files of ours: settings, and pg_hba.conf with the lines of a server that was taken over. The role is left as it is. */
export async function writeSettings(
  data: string,
  { settings, peers, rules }: WrittenFiles,
  owner: Owner,
): Promise<void> {
  const given = await readFile(join(data, GIVEN_ACCESS_FILE), "utf8").catch(() => "");
  await writeOwned(join(data, SETTINGS_FILE), formatSettings(settings), owner);
  await writeOwned(join(data, "pg_hba.conf"), hostBasedAccess(peers, { ...rules, given }), owner);
  // A rewind that was broken off, or found the disk full, leaves it empty: the server would start with Postgres' own settings.
  const main = join(data, "postgresql.conf");
  const own = await readFile(main, "utf8").catch(() => "");
  if (!own.includes(INCLUDES)) await writeOwned(main, `${own}${INCLUDES}`, owner);
  const altered = join(data, "postgresql.auto.conf");
  const text = await readFile(altered, "utf8").catch(() => "");
  if (withoutReserved(text) !== text) await writeOwned(altered, withoutReserved(text), owner);
}

/** The settings of the server's role: whom it follows, whom its commits wait for. */
export async function readRole(data: string): Promise<PostgresSettings> {
  try {
    return parseSettings(await readFile(join(data, ROLE_FILE), "utf8"));
  } catch (problem) {
    if (isSystemError(problem, "ENOENT")) return {};
    throw problem;
  }
}

/** Replaces some of them; undefined takes one out. */
export async function changeRole(
  data: string,
  changes: Readonly<Record<string, string | undefined>>,
  owner: Owner,
): Promise<void> {
  const merged = Object.entries({ ...(await readRole(data)), ...changes });
  const role = Object.fromEntries(merged.filter((pair): pair is [string, string] => pair[1] !== undefined));
  await writeOwned(join(data, ROLE_FILE), formatSettings(role), owner);
}

/** Says that the server is a replica from its next start on: even one that is started by hand takes no writes. */
export async function markReplica(data: string, owner: Owner): Promise<void> {
  await writeOwned(join(data, "standby.signal"), "", owner);
}

/** What a data directory says about its last server; throws `data-missing` when it is none. */
export async function readControlFile(data: string): Promise<ControlFile> {
  const bytes = await readFile(join(data, "global/pg_control")).catch(() => new Uint8Array());
  const control = parseControlFile(bytes);
  if (control === undefined)
    throw new ServerError("data-missing", `${data} is no data directory of Postgres`);
  return control;
}

/** What pg_rewind is needed for, and whether it is there: the npm package does not have it. */
export function canRewind(binaries: Binaries): boolean {
  return hasProgram(binaries, "pg_rewind");
}

/** The file that libpq reads passwords from: any host and port, for the cluster's servers move. */
export function passFileText(user: string, password: string): string {
  return `*:*:*:${user}:${password.replace(/[\\:]/g, "\\$&")}\n`;
}

const SALT_BYTES = 16;

/** What Postgres keeps of a password (RFC 5803): so the password itself is in no log and no query. */
export function verifierText(password: string): string {
  const { iterations, salt, storedKey, serverKey } = makeVerifier(password, randomBytes(SALT_BYTES));
  const [saltText, stored, server] = [salt, storedKey, serverKey].map((bytes) =>
    Buffer.from(bytes).toString("base64"),
  );
  return `SCRAM-SHA-256$${iterations}:${saltText}$${stored}:${server}`;
}
