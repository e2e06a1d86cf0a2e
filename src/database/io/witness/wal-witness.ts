/**
 * A witness: takes the log of the primary, keeps it durably and has no tables. It counts for the quorum as a replica does, at the price of a
 * disk that is written in order, so that two servers with data and one witness lose nothing when either server is lost: the other
 * takes from the witness what it lacks, before it is promoted.
 *
 *   start() -> follow(primary) … detach() … follow(another) … -> stop()
 *
 * A witness that cannot write stops acknowledging; it says why in `view().problem` and tries again.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Cancel, Clock, Log, Scheduler } from "../../../base/index.ts";
import { writeFileAtomic } from "../../../base/io/index.ts";
import { formatLsn, type Lsn, parseLsn } from "../../../pgwire/index.ts";
import type { TimelinePosition } from "../../timeline.ts";
import { historyName } from "../../wal-file.ts";
import { messageOf } from "../server/problem.ts";
import { LogReceiver, LogRefused, type LogSource } from "./log-receiver.ts";
import { LogServer } from "./log-server.ts";
import { ReceivedLog } from "./received-log.ts";

/** What a witness is made of. */
export interface WalWitnessOptions {
  /** As the primary's quorum names it. */
  readonly name: string;
  /** Where it keeps its log; made when it is not there. */
  readonly folder: string;
  /** Where replicas take the log from; a port of 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Whom it lets in. */
  readonly user: string;
  readonly password: string;
  /** Segments of 16 MiB that are kept. Default 64: 1 GiB. */
  readonly keepSegments?: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

/** How a witness is. */
export interface WitnessView {
  /** What is on its disk; timeline 0 when there is nothing. */
  readonly position: TimelinePosition;
  /** Where that begins. */
  readonly begin: Lsn;
  /**
   * It has all that it can have acknowledged. One whose disk is new, or that fell behind what its primary kept, has not until it is where the
   * primary was when it began: nobody may count on its word.
   */
  readonly isWhole: boolean;
  /** Where that timeline began. */
  readonly fork: Lsn;
  readonly streaming: boolean;
  /** The primary's history is not ours, or it is another cluster: nothing comes until somebody does something. */
  readonly stuck: boolean;
  /** The furthest position that the primary told of. */
  readonly heard: Lsn;
  /** Why nothing comes. */
  readonly problem: string | undefined;
}

const KEEP_SEGMENTS = 64;
const RETRY_MS = 250;

export class WalWitness {
  readonly #options: WalWitnessOptions;
  readonly #log: ReceivedLog;
  #server: LogServer | undefined;
  #receiver: LogReceiver | undefined;
  #source: LogSource | undefined;
  #running: Promise<void> = Promise.resolve();
  #cancelRetry: Cancel = () => {};
  #systemId = "";
  #fork: Lsn = 0n;
  #heard: Lsn = 0n;
  #problem: string | undefined;
  #isStuck = false;
  /** It began with nothing, and what it may once have acknowledged lies before this; undefined = it has that. */
  #wholeFrom: Lsn | undefined;
  #connecting = new AbortController();
  /** Counts changes of whom to follow: what an earlier one still does is void. */
  #turn = 0;

  private constructor(options: WalWitnessOptions, log: ReceivedLog) {
    this.#options = options;
    this.#log = log;
    this.#systemId = readLine(this.#systemFile) ?? "";
    this.#wholeFrom = parseLsn(readLine(this.#missingFile) ?? "");
  }

