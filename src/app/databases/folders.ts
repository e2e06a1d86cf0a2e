/**
 * The folders of own databases, in the state directory:
 *
 *   databases/index.json       name -> { folder, servers }, see places.ts
 *   databases/NAME/            a cluster's folder (see cluster-folder.ts), unless it is elsewhere
 *   databases/NAME.password    what the app logs in with
 *
 * Root gives servers to another user, who must be able to get to their folder: where the way to the state directory is closed to others,
 * as below /root, data go to /var/lib/tenfold.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type DatabaseConfig, serverNames } from "../../config/index.ts";
import { ensureReachable, findOwner, ServerError } from "../../database/io/index.ts";
import { StateDirectory } from "../state-directory.ts";
import { databasesIn, readPlaces } from "./places.ts";

/** Where root keeps what its state directory cannot show to others. */
const ROOT_FOLDER = "/var/lib/tenfold";

const PRIVATE_FOLDER = 0o700;
/** Others may pass through, and list nothing. */
const PASSABLE = 0o711;
const PRIVATE_FILE = 0o600;

/** 192 bits: nobody guesses it, and it needs no escape in a URL. */
const PASSWORD_BYTES = 24;

/** Makes the folder of all databases; with root it lets Postgres' user through. */
export function prepareDatabases(stateDirectory: string): void {
  const folder = databasesIn(stateDirectory);
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (process.getuid?.() !== 0) return;
  chmodSync(stateDirectory, PASSABLE);
  chmodSync(folder, PASSABLE);
}

/** The folder of a database: where it was, where the config wants it, or where its owner can get to it. */
export async function placeOf(
  { name, folder, user }: DatabaseConfig,
  stateDirectory: string,
): Promise<string> {
  if (folder !== undefined) return folder;
  const known = readPlaces(stateDirectory)[name]?.folder;
  const own = join(databasesIn(stateDirectory), name);
  if (known !== undefined && existsSync(known)) return known;
  try {
    await ensureReachable(own, await findOwner(user));
    return own;
  } catch (problem) {
    if (!(problem instanceof ServerError && problem.code === "folder-not-reachable")) throw problem;
    return join(ROOT_FOLDER, `${basename(stateDirectory)}-${instanceOf(stateDirectory)}`, name);
  }
}

function instanceOf(stateDirectory: string): string {
  return new StateDirectory(stateDirectory).instance;
}

/**
 * The servers that a database is to have: those that it had, further ones for what is missing, fewer for what is too many. The primary
 * stays, whatever its name; of the others the last go. Their data stay where they are.
 */
export function chosenServers(
  database: DatabaseConfig,
  known: readonly string[],
  isPrimary: (server: string) => boolean,
): readonly string[] {
  const wanted = database.replicas + 1;
  const servers = known.length === 0 ? [...serverNames(database)] : [...known];
  for (let number = 1; servers.length < wanted; number++)
    if (!servers.includes(`db${number}`)) servers.push(`db${number}`);
  while (servers.length > wanted) {
    const last = servers.findLastIndex((server) => !isPrimary(server));
    servers.splice(last, 1);
  }
  return servers;
}

/** Whether a server's files say that it takes writes: they have no mark of a replica. */
export function isMarkedPrimary(folder: string, server: string): boolean {
  const data = join(folder, server, "data");
  return existsSync(join(data, "PG_VERSION")) && !existsSync(join(data, "standby.signal"));
}

/** By what tasks log in; drawn at the first start and kept. */
export function appPassword(stateDirectory: string, name: string): string {
  const path = join(databasesIn(stateDirectory), `${name}.password`);
  if (!existsSync(path))
    writeFileSync(path, `${randomBytes(PASSWORD_BYTES).toString("base64url")}\n`, { mode: PRIVATE_FILE });
  return readFileSync(path, "utf8").trim();
}

/** The file of it, for who is not to see it on a command line. */
export function appPasswordFile(stateDirectory: string, name: string): string {
  return join(databasesIn(stateDirectory), `${name}.password`);
}
