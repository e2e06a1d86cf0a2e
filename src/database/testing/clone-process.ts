/** A process that clones a server, to be killed on the way: `clone-process.ts OPTIONS SOURCE`, both JSON. */
import { createLog, systemClock, systemScheduler } from "../../base/index.ts";
import { clone } from "../io/server/clone.ts";
import { PostgresServer } from "../io/server/postgres-server.ts";
import type { ServerSource } from "../orders.ts";

const [options = "", source = ""] = process.argv.slice(2);
const log = createLog({ write: () => {}, clock: systemClock, level: "error" });
const server = new PostgresServer({
  ...JSON.parse(options),
  clock: systemClock,
  scheduler: systemScheduler,
  log,
});
await clone(server, JSON.parse(source) as ServerSource, {
  onProgress: ({ copiedBytes }) => void process.stdout.write(`${copiedBytes}\n`),
});
