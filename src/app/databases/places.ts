/**
 * Which own databases a state directory has: where their data are and which servers each has. Written at each start, so that `down` and
 * `tenfold db` find them without a config.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../base/io/index.ts";

const PRIVATE_FILE = 0o600;

/** A database as it is on this machine. */
export interface DatabasePlace {
  /** Of the cluster. */
  readonly folder: string;
  /** Names, the first one first. */
  readonly servers: readonly string[];
}

/** All own databases of a state directory, by name. */
export type DatabasePlaces = Readonly<Record<string, DatabasePlace>>;

/** The folder of all that databases keep. */
export const databasesIn = (stateDirectory: string): string => join(stateDirectory, "databases");

/** What was written by the last start; empty when there was none. */
export function readPlaces(stateDirectory: string): DatabasePlaces {
  const path = join(databasesIn(stateDirectory), "index.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as DatabasePlaces) : {};
}

/** Writes it for the next one. Databases that are not in `places` any more are kept: their data are, too. */
export async function writePlaces(stateDirectory: string, places: DatabasePlaces): Promise<void> {
  const path = join(databasesIn(stateDirectory), "index.json");
  const all = { ...readPlaces(stateDirectory), ...places };
  await writeFileAtomic(path, `${JSON.stringify(all, undefined, 2)}\n`, PRIVATE_FILE);
}
