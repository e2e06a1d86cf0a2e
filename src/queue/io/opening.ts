/**
 * Opening waits for a database that is not there yet. A task is started beside its database and the router: whoever is first must
 * neither end nor be restarted for it.
 */
import { type Cancel, systemClock, systemScheduler } from "../../base/index.ts";
import { codeOf, isConnectionLoss } from "../../postgres/index.ts";
import { type Duration, durationMs } from "../jobs.ts";

/** How something in a database is opened. */
export interface OpenOptions {
  /**
   * How long opening waits for a database that cannot be reached, or has no primary, before it rejects. Default "20s": shorter than the
   * `startTimeout` of a service, so that the task's log has the reason. 0: one attempt.
   */
  readonly hold?: Duration;
  /** Hears what goes wrong beside handlers: a database that is away, a worker that waits for it. */
  readonly onError?: (error: unknown) => void;
}

/** What is opened. */
interface Closable {
  close(): Promise<void>;
}

const HOLD = "20s";

/** The waits between attempts: each twice as long as the one before. */
const WAIT_MS = { first: 50, max: 1000 } as const;

const UNIQUE_VIOLATION = "23505";

/** Of pg's pool, which has no code for it: nobody answered while it connected. */
const SILENT = "timeout exceeded when trying to connect";

/**
 * Tries `open` until it is done, or refused for another reason than a database that is away. One that is still at it when the time
 * has passed is not waited for; what it opens later is closed.
 */
export async function whenThere<T extends Closable>(
  { hold = HOLD, onError }: OpenOptions,
  open: () => Promise<T>,
): Promise<T> {
  const holdMs = durationMs(hold, "hold");
  if (holdMs === 0) return open();
  const untilMs = systemClock.nowMs() + holdMs;
  const restMs = (): number => untilMs - systemClock.nowMs();
  let why: unknown = new Error("it does not answer");
  for (let waitMs: number = WAIT_MS.first; restMs() > 0; waitMs = Math.min(WAIT_MS.max, waitMs * 2)) {
    const opening = open();
    try {
      const opened = await within(restMs(), opening);
      if (opened !== undefined) return opened;
      opening.then(
        (late) => late.close(),
        () => {},
      );
      break;
    } catch (error) {
      why = error;
      if (isAway(error)) onError?.(error);
      else if (!isRace(error)) throw error;
    }
    await within(Math.min(waitMs, restMs()));
  }
  throw new Error(`the database could not be reached within ${holdMs} ms: ${reasonOf(why)}`, { cause: why });
}

/** The promise's value, or undefined after `ms`. */
async function within<T>(ms: number, promise?: Promise<T>): Promise<T | undefined> {
  let cancel: Cancel = () => {};
  const timer = new Promise<undefined>((resolve) => {
    cancel = systemScheduler.after(Math.max(0, ms), () => resolve(undefined));
  });
  try {
    return await (promise === undefined ? timer : Promise.race([promise, timer]));
  } finally {
    cancel();
  }
}

/** A client of `tenfold/db` has waited itself, and says so by an error of its own. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return isConnectionLoss(error) || error.message === SILENT || isAway(error.cause);
}

/**
 * Another process made the same at the same time. pg-boss has a lock against that, but does not look again behind it: on a connection
 * that was used before, as those of a pooler are, PostgreSQL may not see yet what the other one made, and runs into it.
 */
function isRace(error: unknown): boolean {
  return codeOf(error) === UNIQUE_VIOLATION && (error as { schema?: unknown }).schema === "pg_catalog";
}

/** Some of Node's errors (of a name with several addresses) have a code and no message. */
function reasonOf(error: unknown): string {
  const { message = "", code = "" } = error as Partial<{ message: string; code: string }>;
  return message === "" ? code : message;
}
