/** A transaction as a function: begun, committed, and tried again as a whole where Postgres says that it may be. */
import { codeOf, isConnectionLoss } from "../../postgres/index.ts";
import { pause, retryDelayMs } from "../backoff.ts";
import { isConflict, NoPrimaryError, RolledBackError, UnknownOutcomeError } from "../errors.ts";
import type { Core } from "./core.ts";
import { RoutedClient } from "./routed-client.ts";

/** How a transaction runs. */
export interface TransactionOptions {
  /** Tries after the first, of conflicts (40001, 40P01) and of connections lost before COMMIT was sent. Default 3. */
  readonly retries?: number;
  /** Default: the server's, which is "read committed" unless set otherwise. */
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  /** On a replica, where there is one. */
  readonly readOnly?: boolean;
}

/** The longest wait before another try. */
const RETRY_MS_MAX = 1000;

const RETRIES = 3;

/** Runs `work` in a transaction. `work` runs once more for each try: what it does elsewhere is not undone. */
export async function runTransaction<T>(
  core: Core,
  work: (client: RoutedClient) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const { retries = RETRIES } = options;
  for (let attempt = 0; ; attempt++) {
    const client = new RoutedClient(core);
    try {
      return await once(client, work, options);
    } catch (error) {
      if (attempt >= retries || !mayTryAgain(error)) throw error;
    } finally {
      client.release();
    }
    core.counters.retried += 1;
    await pause(core.options.scheduler, retryDelayMs(attempt, core.options.random, RETRY_MS_MAX));
  }
}

async function once<T>(
  client: RoutedClient,
  work: (client: RoutedClient) => Promise<T>,
  { isolation, readOnly }: TransactionOptions,
): Promise<T> {
  const level = isolation === undefined ? "" : ` ISOLATION LEVEL ${isolation.toUpperCase()}`;
  await client.query(`BEGIN${level}${readOnly === true ? " READ ONLY" : ""}`);
  let value: T;
  try {
    value = await work(client);
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
  const { command } = await client.query("COMMIT");
  if (command === "ROLLBACK") throw new RolledBackError();
  return value;
}

/** 25006: it began on a server that is a replica by now. */
function mayTryAgain(error: unknown): boolean {
  if (error instanceof UnknownOutcomeError || error instanceof NoPrimaryError) return false;
  return isConflict(error) || isConnectionLoss(error) || codeOf(error) === "25006";
}
