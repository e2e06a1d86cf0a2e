/** The database that apps are given: made with the cluster, or by whoever is primary next, should the first one have died over it. */
import { readFile } from "node:fs/promises";
import type { Cancel } from "../../base/index.ts";
import { type DatabaseAgent, ensureAppDatabase, type PostgresServer } from "../../database/io/index.ts";

/** Its name, also that of the role that owns it, and the file of the role's password. */
export interface AppDatabase {
  readonly name: string;
  readonly passwordFile: string;
}

const RETRY_MS = 2_000;

/** Makes it on a primary, unless it is there. */
export async function makeAppDatabase(
  server: PostgresServer,
  { name, passwordFile }: AppDatabase,
): Promise<void> {
  await ensureAppDatabase(server, name, (await readFile(passwordFile, "utf8")).trim());
}

/** Sees to it that it is there, once the agent's server may write or has it from a primary; returns what ends that. */
export function keepAppDatabase(agent: DatabaseAgent, app: AppDatabase): Cancel {
  const { server } = agent;
  const { scheduler, log } = server.options;
  let isOver = false;
  let cancel: Cancel = () => {};
  const attempt = async (): Promise<boolean> => {
    if (server.state !== "running") return false;
    const { role } = await server.view();
    if (role === "primary" && agent.mayWrite) await makeAppDatabase(server, app);
    const [found] = await server.query("select 1 as there from pg_database where datname = $1", [app.name]);
    return found !== undefined;
  };
  const run = (): void => {
    void attempt()
      .catch((problem: unknown) => {
        log.warn("database-of-app-not-made", { server: server.name, error: String(problem) });
        return false;
      })
      .then((isThere) => {
        if (!isThere && !isOver) cancel = scheduler.after(RETRY_MS, run);
      });
  };
  run();
  return () => {
    isOver = true;
    cancel();
  };
}
