/**
 * Hands a witness's log to a replica by Postgres' own protocol of replication, so that the replica's `primary_conninfo` is all that is
 * needed: IDENTIFY_SYSTEM, TIMELINE_HISTORY, START_REPLICATION. Nothing else is answered, and only the one user is let in.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock, Scheduler } from "../../../base/index.ts";
import { makeVerifier, type ScramVerifier } from "../../../pgwire/index.ts";
import { LogSession } from "./log-session.ts";
import type { ReceivedLog } from "./received-log.ts";

/** What a witness tells a replica. */
export interface LogServerOptions {
  /** Where it listens; a port of 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly log: ReceivedLog;
  /** Identity of the cluster; "" as long as no primary was seen. */
  readonly systemId: () => string;
  /** The file that says where a timeline began; undefined when there is none. */
  readonly history: (timeline: number) => string | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** Replicas at once; a cluster has a few. */
const SESSIONS_MAX = 32;

/** As many rounds as Postgres' own default (scram_iterations). */
const ITERATIONS = 4096;

export class LogServer {
  readonly #options: LogServerOptions;
  readonly #server: Server;
  readonly #sessions = new Set<LogSession>();
  readonly #verifier: ScramVerifier;

  private constructor(options: LogServerOptions) {
    this.#options = options;
    this.#verifier = makeVerifier(options.password, randomBytes(16), ITERATIONS);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens; rejects when the address is taken. */
  static async start(options: LogServerOptions): Promise<LogServer> {
    const server = new LogServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(options.port, options.host, () => resolve());
    });
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Connections, logged in or not. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** The log is longer than it was. */
  grown(): void {
    for (const session of this.#sessions) session.pump();
  }

  /** Ends all streams: what they were told may be of a history that is left. */
  endStreams(): void {
    for (const session of this.#sessions) session.close();
  }

  async stop(): Promise<void> {
    this.endStreams();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    if (this.#sessions.size >= SESSIONS_MAX) {
      socket.destroy();
      return;
    }
    const session = new LogSession(socket, this.#options, this.#verifier);
    this.#sessions.add(session);
    socket.once("close", () => this.#sessions.delete(session));
  }
}
