/**
 * Streams the log of a primary into a `ReceivedLog`, and tells the primary how far it is on disk: the primary counts that for its
 * quorum. One attempt: it ends when the stream does.
 *
 * Flow: what arrives is queued, written and synced together, acknowledged; while too much waits for the disk nothing is read.
 */
import type { Cancel, Clock, Scheduler } from "../../../base/index.ts";
import { formatLsn, type Lsn, parseLsn, SQLSTATE, type SqlState } from "../../../pgwire/index.ts";
import { PgConnection, type PgConnectionOptions, PgServerError } from "../../../pgwire/io/index.ts";
import { descent, parseHistory, type TimelineFork } from "../../timeline.ts";
import { segmentOf, segmentStart } from "../../wal-file.ts";
import { readWalMessage, statusMessage } from "../../wal-stream.ts";
import type { ReceivedLog } from "./received-log.ts";

/** Whom to stream from. */
export interface LogSource {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** A physical slot of the primary, so that it keeps what we lack; made when it is not there. undefined = none. */
  readonly slot: string | undefined;
}

/** Why a stream cannot be, until somebody does something: another cluster, a history that is not ours. */
export class LogRefused extends Error {
  override readonly name = "LogRefused";
}

/** What a receiver is given and whom it tells. */
export interface LogReceiverParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** More is synced. */
  readonly onGrown: () => void;
  /** The primary is of another timeline than the log, whose history file this is. */
  readonly onHistory: (timeline: number, text: string) => Promise<void>;
  /** The histories agree, and the stream begins: nothing beyond `end`, the primary's, was acknowledged so far. */
  readonly onBegun: (end: Lsn) => Promise<void>;
  /** Ends it before the stream has begun; afterwards `close` does. */
  readonly signal: AbortSignal;
}

/** Bytes that wait for the disk before reading stops. */
const QUEUE_BYTES_MAX = 8 * 1024 * 1024;

/** How often we say where we are and ask whether the primary is there; it gives up a replica that is silent for wal_sender_timeout. */
const STATUS_MS = 1000;

/** A primary that answers nothing for so long is gone. */
const SILENCE_MS = 5000;

/** Name of the parameter of the start-up that makes a session one of replication. */
const REPLICATION = { replication: "true" };

export class LogReceiver {
  readonly #log: ReceivedLog;
  readonly #connection: PgConnection;
  readonly #parts: LogReceiverParts;
  readonly #queue: { readonly at: Lsn; readonly bytes: Uint8Array }[] = [];
  #queued = 0;
  #heard: Lsn = 0n;
  #heardAtMs: number;
  #isWriting = false;
  #writing: Promise<void> = Promise.resolve();
  #problem: Error | undefined;
  /** Identity of the cluster, as initdb drew it. */
  systemId = "";
  /** Where the timeline that is streamed began. */
  fork: Lsn = 0n;

  private constructor(log: ReceivedLog, connection: PgConnection, parts: LogReceiverParts) {
    this.#log = log;
    this.#connection = connection;
    this.#parts = parts;
    this.#heardAtMs = parts.clock.nowMs();
  }

  /** Connects as the replica `name`; rejects as `PgConnection.connect`. */
  static async connect(
    log: ReceivedLog,
    source: LogSource,
    name: string,
    parts: LogReceiverParts,
  ): Promise<LogReceiver> {
    const { host, port, user, password } = source;
    const parameters = { ...REPLICATION, application_name: name };
    const options: PgConnectionOptions = {
      host,
      port,
      user,
      password,
      parameters,
      scheduler: parts.scheduler,
      signal: parts.signal,
    };
    return new LogReceiver(log, await PgConnection.connect(options), parts);
  }

  /** The furthest position that the primary told of. */
  get heard(): Lsn {
    return this.#heard;
  }

  /**
   * Streams until the connection ends, or the primary's timeline does: then it resolves. Rejects with `LogRefused` when the primary's
   * history is not the log's, and with what the disk said. `systemId` "" takes any cluster.
   */
  async run(systemId: string, slot: string | undefined): Promise<void> {
    try {
      const from = await this.#begin(systemId);
      const named = slot === undefined ? "" : `SLOT ${await this.#slot(slot)} `;
      const { timeline } = this.#log.position;
      await this.#stream(`START_REPLICATION ${named}PHYSICAL ${formatLsn(from)} TIMELINE ${timeline}`);
    } catch (problem) {
      // The primary has thrown away what comes next: begin anew where it is now.
      if (isOfCode(problem, SQLSTATE.undefinedFile)) await this.#log.forget();
      // And the slot with it: the next attempt makes another one.
      if (isOfCode(problem, SQLSTATE.objectNotInPrerequisiteState) && slot !== undefined)
        await this.#connection.query(`DROP_REPLICATION_SLOT ${quoted(slot)}`);
      // A connection that we closed tells less than why we did.
      throw this.#problem ?? problem;
    } finally {
      this.close();
    }
  }

