/**
 * The end of `down`: servers outlive their agents, so one whose agent was killed would run on. Whatever server of this state directory
 * still runs is stopped here, in order.
 */
import { join } from "node:path";
import { type Log, systemClock, systemScheduler } from "../../base/index.ts";
import { stopLeftServer } from "../../database/io/index.ts";
import { serversIn } from "../cluster-folder.ts";
import { readPlaces } from "./places.ts";

/** Stops what is left; resolves when nothing is, or says in the log what does not end. */
export async function stopServers(stateDirectory: string, log: Log): Promise<void> {
  const places = Object.values(readPlaces(stateDirectory));
  const folders = places.flatMap(({ folder }) => serversIn(folder).map((server) => join(folder, server)));
  const time = { clock: systemClock, scheduler: systemScheduler };
  await Promise.all(
    folders.map(async (folder) => {
      try {
        if (await stopLeftServer(join(folder, "data"), time)) log.warn("database-stopped", { folder });
      } catch (problem) {
        log.error("database-not-stopped", { folder, error: String(problem) });
      }
    }),
  );
}
