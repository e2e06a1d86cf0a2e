/**
 * One server under watch: a connection that is made again whenever it is lost, the server's timeline each time, and one question at a time
 * whose answer serves all that wait for it.
 */
import type { Credentials } from "../../../pgwire/index.ts";
import type { ClusterServer } from "../../view.ts";
import type { RouterContext } from "./context.ts";
import { ControlConnection, type ControlRows } from "./control-connection.ts";

/** How often the timeline is asked for while nothing else gives cause to. */
const TIMELINE_MS = 10_000;

/** For users who may not use the replication protocol: what the control file says, which lags behind for a checkpoint. */
const TIMELINE_SQL = `SELECT greatest(c.timeline_id, r.min_recovery_end_timeline)
  FROM pg_catalog.pg_control_checkpoint() AS c, pg_catalog.pg_control_recovery() AS r`;

/** What a monitor tells. */
export interface MonitorOwner {
  readonly credentials: (parameters: readonly (readonly [string, string])[]) => Credentials;
  /** The answer to the question; undefined: there was none. */
  readonly answered: (rows: ControlRows | undefined, askedMs: number) => void;
  readonly timeline: (timeline: number | undefined) => void;
  readonly opened: () => void;
  /** `isSilent`: it did not answer in time, but its connection is there. */
  readonly lost: (isSilent: boolean) => void;
}

export class Monitor {
  readonly #context: RouterContext;
  readonly #owner: MonitorOwner;
  #server: ClusterServer;
  #connection: ControlConnection | undefined;
  #identifying: ControlConnection | undefined;
  #timelineMs = -Infinity;
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
    this.#timelineMs = -Infinity;
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

  /** Asks for the timeline if it is time to, or at once. */
  identify(atOnce: boolean): void {
    const nowMs = this.#context.clock.nowMs();
    if (this.#identifying !== undefined || (!atOnce && nowMs - this.#timelineMs < TIMELINE_MS)) return;
    this.#timelineMs = nowMs;
    const credentials = this.#owner.credentials([["replication", "database"]]);
    const connection = new ControlConnection(this.#context, this.#server, credentials, {
      opened: () =>
        connection.ask("IDENTIFY_SYSTEM", (answer) => {
          this.#identifying = undefined;
          connection.close();
          if ("rows" in answer) this.#tell(answer.rows[0]?.[1]);
        }),
      lost: (error) => {
        this.#identifying = undefined;
        if (typeof error === "object") this.#identifyBySql();
      },
    });
    this.#identifying = connection;
  }

  /** The server does not let us use the replication protocol. */
  #identifyBySql(): void {
    this.#connection?.ask(TIMELINE_SQL, (answer) => {
      if ("rows" in answer) this.#tell(answer.rows[0]?.[0]);
    });
  }

  #tell(text: string | null | undefined): void {
    this.#owner.timeline(text === undefined || text === null ? undefined : Number(text));
  }

  stop(): void {
    const { connection, identifying } = { connection: this.#connection, identifying: this.#identifying };
    this.#connection = this.#identifying = undefined;
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
        this.#connection = undefined;
        this.#isAsking = false;
        this.#owner.lost(error === "silent");
      },
    });
    this.#connection = connection;
  }
}
