/**
 * The store on a port: accepts clients, keeps time, and lets replies out when the log allows.
 *
 * With `fsync: always` all replies of a round of the event loop wait for one write and one sync of the log: many clients share
 * the cost of a disk.
 */
import type { Cancel, Log } from "../../base/index.ts";
import { ExpiryCycle } from "../expiry-cycle.ts";
import type { Store } from "../store.ts";
import { type ClientHost, ClientSocket } from "./client-socket.ts";
import type { LogFiles } from "./log-files.ts";
import type { StoreTransport } from "./transport.ts";

/** Keys that expired unseen, idle clients and the log are looked after this often, as in Redis. */
const CYCLE_MS = 100;

/** What a server is made of. */
export interface ServerParts {
  readonly store: Store;
  readonly transport: StoreTransport;
  readonly log: Log;
  /** Where changes are written down; none for a store in memory alone. */
  readonly files: LogFiles | undefined;
}

export class StoreServer implements ClientHost {
  readonly store: Store;
  readonly #parts: ServerParts;
  readonly #clients = new Set<ClientSocket>();
  readonly #expiry: ExpiryCycle;
  #held: ClientSocket[] = [];
  /** Whose requests are being run, and whose are to be run next. */
  #working: ClientSocket | undefined;
  readonly #woken: ClientSocket[] = [];
  #roundWanted = false;
  readonly #listeners: { readonly port: number; stop(): void }[] = [];
  #cancel: Cancel = () => {};

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.store = parts.store;
    this.#expiry = new ExpiryCycle(parts.store);
    if (parts.files !== undefined) {
      parts.store.log = parts.files;
      parts.files.changed = () => this.#wantRound();
    }
  }

  /** Opens a port; there may be several. Throws the system's error when it cannot be opened. */
  start(host: string, port: number): { readonly port: number } {
    const listener = this.#parts.transport.listen({ host, port }, (socket) => {
      if (this.#clients.size >= this.store.settings.clientsMax) {
        socket.write(TOO_MANY, 0, TOO_MANY.length);
        return undefined;
      }
      const client = new ClientSocket(this, socket);
      this.#clients.add(client);
      return client;
    });
    this.#listeners.push(listener);
    if (this.#listeners.length === 1)
      this.#cancel = this.store.parts.scheduler.after(CYCLE_MS, () => this.#cycle());
    return { port: listener.port };
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** Closes the port and every connection, and the log after its last write. */
  async stop(): Promise<void> {
    this.#cancel();
    for (const listener of this.#listeners) listener.stop();
    this.#endRound();
    for (const client of this.#clients) client.close();
    for (const client of this.#clients) client.cut();
    await this.#parts.files?.close();
  }

  // --- for clients --------------------------------------------------------------------------------------------

  get holdsReplies(): boolean {
    const { files } = this.#parts;
    // Where the disk refuses, writes are refused too, and reads need not wait for it.
    if (files === undefined || files.refusal !== undefined) return false;
    return files.hasUnwritten && this.store.settings.fsync === "always";
  }

  hold(client: ClientSocket): void {
    this.#held.push(client);
    this.#wantRound();
  }

  wake(client: ClientSocket): void {
    if (this.#working === undefined) client.work();
    else this.#woken.push(client);
  }

  begin(client: ClientSocket): void {
    this.#working = client;
  }

  /** Whoever was woken meanwhile has the replies' buffer to itself now. */
  end(): void {
    this.#working = undefined;
    for (let next = this.#woken.shift(); next !== undefined; next = this.#woken.shift()) next.work();
  }

  gone(client: ClientSocket): void {
    this.#clients.delete(client);
  }

  crashed(error: unknown): void {
    this.#parts.log.error("request-crashed", {
      error: error instanceof Error ? (error.stack ?? String(error)) : String(error),
    });
  }

  // --- rounds and cycles --------------------------------------------------------------------------------------

  #wantRound(): void {
    if (this.#roundWanted) return;
    this.#roundWanted = true;
    this.#parts.transport.atRoundEnd(() => this.#endRound());
  }

  /** Writes the log, then lets the replies out. What could not be written was never acknowledged: its clients are cut. */
  #endRound(): void {
    this.#roundWanted = false;
    const { files } = this.#parts;
    // A disk that refuses is tried again by the cycle.
    const written = files === undefined || files.refusal !== undefined || files.flush();
    const held = this.#held;
    this.#held = [];
    for (const client of held) {
      if (written) client.release();
      else client.cut();
    }
  }

  #cycle(): void {
    this.#cancel = this.store.parts.scheduler.after(CYCLE_MS, () => this.#cycle());
    try {
      this.store.tick();
      this.#expiry.run();
      this.#closeIdle();
      this.#parts.files?.cycle();
    } catch (error) {
      this.crashed(error);
    }
    this.#endRound();
  }

  #closeIdle(): void {
    const { idleSecondsMax } = this.store.settings;
    if (idleSecondsMax === 0) return;
    const oldestMs = this.store.ground.nowMs - idleSecondsMax * 1000;
    for (const client of this.#clients) {
      const { session } = client;
      if (session.lastMs < oldestMs && session.waiting === undefined && session.subscriptions === 0)
        client.close();
    }
  }
}

const TOO_MANY: Uint8Array = new TextEncoder().encode("-ERR max number of clients reached\r\n");
