/** Composition root of a store: the pure store meets the kernel's sockets, its files and the clock. Reads as a parts list. */
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { type Log, systemClock, systemRandom, systemScheduler } from "../base/index.ts";
import type { TlsPaths } from "../base/io/index.ts";
import { type Address, formatAddress } from "../config/index.ts";
import { acquireLock } from "../control/io/index.ts";
import { ReplyWriter } from "../resp/index.ts";
import { type Settings, Store } from "../store/index.ts";
import { DamagedStoreError, LogFiles, StoreServer } from "../store/io/index.ts";
import { createTransport } from "../transport/io/index.ts";
import { isFree } from "./ports.ts";
import { StartFailure } from "./start-failure.ts";
import { openTls } from "./store-tls.ts";

/** What to start. */
export interface StoreOptions {
  /** Port 0 = any. */
  readonly address: Address;
  /** Folder of its files; undefined keeps everything in memory alone. */
  readonly data: string | undefined;
  readonly settings: Partial<Settings>;
  /** Files of a certificate; with it the store speaks TLS and nothing else. */
  readonly tls?: TlsPaths | undefined;
  readonly log: Log;
}

/** A store that runs in this process. */
export interface RunningStore {
  readonly address: Address;
  readonly store: Store;
  /** Opens another port on loopback, on which somebody else looks whether it is there. */
  answerOn(port: number): void;
  /** Reads the certificate again. Gives what is wrong with it, nothing when it is in use or there is none. */
  renewCertificate(): string | undefined;
  /** Writes what waits, closes files, connections and the port. */
  stop(): Promise<void>;
}

/** Starts a store in this process. Throws a `StartFailure` that names the thing and the mend. */
export function runStore({ address, data, settings, tls: paths, log }: StoreOptions): RunningStore {
  const tls = paths === undefined ? undefined : openTls(paths, log);
  const transport = tls?.transport ?? createTransport(process.env["TENFOLD_TRANSPORT"]);
  const unlock = data === undefined ? () => {} : lock(data);
  try {
    const [low = 0, high = 0] = randomFillSync(new Int32Array(2));
    const store = new Store({
      clock: systemClock,
      scheduler: systemScheduler,
      random: systemRandom,
      secret: { low, high },
      out: new ReplyWriter(),
      settings,
      processInfo,
      processTimes,
    });
    const files = data === undefined ? undefined : openFiles(store, data, log);
    const server = new StoreServer({ store, transport, log, files });
    if (address.port !== 0 && !isFree(address))
      throw new StartFailure(`the store's address ${formatAddress(address)} is in use`, IN_USE);
    const { port } = listen(server, address);
    transport.start();
    const stop = async (): Promise<void> => {
      await server.stop();
      (tls ?? transport).stop();
      unlock();
    };
    const answerOn = (other: number): void => void listen(server, { host: "127.0.0.1", port: other });
    const renewCertificate = (): string | undefined => tls?.renew();
    return { address: { host: address.host, port }, store, answerOn, renewCertificate, stop };
  } catch (problem) {
    tls?.stop();
    unlock();
    throw problem;
  }
}

/** What to do about an address that somebody else has. */
const IN_USE = "stop what uses it (`ss -ltnp` shows it), or choose another address";

function lock(data: string): () => void {
  const held = acquireLock(data);
  if (held.kind === "held") return held.release;
  throw new StartFailure(
    `${data} is in use by the store with pid ${held.pid}`,
    "stop that one, or choose another folder with --data",
  );
}

function openFiles(store: Store, data: string, log: Log): LogFiles {
  try {
    const files = new LogFiles(store, data);
    const { report } = files;
    if (report.damagedPath !== undefined)
      log.error("store-log-damaged", { lostBytes: report.lostBytes, kept: report.damagedPath });
    else if (report.lostBytes > 0) log.warn("store-log-torn", { lostBytes: report.lostBytes });
    log.info("store-loaded", { requests: report.requests, bytes: report.bytes });
    return files;
  } catch (problem) {
    if (problem instanceof DamagedStoreError) throw new StartFailure(problem.message, "");
    throw new StartFailure(
      `${join(data, "log")}: ${String(problem)}`,
      "mend the folder's rights or free space",
    );
  }
}

function listen(server: StoreServer, address: Address): { readonly port: number } {
  try {
    return server.start(address.host, address.port);
  } catch (problem) {
    throw new StartFailure(
      `the store cannot listen on ${formatAddress(address)}: ${String(problem)}`,
      IN_USE,
    );
  }
}

function processInfo(): Record<string, string | number> {
  return { process_id: process.pid, process_resident_bytes: process.memoryUsage.rss() };
}

function processTimes(): Record<string, string> {
  const { user, system } = process.cpuUsage();
  return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) };
}
