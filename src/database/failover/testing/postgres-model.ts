/**
 * A model of a Postgres server, and of a witness, with what matters to failover: a log that is flushed, streamed and acknowledged, commits that
 * wait for a quorum, timelines, crashes that lose what was not flushed, recovery that shows what nobody acknowledged, and no
 * notice whatever of a double promotion. A witness begins anew where histories part, keeps the end of its log alone, and is silent
 * about a log that it began with nothing until that has all that it can have acknowledged.
 */
import type { Lsn } from "../../../pgwire/index.ts";
import type { ServerFacts } from "../facts.ts";
import type { Member } from "../member.ts";
import { type AppliedQuorum, NO_QUORUM } from "../quorum.ts";
import { commonPrefix, type LogRecord, type Write } from "./log-model.ts";
import type { World } from "./world.ts";

/** Answer to a client of the server. */
export type WriteReply = (outcome: "done" | "closed" | "read-only") => void;

interface Commit {
  readonly index: number;
  readonly reply: WriteReply;
}

/** A replica that streams from this server. */
interface Session {
  readonly replica: PostgresModel;
  readonly id: number;
  sent: number;
  flushed: number;
  heardMs: number;
}

/** A stream is given up when nothing was heard for this long. */
const SILENCE_MS = 3_000;
const KEEPALIVE_MS = 500;
const RETRY_MS = 200;

/** A witness begins at a segment's beginning, up to so many records before; and keeps so many. */
const SEGMENT_RECORDS = 30;
const KEPT_RECORDS = 120;

export class PostgresModel {
  readonly name: string;
  readonly #world: World;
  readonly #isWitness: boolean;
  running = false;
  role: "primary" | "replica" = "replica";
  log: LogRecord[] = [];
  flushed = 0;
  visible = 0;
  upstream: string | undefined;
  streaming = false;
  stuck = false;
  heard: Lsn = 0n;
  quorum: AppliedQuorum = NO_QUORUM;
  /** Grows with each start: a connection is to one life of the server. */
  boot = 0;
  diedMs: number = -Infinity;
  /** Time before which its process does nothing, and its disk writes nothing. */
  pausedUntilMs = 0;
  stalledUntilMs = 0;
  /** Of the timelines that it has heard of: its history file is there before the first record is. */
  #newest = 0;
  #newestFork: Lsn = 0n;
  /** First record that a witness still has. */
  #begin = 0;
  /** Where a witness that began with nothing must get to. */
  #wholeFrom: Lsn = 0n;
  #session = 0;
  #begunSession = 0;
  #heardMs = 0;
  #sessions: Session[] = [];
  #commits: Commit[] = [];
  #flushing = false;

  constructor(name: string, world: World, kind: Member["kind"]) {
    this.name = name;
    this.#world = world;
    this.#isWitness = kind === "witness";
  }

  get isAwake(): boolean {
    return this.running && this.#world.nowMs >= this.pausedUntilMs;
  }

