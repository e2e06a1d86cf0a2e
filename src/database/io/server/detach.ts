/**
 * Taking a replica off its primary. A voter promises that it takes nothing more: so this is done when the process that receives
 * is gone and cannot come back, and not when the setting is written.
 */
import { changeRole, markReplica } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { pause } from "./server-process.ts";

const TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/** Looks in a row that must show no receiver: one may be started by the setting that was read before the reload. */
const QUIET_LOOKS = 3;

const QUIET_QUERY = `select (current_setting('primary_conninfo') = ''
  and not exists (select from pg_stat_activity where backend_type = 'walreceiver'))::text as quiet`;

/** Has `server` follow nobody, now and after its next start. Throws `query-failed` when it goes on receiving. */
export async function detach(server: PostgresServer): Promise<void> {
  const { clock, scheduler, owner } = server.options;
  const nobody = { primary_conninfo: undefined, primary_slot_name: undefined, restore_command: undefined };
  await changeRole(server.data, nobody, owner);
  if (server.state !== "running") return markReplica(server.data, owner);
  server.reload();
  const deadline = clock.nowMs() + TIMEOUT_MS;
  for (let looks = 0; looks < QUIET_LOOKS; ) {
    const isQuiet = (await server.query(QUIET_QUERY))[0]?.["quiet"] === "true";
    looks = isQuiet ? looks + 1 : 0;
    if (clock.nowMs() > deadline)
      throw new ServerError(
        "query-failed",
        `${server.name} still receives from its primary after ${TIMEOUT_MS} ms: see ${server.logFile}`,
      );
    await pause(scheduler, POLL_MS);
  }
}
