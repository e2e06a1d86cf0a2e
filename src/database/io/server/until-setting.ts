/** A reload is a signal: it is done when the server shows what it has read. */
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { pause } from "./server-process.ts";

/** A server reads its files within milliseconds, also a busy one. */
const RELOAD_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

/** Resolves when the server's setting `name` is `value`; throws `query-failed` when it does not come to that. */
export async function untilSetting(server: PostgresServer, name: string, value: string): Promise<void> {
  const { clock, scheduler } = server.options;
  const deadline = clock.nowMs() + RELOAD_TIMEOUT_MS;
  while ((await server.query("select current_setting($1) as value", [name]))[0]?.["value"] !== value) {
    if (clock.nowMs() > deadline)
      throw new ServerError("query-failed", `${server.name} does not take ${name}: see ${server.logFile}`);
    await pause(scheduler, POLL_MS);
  }
}
