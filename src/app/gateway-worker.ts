/**
 * Composition root of one gateway worker process: `gateway-worker.ts --state DIR --index N`.
 *
 * It needs nothing but its state directory: the snapshot to serve by and the scoreboard to report in. SIGTERM drains
 * and ends it, SIGHUP makes it look for a newer snapshot at once (it watches the file anyway), SIGUSR2 opens the
 * access log anew after a rotation.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLog, systemClock, systemRandom, systemScheduler } from "../base/index.ts";
import { BatchedAppender } from "../base/io/index.ts";
import type { DiskOff, Store } from "../edge/index.ts";
import { DiskTier, joinDiskTier, mapStore } from "../edge/io/index.ts";
import { columnsFor, openScoreboard, readSnapshot, SnapshotWatch, Worker } from "../gateway/io/index.ts";
import { createTransport } from "../transport/io/index.ts";
import { DISK_MENDS, linkedFolder } from "./cache-disk.ts";

const { values } = parseArgs({ options: { state: { type: "string" }, index: { type: "string" } } });
const folder = values.state ?? ".tenfold";
const index = Number(values.index ?? 0);

process.stderr.on("error", () => {}); // a full disk leaves a gap in the log; it must not end the worker
const log = createLog({
  clock: systemClock,
  level: "info",
  write: (line) => process.stderr.write(line),
}).child({ worker: index });

const snapshotPath = join(folder, "gateway", "snapshot.json");
const snapshot = readSnapshot(snapshotPath);
const accessLog = new BatchedAppender({
  path: join(folder, "logs", "access.log"),
  scheduler: systemScheduler,
});
const transport = createTransport(process.env["TENFOLD_TRANSPORT"]);

const worker = new Worker(snapshot, {
  transport,
  clock: systemClock,
  scheduler: systemScheduler,
  random: systemRandom,
  log,
  scoreboard: openScoreboard(join(folder, "gateway", "scoreboard"), columnsFor(snapshot.gateway.workers)),
  index,
  pid: process.pid,
  writeAccess: (line) => accessLog.append(`${line}\n`),
  openCache: () => mapStore(join(folder, "gateway", "cache"), index),
  openDisk,
  linkPath: (other) => join(folder, "gateway", `edge-${other}.sock`),
});

const watch = new SnapshotWatch(snapshotPath, snapshot.revision, {
  scheduler: systemScheduler,
  changed: (next) => {
    worker.apply(next);
    log.info("snapshot", { revision: next.revision });
  },
  failed: (error) => log.error("snapshot-unreadable", { error: String(error) }),
});

process.on("SIGHUP", () => watch.check());
process.on("SIGUSR2", () => accessLog.reopen());
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());

start();

function start(): void {
  try {
    worker.start();
  } catch (error) {
    log.error("cannot-serve", {
      error: String(error),
      mend: "free the listener's address, or change it in the config",
    });
    process.exit(1);
  }
  transport.start();
  watch.start();
  const listeners = snapshot.listeners.map(({ address }) => address);
  log.info("serving", { transport: transport.name, revision: snapshot.revision, listeners });
}

/** Joins the disk tier that the controller has prepared, if it has. */
function openDisk(store: Store): DiskTier | undefined {
  const place = linkedFolder(join(folder, "gateway", "cache-disk-in-use"));
  if (place === undefined) return undefined;
  const writers = snapshot.gateway.workers;
  const tier = joinDiskTier({ folder: place, worker: index, store, writers, offChanged });
  if (tier instanceof DiskTier) return tier;
  log.error("cache-disk-unavailable", { folder: place, reason: tier, mend: DISK_MENDS[tier] });
  return undefined;
}

/** Once for each time that the disk refuses, not for each response. */
function offChanged(reason: DiskOff | undefined): void {
  if (reason === undefined) log.info("cache-disk-written-again");
  else log.warn("cache-disk-not-written", { reason, mend: DISK_MENDS[reason] });
}

/** Drains by the newest snapshot to the end: a target that leaves meanwhile must get nothing new from here either. */
async function stop(): Promise<void> {
  log.info("stopping");
  await worker.drain();
  watch.stop();
  await accessLog.close();
  process.exit(0);
}
