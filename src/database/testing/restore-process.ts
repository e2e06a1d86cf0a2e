/** A process that restores the newest backup, to be killed on the way: `restore-process.ts OPTIONS STORE`, JSON and a folder. */
import { createLog, systemClock, systemScheduler } from "../../base/index.ts";
import { BackupStore } from "../io/server/backup-store.ts";
import { PostgresServer } from "../io/server/postgres-server.ts";
import { restore } from "../io/server/restore.ts";

const [options = "", store = ""] = process.argv.slice(2);
const log = createLog({ write: () => {}, clock: systemClock, level: "error" });
const server = new PostgresServer({
  ...JSON.parse(options),
  clock: systemClock,
  scheduler: systemScheduler,
  log,
});
await restore(new BackupStore(store, server.options.owner), server, { kind: "latest" });