  get timeline(): number {
    return Math.max(this.#newest, this.log[this.flushed - 1]?.timeline ?? 0);
  }

  get lsn(): Lsn {
    return this.log[this.flushed - 1]?.end ?? 0n;
  }

  /** End of the last record of an earlier timeline. */
  get fork(): Lsn {
    const first = this.log.findIndex((record) => record.timeline === this.timeline);
    return first < 0 ? this.#newestFork : (this.log[first - 1]?.end ?? 0n);
  }

  facts(): ServerFacts {
    const replicas = this.#sessions.map(({ replica, flushed }) => ({
      name: replica.name,
      flushed: this.log[flushed - 1]?.end ?? 0n,
    }));
    const { running, role, lsn, fork, upstream, streaming, stuck, heard, quorum } = this;
    const isWhole = lsn >= this.#wholeFrom || this.#world.mutation.vouchesAtOnce === true;
    const timeline = isWhole ? this.timeline : 0;
    return { running, role, timeline, lsn, fork, upstream, streaming, stuck, heard, quorum, replicas };
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.boot += 1;
    this.visible = this.flushed; // recovery shows all that is on the disk, acknowledged or not
    this.#heardMs = this.#world.nowMs;
    this.#beat(this.boot);
  }

  /** Ends at once: what was not flushed is gone. Its machine closes the connections, unless that is gone as well. */
  kill(withMachine = false): void {
    if (!withMachine) this.#closeStreams();
    if (this.running) this.diedMs = this.#world.nowMs;
    this.running = false;
    this.streaming = false;
    this.#sessions = [];
    this.log.length = this.flushed;
    const commits = this.#commits;
    this.#commits = [];
    for (const { reply } of commits) reply("closed");
  }

  #closeStreams(): void {
    for (const { replica, id } of this.#sessions)
      this.#world.send(this.name, replica.name, () => {
        if (replica.#session === id) replica.streaming = false;
      });
  }

  /** Ends in order: its last record has reached all that stream. `done` when it has, or when they take too long. */
  shutDown(done: () => void): void {
    const { boot } = this;
    if (this.role === "primary") this.#append(undefined); // a replica writes no log of its own
    const end = this.log.length;
    const giveUpMs = this.#world.nowMs + 1_000;
    const look = (): void => {
      if (!this.running || this.boot !== boot) return done();
      const isSent = this.flushed >= end && this.#sessions.every(({ flushed }) => flushed >= end);
      if (!isSent && this.#world.nowMs < giveUpMs) return this.#world.after(5, look);
      this.kill();
      done();
    };
    look();
  }

  /** Begins `wanted`, or the next timeline that it knows of, if that is higher. */
  promote(wanted: number): void {
    if (!this.running || this.role === "primary") return;
    this.role = "primary";
    this.upstream = undefined;
    this.streaming = false;
    this.log.length = this.flushed;
    const timeline = Math.max(wanted, this.timeline + 1);
    this.#world.promoted(this.name, this.lsn);
    this.log.push({ end: this.lsn + 64n, timeline, write: undefined });
    this.flushed = this.log.length;
    this.visible = this.flushed;
    this.#ship();
  }

  /** Follows `upstream`; undefined = nobody. What is under way from the old one is dropped. */
  follow(upstream: string | undefined): void {
    this.upstream = upstream;
    this.streaming = false;
    this.stuck = false;
    this.#session += 1;
  }

  setQuorum(quorum: AppliedQuorum): void {
    this.quorum = quorum;
    this.#release();
  }

  /** A client's write. */
  write(boot: number, write: Write, reply: WriteReply): void {
    if (!this.running || this.boot !== boot) return reply("closed");
    if (this.role !== "primary") return reply("read-only");
    this.#append(write);
    this.#commits.push({ index: this.log.length - 1, reply });
  }

  /** What a client's query sees; undefined when it is not that life of the server, or no primary. */
  read(boot: number): readonly LogRecord[] | undefined {
    if (!this.running || this.boot !== boot || this.role !== "primary") return undefined;
    return this.log.slice(0, this.visible);
  }

  /** Takes over another server's flushed log up to `timeline`, as far as it continues this one. Returns its end. */
  copyFrom(other: PostgresModel, timeline: number): Lsn {
    const log = other.log.slice(0, other.flushed).filter((record) => record.timeline <= timeline);
    if (log.length > this.flushed && commonPrefix(this.log, log) === this.flushed) {
      this.log = log;
      this.flushed = log.length;
      this.visible = log.length;
    }
    return log.at(-1)?.end ?? 0n;
  }

  /** Becomes a copy of another server, whatever it had. */
  becomeCopyOf(other: PostgresModel): void {
    this.#newest = 0;
    this.log = other.log.slice(0, other.flushed);
    this.flushed = this.log.length;
    this.visible = this.flushed;
  }

  /** Its disk is another one, with nothing on it. */
  loseDisk(): void {
    this.log = [];
    this.flushed = 0;
    this.visible = 0;
    this.#newest = 0;
    this.#wholeFrom = 0n;
  }

  #append(write: Write | undefined): void {
    const end = (this.log.at(-1)?.end ?? 0n) + BigInt(64 + this.#world.below(200));
    this.log.push({ end, timeline: this.timeline, write });
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    const { boot } = this;
    const flush = (): void => {
      const { nowMs } = this.#world;
      const busyUntilMs = Math.max(this.stalledUntilMs, this.pausedUntilMs);
      if (this.running && nowMs < busyUntilMs) return this.#world.after(busyUntilMs - nowMs, flush);
      this.#flushing = false;
      if (!this.running) return;
      if (this.boot !== boot) return this.#flushSoon();
      this.flushed = this.log.length;
      this.#ship();
      this.#release();
    };
    this.#world.after(1 + this.#world.below(3), flush);
  }

  /** Commits whose record is flushed and acknowledged by the quorum, in order. */
  #release(): void {
    const { count, names } = this.#world.mutation.acknowledgesAlone === true ? NO_QUORUM : this.quorum;
    const acks = this.#sessions
      .filter(({ replica }) => names.includes(replica.name))
      .map(({ flushed }) => flushed)
      .toSorted((a, b) => b - a);
    const reached = Math.min(this.flushed, count === 0 ? this.flushed : (acks[count - 1] ?? 0));
    while (this.#commits[0] !== undefined && this.#commits[0].index < reached) {
      const commit = this.#commits.shift();
      this.visible = Math.max(this.visible, (commit?.index ?? 0) + 1);
      commit?.reply("done");
    }
  }

  /** Keepalives, retries, timeouts. */
  #beat(boot: number): void {
    if (!this.running || this.boot !== boot) return;
    const { nowMs } = this.#world;
    if (nowMs >= this.pausedUntilMs) {
      if (this.streaming && nowMs > this.#heardMs + SILENCE_MS) this.streaming = false;
      if (this.role === "replica" && this.upstream !== undefined && !this.streaming)
        this.#connect(this.upstream);
      this.#sessions = this.#sessions.filter(({ heardMs }) => nowMs < heardMs + SILENCE_MS);
      if (nowMs % KEEPALIVE_MS < RETRY_MS) this.#ship(true);
      this.#release();
    }
    this.#world.after(RETRY_MS, () => this.#beat(boot));
  }

  #connect(upstream: string): void {
    const session = ++this.#session;
    const { boot } = this;
    const has = this.log.slice(0, this.flushed);
    const server = this.#world.server(upstream);
    this.#world.send(this.name, upstream, () => {
      if (!server.isAwake) return;
      const common = commonPrefix(has, server.log);
      // Postgres tells histories by the numbers of their timelines: of two with one number it tries the wrong one for ever.
      const isSameNumber = has.at(-1)?.timeline === server.timeline;
      const isGone = common < server.#begin;
      const isOff = common < has.length && common < server.flushed && !isSameNumber;
      const isStuck = isGone || (!this.#isWitness && isOff);
      const mayFollow = this.#isWitness || (common === has.length && common <= server.flushed);
      const from = this.#isWitness ? server.#witnessFrom(has, common) : common;
      if (mayFollow && !isGone) server.#accept(this, session, from);
      this.#world.send(upstream, this.name, () => {
        if (this.boot !== boot || this.#session !== session) return;
        if (isStuck) this.stuck = true;
      });
    });
  }

  /** Where a witness that has `has` begins: where it is, or a segment's beginning before the fork, or before the end. */
  #witnessFrom(has: readonly LogRecord[], common: number): number {
    const back = this.#world.below(SEGMENT_RECORDS);
    if (has.length === 0) return Math.max(0, this.flushed - back);
    return common === has.length && has.at(-1)?.timeline === this.timeline
      ? common
      : Math.max(0, common - back);
  }

  #accept(replica: PostgresModel, id: number, from: number): void {
    const { nowMs } = this.#world;
    this.#sessions = this.#sessions.filter((session) => session.replica !== replica);
    this.#sessions.push({ replica, id, sent: from, flushed: from, heardMs: nowMs });
    this.#ship(true);
  }

  #ship(always = false): void {
    for (const session of this.#sessions) {
      if (!always && session.sent >= this.flushed) continue;
      const from = session.sent;
      const records = this.log.slice(from, this.flushed);
      const heard = this.lsn;
      session.sent = this.flushed;
      const { replica, id } = session;
      this.#world.send(this.name, replica.name, () => replica.#receive(this, id, from, records, heard));
    }
  }

  #receive(
    sender: PostgresModel,
    session: number,
    from: number,
    records: readonly LogRecord[],
    heard: Lsn,
  ): void {
    const isMine = this.isAwake && this.role === "replica" && this.#session === session;
    if (!isMine || this.upstream !== sender.name) return;
    if (this.#begunSession !== session) this.#beginSession(sender, session, from, heard);
    if (from !== this.log.length) {
      this.streaming = false; // something was lost on the way
      this.#session += 1;
      return;
    }
    this.streaming = true;
    this.#heardMs = this.#world.nowMs;
    if (heard > this.heard) this.heard = heard;
    this.log.push(...records);
    this.#flushReceived(sender, session);
  }

  #beginSession(sender: PostgresModel, session: number, from: number, heard: Lsn): void {
    this.#begunSession = session;
    this.#newest = Math.max(this.#newest, sender.timeline);
    this.#newestFork = sender.fork;
    if (!this.#isWitness || from === this.log.length) return;
    if (this.log.length === 0) this.#wholeFrom = heard;
    this.log = sender.log.slice(0, from);
    this.flushed = from;
    this.#begin = from;
  }

  #flushReceived(sender: PostgresModel, session: number): void {
    const { boot } = this;
    const length = this.log.length;
    const delayMs = Math.max(1, this.stalledUntilMs - this.#world.nowMs);
    this.#world.after(delayMs, () => {
      if (!this.running || this.boot !== boot || this.#session !== session) {
        if (this.running && this.boot === boot && this.#session !== session) this.log.length = this.flushed;
        return;
      }
      this.flushed = Math.max(this.flushed, length);
      this.visible = this.flushed;
      if (this.#isWitness) this.#begin = Math.max(this.#begin, this.flushed - KEPT_RECORDS);
      this.#ship();
      this.#world.send(this.name, sender.name, () => sender.#acknowledged(this, session, length));
    });
  }

  #acknowledged(replica: PostgresModel, id: number, flushed: number): void {
    const session = this.#sessions.find((one) => one.replica === replica && one.id === id);
    if (session === undefined || !this.isAwake) return;
    session.flushed = Math.max(session.flushed, flushed);
    session.heardMs = this.#world.nowMs;
    this.#release();
  }
}
