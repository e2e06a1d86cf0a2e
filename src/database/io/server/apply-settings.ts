/** Settings of a server that runs: what a reload can change holds at once, the rest from its next start on. */
import type { SettingsStanding } from "../../orders.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { pause } from "./server-process.ts";

/** A server reads its files within milliseconds, also a busy one. */
const RELOAD_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

const LOADED = "select pg_conf_load_time()::text as at";

/** Those that were read and need a start; and mistakes, which Postgres leaves out. */
const STANDING = `select (select json_agg(name order by name) from pg_settings where pending_restart) as waiting,
  (select json_agg(name || ': ' || error order by name) from pg_file_settings
   where error is not null and error <> 'setting could not be applied') as refused`;

/** Writes the server's settings and access, has it read them, and says what came of it. The server must answer. */
export async function applySettings(server: PostgresServer): Promise<SettingsStanding> {
  const before = await loadedAt(server);
  await server.writeSettings();
  server.reload();
  const { clock, scheduler } = server.options;
  const deadline = clock.nowMs() + RELOAD_TIMEOUT_MS;
  while ((await loadedAt(server)) === before) {
    if (clock.nowMs() > deadline)
      throw new ServerError(
        "query-failed",
        `${server.name} does not read its settings: see ${server.logFile}`,
      );
    await pause(scheduler, POLL_MS);
  }
  const [row] = await server.query(STANDING);
  return { waiting: namesIn(row?.["waiting"]), refused: namesIn(row?.["refused"]) };
}

async function loadedAt(server: PostgresServer): Promise<string | null | undefined> {
  return (await server.query(LOADED))[0]?.["at"];
}

function namesIn(json: string | null | undefined): readonly string[] {
  return json === null || json === undefined ? [] : (JSON.parse(json) as string[]);
}