  /** Opens its log and listens; rejects when the address is taken or the folder cannot be used. */
  static async start(options: WalWitnessOptions): Promise<WalWitness> {
    const keep = options.keepSegments ?? KEEP_SEGMENTS;
    const log = await ReceivedLog.open(join(options.folder, "pg_wal"), keep);
    const witness = new WalWitness(options, log);
    const { listen, user, password, clock, scheduler } = options;
    witness.#server = await LogServer.start({
      ...listen,
      user,
      password,
      log,
      clock,
      scheduler,
      systemId: () => witness.#systemId,
      history: (timeline) => witness.#history(timeline),
    });
    return witness;
  }

  /** Where replicas find it. */
  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Takes the log of this primary from now on. */
  follow(source: LogSource): void {
    this.detach();
    this.#source = source;
    const turn = this.#turn;
    void this.#running.then(() => this.#attempt(turn)); // two must not write one log
  }

  /** Takes nothing more; when this returns, nothing more is acknowledged either. */
  detach(): void {
    this.#turn += 1;
    this.#source = undefined;
    this.#isStuck = false;
    this.#problem = undefined;
    this.#cancelRetry();
    this.#connecting.abort();
    this.#receiver?.close();
  }

  /** How it is now. */
  view(): WitnessView {
    return {
      position: this.#log.position,
      begin: this.#log.begin,
      isWhole: this.#log.position.timeline !== 0 && this.#wholeFrom === undefined,
      fork: this.#fork,
      streaming: this.#source !== undefined && this.#receiver !== undefined,
      stuck: this.#isStuck,
      heard: this.#furthest(),
      problem: this.#problem,
    };
  }

  async stop(): Promise<void> {
    this.detach();
    await this.#running;
    await this.#server?.stop();
    await this.#log.close();
  }

  #attempt(turn: number): void {
    const source = this.#source;
    if (turn !== this.#turn || source === undefined) return;
    this.#running = this.#receive(source).then(
      () => this.#ended(turn, undefined),
      (problem: unknown) => this.#ended(turn, problem),
    );
  }

  async #receive(source: LogSource): Promise<void> {
    const { name } = this.#options;
    this.#connecting = new AbortController();
    const receiver = await LogReceiver.connect(this.#log, source, name, {
      ...this.#options,
      onGrown: () => this.#grown(),
      onHistory: (timeline, text) => this.#keepHistory(timeline, text),
      onBegun: (end) => this.#begun(receiver, end),
      signal: this.#connecting.signal,
    });
    if (this.#source !== source) return receiver.close();
    this.#receiver = receiver;
    await receiver.run(this.#systemId, source.slot);
  }

  /** The histories agree, and the stream begins. */
  async #begun({ systemId, fork }: LogReceiver, end: Lsn): Promise<void> {
    this.#fork = fork;
    this.#problem = undefined;
    this.#isStuck = false;
    const isEmpty = this.#log.position.timeline === 0;
    if (isEmpty || (this.#wholeFrom !== undefined && end < this.#wholeFrom)) {
      this.#wholeFrom = end;
      await writeFileAtomic(this.#missingFile, `${formatLsn(end)}\n`); // a restart must not make it forget
    }
    if (this.#systemId === systemId) return;
    this.#systemId = systemId;
    await writeFileAtomic(this.#systemFile, `${systemId}\n`);
  }

  #grown(): void {
    this.#server?.grown();
    if (this.#wholeFrom === undefined || this.#log.position.lsn < this.#wholeFrom) return;
    this.#wholeFrom = undefined;
    rmSync(this.#missingFile, { force: true });
  }

  #ended(turn: number, problem: unknown): void {
    this.#heard = this.#furthest();
    this.#receiver = undefined;
    if (turn !== this.#turn) return;
    const message = problem === undefined ? "the primary ended the stream" : messageOf(problem);
    if (message !== this.#problem) this.#options.log.warn("witness-stream-ended", { problem: message });
    this.#problem = message;
    this.#isStuck = problem instanceof LogRefused;
    this.#cancelRetry = this.#options.scheduler.after(RETRY_MS, () => this.#attempt(turn));
  }

  get #systemFile(): string {
    return join(this.#options.folder, "system-id");
  }

  /** Up to where it lacks log that it may have acknowledged; not there when it lacks none. */
  get #missingFile(): string {
    return join(this.#options.folder, "missing");
  }

  #historyFile(timeline: number): string {
    return join(this.#options.folder, "pg_wal", historyName(timeline));
  }

  #furthest(): Lsn {
    const now = this.#receiver?.heard ?? 0n;
    return now > this.#heard ? now : this.#heard;
  }

  async #keepHistory(timeline: number, text: string): Promise<void> {
    this.#heard = 0n; // of a primary that may have gone further than the history did
    await writeFileAtomic(this.#historyFile(timeline), text);
    // Who streams the timeline before would never hear that it has ended.
    this.#server?.endStreams();
  }

  #history(timeline: number): string | undefined {
    const path = this.#historyFile(timeline);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }
}

function readLine(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}
