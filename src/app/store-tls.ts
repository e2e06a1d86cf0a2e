/**
 * TLS of a running store: its certificate is looked at every minute and on demand, and a renewed one is shown to whoever connects
 * from then on. A pair that does not fit together, half renewed, changes nothing: the one in use stays, and the log says so.
 */
import { type Cancel, type Log, systemClock, systemScheduler } from "../base/index.ts";
import { readIdentity, TlsFileError, type TlsIdentity, type TlsPaths } from "../base/io/index.ts";
import { TlsTransport } from "../store/io/index.ts";
import { StartFailure } from "./start-failure.ts";

const LOOK_MS = 60_000;

/** From here on the log says that the certificate ends. */
const EXPIRY_WARNING_MS = 14 * 86_400_000;

/** Failed handshakes are counted, and said at most this often: anybody can make them. */
const FAILURES_MS = 10_000;

/** TLS of a store. */
export interface StoreTls {
  readonly transport: TlsTransport;
  /** Reads the files now. Gives what is wrong with them, nothing when they are in use. */
  renew(): string | undefined;
  stop(): void;
}

/** Reads the certificate and keeps it fresh. Throws a `StartFailure` when it cannot be used. */
export function openTls(paths: TlsPaths, log: Log): StoreTls {
  let identity = firstIdentity(paths);
  let refused: string | undefined;
  let cancel: Cancel = () => {};
  const transport = new TlsTransport({ scheduler: systemScheduler, identity, failed: failureLog(log) });
  const renew = (): string | undefined => {
    try {
      const next = readIdentity(paths);
      refused = undefined;
      if (isSame(next, identity)) return undefined;
      identity = next;
      transport.renew(next);
      log.info("store-certificate-renewed", { until: dateOf(next) });
      warnOfEnd(next, log);
      return undefined;
    } catch (problem) {
      if (!(problem instanceof TlsFileError)) throw problem;
      if (problem.message !== refused) log.error("store-certificate-refused", { error: problem.message });
      refused = problem.message;
      return refused;
    }
  };
  const look = (): void => {
    cancel = systemScheduler.after(LOOK_MS, look);
    renew();
  };
  cancel = systemScheduler.after(LOOK_MS, look);
  warnOfEnd(identity, log);
  const stop = (): void => {
    cancel();
    transport.stop();
  };
  return { transport, renew, stop };
}

function firstIdentity(paths: TlsPaths): TlsIdentity {
  try {
    return readIdentity(paths);
  } catch (problem) {
    if (problem instanceof TlsFileError)
      throw new StartFailure(problem.message, "name a certificate and its key, both as PEM files");
    throw problem;
  }
}

function isSame(a: TlsIdentity, b: TlsIdentity): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa;
}

function dateOf({ expiresMs }: TlsIdentity): string {
  return new Date(expiresMs).toISOString();
}

function warnOfEnd(identity: TlsIdentity, log: Log): void {
  if (identity.expiresMs - systemClock.wallMs() < EXPIRY_WARNING_MS)
    log.warn("store-certificate-ends", { until: dateOf(identity) });
}

/** Says why handshakes failed. A connection that just went, as probes do, is no failure. */
function failureLog(log: Log): (reason: string) => void {
  let count = 0;
  let saidMs = Number.NEGATIVE_INFINITY;
  return (reason) => {
    if (reason === "ECONNRESET" || reason === "stopped") return;
    count++;
    const nowMs = systemClock.nowMs();
    if (nowMs - saidMs < FAILURES_MS) return;
    log.warn("store-handshakes-failed", { count, reason });
    saidMs = nowMs;
    count = 0;
  };
}
