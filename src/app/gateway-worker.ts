/**
 * Composition root of one gateway worker process: `gateway-worker.ts --state DIR --index N`.
 *
 * It needs nothing but its state directory: the snapshot to serve by and the scoreboard to report in. SIGTERM drains
 * and ends it; SIGHUP makes it look for a newer snapshot at once (it also watches the file).
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLog, systemClock, systemRandom, systemScheduler } from "../base/index.ts";
import { BatchedAppender } from "../base/io/index.ts";
import {
  columnsFor,
  createTransport,
  openScoreboard,
  readSnapshot,
  SnapshotWatch,
  Worker,
} from "../gateway/io/index.ts";

const { values } = parseArgs({ options: { state: { type: "string" }, index: { type: "string" } } });
const folder = values.state ?? ".tenfold";
const index = Number(values.index ?? 0);

const log = createLog({
  clock: systemClock,
  level: "info",
  write: (line) => process.stderr.write(line),
}).child({ worker: index });

const path = join(folder, "gateway", "snapshot.json");
const snapshot = readSnapshot(path);
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
  writeAccess: (line) => accessLog.append(line),
});

const watch = new SnapshotWatch(path, snapshot.revision, {
  scheduler: systemScheduler,
  changed: (next) => {
    worker.apply(next);
    log.info("snapshot", { revision: next.revision });
  },
  failed: (error) => log.error("snapshot-unreadable", { error: String(error) }),
});

process.on("SIGHUP", () => watch.check());
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());

worker.start();
transport.start();
watch.start();
log.info("serving", {
  revision: snapshot.revision,
  listeners: snapshot.listeners.map(({ address }) => address),
});

async function stop(): Promise<void> {
  log.info("stopping");
  watch.stop();
  await worker.drain();
  await accessLog.close();
  process.exit(0);
}
