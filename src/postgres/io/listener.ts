/**
 * A connection that hears what is sent to one channel (LISTEN and NOTIFY), and says when something may have been missed.
 *
 *   connecting -> listening -> waiting (backoff) -> connecting …
 *
 * A line that is cut shows at once. One that hangs is found out by a question every two seconds that must be answered
 * within one: so three seconds after the last answer at the latest `interrupted` is called, and once more when the channel
 * is heard again, since nobody keeps what was sent in between.
 */
import type { Scheduler } from "../../base/index.ts";
import { postgresUrl } from "../url.ts";
import { type DriverClient, driver } from "./driver.ts";

/** What a listener is made of. */
export interface PostgresListenerOptions {
  readonly url: string;
  /** At most 63 lower-case letters, digits and "_". */
  readonly channel: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly heard: (payload: string) => void;
  readonly interrupted: () => void;
  /** Default 2 s. */
  readonly askEveryMs?: number;
}

const ASK_EVERY_MS = 2000;

/** Longest wait for a connection. */
const CONNECT_MS = 2000;

/** Between attempts to connect: doubled from the first to the last. */
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 5000;

/** Listens until it is closed. */
export class PostgresListener {
  readonly #options: PostgresListenerOptions;
  #client: DriverClient | undefined;
  #failures = 0;
  #isInterrupted = false;
  #isClosed = false;

  constructor(options: PostgresListenerOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Ends the connection. */
  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  #connect(): void {
    const { url, channel, name, heard, interrupted } = this.#options;
    const { Client } = driver();
    const client = new Client({
      connectionString: postgresUrl(url),
      application_name: name,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
    });
    this.#client = client;
    const lost = (): void => this.#lost(client);
    client.on("error", lost);
    client.on("end", lost);
    client.on("notification", ({ payload }) => heard(payload ?? ""));
    client
      .connect()
      .then(async () => {
        await this.#answered(client, `LISTEN "${channel}"`);
        if (this.#client !== client) return;
        this.#failures = 0;
        // Between the loss and now some may have been missed, and what is kept may have been filled.
        if (this.#isInterrupted) interrupted();
        this.#isInterrupted = false;
        this.#watch(client);
      })
      .catch(lost);
  }

  #watch(client: DriverClient): void {
    const { scheduler, askEveryMs = ASK_EVERY_MS } = this.#options;
    scheduler.after(askEveryMs, () => {
      if (this.#client !== client) return;
      this.#answered(client, "SELECT 1").then(
        () => this.#watch(client),
        () => this.#lost(client),
      );
    });
  }

  /** Rejects when there is no answer within half the interval. */
  #answered(client: DriverClient, text: string): Promise<void> {
    const { scheduler, askEveryMs = ASK_EVERY_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = scheduler.after(askEveryMs / 2, () => reject(new Error("Postgres does not answer")));
      client
        .query(text)
        .then(() => resolve(), reject)
        .finally(cancel);
    });
  }

  #lost(client: DriverClient): void {
    if (this.#client !== client || this.#isClosed) return;
    const { scheduler, interrupted } = this.#options;
    this.#drop();
    if (!this.#isInterrupted) interrupted();
    this.#isInterrupted = true;
    const waitMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(10, this.#failures++));
    scheduler.after(waitMs, () => {
      if (!this.#isClosed) this.#connect();
    });
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    void client?.end().catch(() => {});
  }
}
