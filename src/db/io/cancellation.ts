/**
 * An AbortSignal ends a statement: one that still waits for a connection is not sent, one that runs is cancelled at the server, by a
 * connection of its own as the protocol has it.
 */
import type { Scheduler } from "../../base/index.ts";
import { codeOf } from "../../postgres/index.ts";
import type { Lease } from "./server.ts";

/** How long a server has to answer a cancel request. Then the connection is closed: what became of the statement is not known. */
const CANCEL_MS = 2000;

/** query_canceled */
const CANCELED = "57014";

/** The promise, or the signal's reason as soon as it is aborted; `late` gets what comes after that. */
export function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  late: (value: T) => void,
): Promise<T> {
  return signal === undefined ? promise : raceAborted(promise, signal, late);
}

async function raceAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => void,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted]);
  } catch (error) {
    if (signal.aborted) promise.then(late, () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Runs a statement on a connection. Aborted: asks the server to end it, and rejects with the signal's reason when it has. */
export function cancelled<T>(
  lease: Lease,
  signal: AbortSignal | undefined,
  scheduler: Scheduler,
  run: () => Promise<T>,
): Promise<T> {
  return signal === undefined ? run() : runCancellable(lease, signal, scheduler, run);
}

async function runCancellable<T>(
  lease: Lease,
  signal: AbortSignal,
  scheduler: Scheduler,
  run: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  let cancelTimer = (): void => {};
  const abort = (): void => {
    lease.cancel();
    cancelTimer = scheduler.after(CANCEL_MS, () => lease.cut());
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await run();
  } catch (error) {
    // Its own errors are told as they are, and so is a lost connection: nobody knows what became of the statement.
    throw signal.aborted && codeOf(error) === CANCELED ? signal.reason : error;
  } finally {
    cancelTimer();
    signal.removeEventListener("abort", abort);
  }
}
