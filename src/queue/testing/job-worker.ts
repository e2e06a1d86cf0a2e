/** A process of its own that works: `URL`, `CONCURRENCY`, `HOLD_MS` and `DRAIN` from the environment. Prints "ready", then each job's number at its begin. */
import { appendFileSync } from "node:fs";
import { openQueue } from "../io/index.ts";
import { COUNTED } from "./kinds.ts";

const { URL: url = "", LOG = "", HOLD_MS = "0", CONCURRENCY = "10", DRAIN = "5s" } = process.env;
const queue = await openQueue({ url, jobs: COUNTED, poll: "100ms", drain: DRAIN });
queue.work("count", { concurrency: Number(CONCURRENCY) }, async ({ data, signal }) => {
  appendFileSync(LOG, `begin ${data.n}\n`);
  await new Promise<void>((resolve, reject) => {
    setTimeout(resolve, Number(HOLD_MS));
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
  appendFileSync(LOG, `end ${data.n}\n`);
});
process.stdout.write("ready\n");
