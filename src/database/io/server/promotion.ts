/** A promotion, as Postgres carries it out: asked for, and waited for. */
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { reserveTimelines } from "./reserve-timelines.ts";
import { pause } from "./server-process.ts";

/** Ending recovery takes a part of a second, on a busy disk some. */
const PROMOTE_TIMEOUT_MS = 30_000;
const PROMOTE_POLL_MS = 5;

/** Makes a replica a primary of `timeline` or a higher one; resolves when it takes writes. Throws `promotion-timeout`. */
export async function promote(
  server: Pick<PostgresServer, "data" | "logFile" | "name" | "options" | "query">,
  timeline: number,
): Promise<void> {
  const { clock, scheduler, owner } = server.options;
  const deadline = clock.nowMs() + PROMOTE_TIMEOUT_MS;
  const isReplica = async (): Promise<boolean> =>
    (await server.query("select pg_is_in_recovery()::text as replica"))[0]?.["replica"] === "true";
  if (await isReplica()) {
    await reserveTimelines(server.data, timeline, owner);
    await server.query("select pg_promote(wait => false)");
  }
  while (await isReplica()) {
    if (clock.nowMs() > deadline)
      throw new ServerError(
        "promotion-timeout",
        `${server.name} is no primary after ${PROMOTE_TIMEOUT_MS} ms: see ${server.logFile}`,
      );
    await pause(scheduler, PROMOTE_POLL_MS);
  }
}
