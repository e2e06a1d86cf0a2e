/**
 * A store in a process of its own: `store-server.ts --address HOST:PORT [--data DIR] [--settings JSON] [--tls JSON]`.
 *
 * The password comes in the environment, TENFOLD_STORE_PASSWORD, for a command line can be seen by everybody. SIGTERM and SIGINT
 * write what waits and end it; SIGHUP reads the certificate again.
 */
import { parseArgs } from "node:util";
import { createLog, systemClock } from "../base/index.ts";
import type { TlsPaths } from "../base/io/index.ts";
import { formatAddress, parseAddress } from "../config/index.ts";
import type { Settings } from "../store/index.ts";
import { runStore } from "./run-store.ts";

const { values } = parseArgs({
  options: {
    address: { type: "string" },
    data: { type: "string" },
    settings: { type: "string" },
    tls: { type: "string" },
  },
});

process.stderr.on("error", () => {}); // a full disk leaves a gap in the log; it must not end the store
const log = createLog({
  clock: systemClock,
  level: "info",
  write: (line) => process.stderr.write(line),
});

try {
  const address = parseAddress(values.address ?? "6379", "127.0.0.1");
  if (typeof address === "string") throw new Error(`--address is none: ${values.address}`);
  const settings = JSON.parse(values.settings ?? "{}") as Partial<Settings>;
  const password = process.env["TENFOLD_STORE_PASSWORD"] ?? "";
  const tls = values.tls === undefined ? undefined : (JSON.parse(values.tls) as TlsPaths);
  const running = runStore({ address, data: values.data, settings: { ...settings, password }, tls, log });
  // The controller looks at the port that it gives to every task.
  const port = Number(process.env["PORT"] ?? 0);
  if (port > 0 && port !== running.address.port) running.answerOn(port);
  const stop = (): void => void running.stop().then(() => process.exit(0));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => running.renewCertificate());
  log.info("store-serving", { address: formatAddress(running.address) });
} catch (problem) {
  log.error("store-cannot-serve", { error: String(problem) });
  process.exit(1);
}
