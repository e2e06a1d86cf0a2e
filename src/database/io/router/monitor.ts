/**
 * One server under watch: a connection that is made again whenever it is lost, the server's timeline each time, and one question at a time
 * whose answer serves all that wait for it.
 */
import type { Credentials } from "../../../pgwire/index.ts";
import type { Identity } from "../../reads/identity.ts";
import type { ClusterServer } from "../../view.ts";
import type { RouterContext } from "./context.ts";
import { ControlConnection, type ControlRows } from "./control-connection.ts";
import { Identification } from "./identification.ts";

/** How often a server is asked which log it has while nothing else gives cause to. */
const IDENTIFY_MS = 10_000;

/** …and so long after it could not tell. */
const IDENTIFY_AGAIN_MS = 500;

/** For users who may not use the replication protocol: what the control file says, which lags behind for a checkpoint. */
const TIMELINE_SQL = `SELECT greatest(c.timeline_id, r.min_recovery_end_timeline)
  FROM pg_catalog.pg_control_checkpoint() AS c, pg_catalog.pg_control_recovery() AS r`;

/** What a monitor tells. */
export interface MonitorOwner {
  readonly credentials: (parameters: readonly (readonly [string, string])[]) => Credentials;
  /** The answer to the question; undefined: there was none. */
  readonly answered: (rows: ControlRows | undefined, askedMs: number) => void;
  /** Which log it has. */
  readonly identified: (identity: Identity) => void;
  readonly opened: () => void;
  /** `isSilent`: it did not answer in time, but its connection is there. */
  readonly lost: (isSilent: boolean) => void;
}

export class Monitor {
  readonly #context: RouterContext;
  readonly #owner: MonitorOwner;
  #server: ClusterServer;
  #connection: ControlConnection | undefined;
  #identifying: Identification | undefined;
  #identifiedMs = -Infinity;
  /** As it has told since it was connected to. */
  #identity: Identity | undefined;
  #isAsking = false;

  constructor(context: RouterContext, server: ClusterServer, owner: MonitorOwner) {
    this.#context = context;
    this.#server = server;
    this.#owner = owner;
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  /** Where the server is now. */
  update(server: ClusterServer): void {
    const isElsewhere = server.host !== this.#server.host || server.port !== this.#server.port;
    this.#server = server;
    this.#identifiedMs = -Infinity;
    if (isElsewhere) this.stop();
  }

  /** Asks `sql` unless it is being asked; connects if need be. False: it cannot be asked now. */
  ask(sql: string): boolean {
    if (!this.isOpen) {
      this.#connect();
      return false;
    }
    if (this.#isAsking) return true;
    this.#isAsking = true;
    const askedMs = this.#context.clock.nowMs();
    this.#connection?.ask(sql, (answer) => {
      this.#isAsking = false;
      this.#owner.answered("rows" in answer ? answer.rows : undefined, askedMs);
    });
    return true;
  }

  /** Asks which log it has if it is time to, or at once. */
  identify(atOnce: boolean): void {
    const nowMs = this.#context.clock.nowMs();
    if (this.#identifying !== undefined || (!atOnce && nowMs - this.#identifiedMs < IDENTIFY_MS)) return;
    this.#identifiedMs = nowMs;
    this.#identifying = new Identification({
      context: this.#context,
      address: this.#server,
      credentials: this.#owner.credentials([["replication", "database"]]),
      known: this.#identity,
      told: (identity) => {
        this.#identifying = undefined;
        this.#identity = identity;
        this.#owner.identified(identity);
      },
      failed: (error) => {
        this.#identifying = undefined;
        if (typeof error === "object") this.#identifyBySql();
        else this.#identifiedMs = this.#context.clock.nowMs() - IDENTIFY_MS + IDENTIFY_AGAIN_MS;
      },
    });
  }

  /** The server does not let us use the replication protocol. */
  #identifyBySql(): void {
    this.#connection?.ask(TIMELINE_SQL, (answer) => {
      const timeline = "rows" in answer ? Number(answer.rows[0]?.[0] ?? 0) : 0;
      if (timeline > 0) this.#owner.identified({ timeline });
    });
  }

  stop(): void {
    const { connection, identifying } = { connection: this.#connection, identifying: this.#identifying };
    this.#connection = this.#identifying = this.#identity = undefined;
    this.#isAsking = false;
    connection?.close();
    identifying?.close();
  }

  #connect(): void {
    if (this.#connection !== undefined) return;
    const connection = new ControlConnection(this.#context, this.#server, this.#owner.credentials([]), {
      opened: () => {
        this.identify(true);
        this.#owner.opened();
      },
      lost: (error) => {
        this.#connection = this.#identity = undefined;
        this.#isAsking = false;
        this.#owner.lost(error === "silent");
      },
    });
    this.#connection = connection;
  }
}
