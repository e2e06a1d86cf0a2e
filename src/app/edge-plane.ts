/** The other installations of the site, put together: the log of purges in its file, and the lines to them. */
import { type Log, systemClock, systemRandom, systemScheduler } from "../base/index.ts";
import { openJournalStore } from "../control/io/index.ts";
import { sendBatch } from "./edge-client.ts";
import { Propagation } from "./propagation.ts";
import { PurgeJournal } from "./purge-journal.ts";
import type { Purger } from "./purger.ts";

export interface EdgePlane {
  readonly propagation: Propagation;
  /** Ends the lines, and lets go of the file. */
  close(): Promise<void>;
}

/** Opens the log at `path`. Tells nobody before `setEdges`. */
export async function openEdges(path: string, purger: Pick<Purger, "apply">, log: Log): Promise<EdgePlane> {
  const store = await openJournalStore(path);
  const isDamaged = store.tail.kind === "corrupt";
  if (isDamaged)
    log.warn("purge-log-damaged", { path, note: "all installations forget everything that is cached" });
  const journal = await PurgeJournal.open(store, { clock: systemClock, isDamaged });
  const propagation = new Propagation({
    journal,
    apply: (purges, from, number) => purger.apply(purges, from, number),
    send: sendBatch,
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
  });
  return {
    propagation,
    async close() {
      await propagation.stop();
      await store.close();
    },
  };
}