  /** Sees to it that the primary keeps the log from now on; the slot's name, quoted. */
  async #slot(name: string): Promise<string> {
    const slot = quoted(name);
    const [found] = await this.#connection.rows(`READ_REPLICATION_SLOT ${slot}`);
    if (found?.["slot_type"] === null)
      await this.#connection.query(`CREATE_REPLICATION_SLOT ${slot} PHYSICAL RESERVE_WAL`);
    return slot;
  }

  async #stream(sql: string): Promise<void> {
    const stopTicking = this.#tick();
    try {
      await this.#connection.stream(sql, (body) => this.#received(body));
    } finally {
      stopTicking();
      await this.#writing;
    }
  }

  /** Ends the stream. */
  close(): void {
    this.#connection.close();
  }

  /** Compares histories, and prepares the log; where to start from. */
  async #begin(expected: string): Promise<Lsn> {
    const [identity] = await this.#connection.rows("IDENTIFY_SYSTEM");
    this.systemId = identity?.["systemid"] ?? "";
    if (expected !== "" && this.systemId !== expected)
      throw new LogRefused(`it is of another cluster: its system is ${this.systemId}, not ${expected}`);
    const timeline = Number(identity?.["timeline"]);
    const end = parseLsn(identity?.["xlogpos"] ?? "") ?? 0n;
    const history = await this.#history(timeline);
    this.fork = history.at(-1)?.at ?? 0n;
    const known = this.#log.position.timeline === 0 ? end : this.#known(timeline, end, history);
    const from = segmentStart(segmentOf(known));
    this.#parts.signal.throwIfAborted();
    await this.#parts.onBegun(end);
    this.#parts.signal.throwIfAborted(); // the log stays what was told of it
    await this.#log.startOn(timeline, from);
    return from;
  }

  /** Where what we have of its history ends. */
  #known(timeline: number, end: Lsn, history: readonly TimelineFork[]): Lsn {
    const own = this.#log.position;
    if (timeline < own.timeline)
      throw new LogRefused(`it is of timeline ${timeline}, older than ${own.timeline}`);
    const found = descent(own, { timeline, lsn: own.timeline === timeline ? own.lsn : end }, history);
    if (found.kind === "follows") return own.lsn;
    if (found.fork === 0n) throw new LogRefused(found.reason);
    // Beyond the fork is what nobody has any more, and nobody was told that it is safe.
    return found.fork;
  }

  async #history(timeline: number): Promise<TimelineFork[]> {
    if (timeline <= 1) return [];
    const [row] = await this.#connection.rows(`TIMELINE_HISTORY ${timeline}`);
    const text = row?.["content"] ?? "";
    if (timeline !== this.#log.position.timeline) await this.#parts.onHistory(timeline, text);
    return parseHistory(text);
  }

  #received(body: Uint8Array): void {
    this.#heardAtMs = this.#parts.clock.nowMs();
    const message = readWalMessage(body);
    if (message === undefined) return this.#fail(new Error("the primary sent a malformed message"));
    if (message.end > this.#heard) this.#heard = message.end;
    if (message.kind === "alive") {
      if (message.wantsReply) this.#acknowledge(false);
      return;
    }
    this.#queue.push({ at: message.at, bytes: message.bytes.slice() });
    this.#queued += message.bytes.length;
    if (this.#queued > QUEUE_BYTES_MAX) this.#connection.pause(true);
    if (!this.#isWriting) this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#queue.length > 0) {
        for (const { at, bytes } of this.#queue.splice(0)) await this.#log.write(at, bytes);
        this.#queued = 0;
        await this.#log.sync();
        this.#acknowledge(false);
        this.#parts.onGrown();
        this.#connection.pause(false);
      }
    } catch (problem) {
      this.#fail(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      this.#isWriting = false;
    }
  }

  #acknowledge(wantsReply: boolean): void {
    const { lsn } = this.#log.position;
    this.#connection.sendData(statusMessage(lsn, this.#parts.clock.wallMs(), wantsReply));
  }

  #fail(problem: Error): void {
    this.#problem ??= problem;
    this.#queue.length = 0;
    this.close();
  }

  /** Says where we are every second, and gives up on a primary that says nothing. */
  #tick(): () => void {
    let cancel: Cancel = () => {};
    const tick = (): void => {
      if (this.#parts.clock.nowMs() - this.#heardAtMs > SILENCE_MS)
        return this.#fail(new Error(`the primary has said nothing for ${SILENCE_MS} ms`));
      this.#acknowledge(true);
      cancel = this.#parts.scheduler.after(STATUS_MS, tick);
    };
    cancel = this.#parts.scheduler.after(STATUS_MS, tick);
    return () => cancel();
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function isOfCode(problem: unknown, code: SqlState): boolean {
  return problem instanceof PgServerError && problem.code === code;
}
