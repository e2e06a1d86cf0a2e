/**
 * The store: databases, clients and the one way in, `execute`. Pure: bytes of a request in, bytes of a reply out.
 *
 *   execute: look up the command -> who may -> MULTI queues -> memory and disk allow -> run -> log, tracking, waiting clients
 *
 * Sockets, files and timers are arguments; src/store/io has them.
 */
import type { Clock, Random, Scheduler } from "../base/index.ts";
import { latin1, type ReplyWriter } from "../resp/index.ts";
import { Acl } from "./acl.ts";
import { type Arguments, Call, copyOf } from "./call.ts";
import { Channels } from "./channels.ts";
import { type Command, eachKey } from "./command.ts";
import { CommandIndex } from "./command-index.ts";
import { COMMAND_TABLES } from "./commands/index.ts";
import { Eviction } from "./eviction.ts";
import { type Ground, Keyspace, TYPE } from "./keyspace.ts";
import type { StoreLog } from "./log/store-log.ts";
import type { HashSecret } from "./memory/siphash.ts";
import { Slab } from "./memory/slab.ts";
import { Monitors } from "./monitors.ts";
import { Pushes } from "./pushes.ts";
import { refusal, unknownCommand } from "./refusals.ts";
import { Session } from "./session.ts";
import { SETTINGS, type Settings } from "./settings.ts";
import { TrackingTable } from "./tracking.ts";
import { WaitingClients, withKey } from "./waiting.ts";
import { keyName, Watches } from "./watches.ts";

/** Evictions of one call: the next one goes on. */
const EVICTIONS_MAX = 1000;

/** What a store is made of. */
export interface StoreParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Secret of the hash table: 64 random bits. */
  readonly secret: HashSecret;
  /** Where replies are written; the caller takes them from it after `execute`. */
  readonly out: ReplyWriter;
  readonly settings?: Partial<Settings>;
  /** What INFO says that only the process knows: resident memory and the like. */
  readonly processInfo?: () => Readonly<Record<string, string | number>>;
  /** The same for its section "cpu". */
  readonly processTimes?: () => Readonly<Record<string, string | number>>;
}

export class Store {
  readonly settings: Settings;
  readonly ground: Ground;
  readonly commands: CommandIndex = new CommandIndex(COMMAND_TABLES);
  readonly acl: Acl = new Acl(this.commands.all);
  readonly sessions: Map<number, Session> = new Map();
  readonly watches: Watches = new Watches();
  readonly channels: Channels = new Channels();
  readonly waiting: WaitingClients = new WaitingClients();
  readonly eviction: Eviction;
  readonly pushes: Pushes;
  readonly tracking: TrackingTable;
  readonly monitors: Monitors;
  readonly parts: StoreParts;
  readonly startedMs: number;
  /** Where changes are written down; none for a store in memory alone. */
  log: StoreLog | undefined;
  /** The client whose command is being run. */
  running: Session | undefined;
  // Counters of INFO.
  errors = 0;
  processed = 0;
  hits = 0;
  misses = 0;
  expired = 0;
  evicted = 0;
  connections = 0;
  /** By number; made when they are first asked for. */
  readonly #byIndex: (Keyspace | undefined)[] = [];
  readonly #spaces: Keyspace[] = [];
  readonly #call: Call;
  readonly #wallOriginMs: number;
  #lastSession = 0;

  constructor(parts: StoreParts) {
    this.parts = parts;
    const { clock, random, secret } = parts;
    this.#wallOriginMs = clock.wallMs() - clock.nowMs();
    this.startedMs = clock.wallMs();
    this.settings = { ...SETTINGS, ...parts.settings };
    this.ground = {
      slab: new Slab(),
      secret,
      random,
      weight: { bytes: 0 },
      nowMs: clock.wallMs(),
      dump: undefined,
      dumpedWhen: false,
      expired: (space, key) => this.#gone(space, key, "expired"),
      touched: () => 0,
      fresh: () => 0,
      added: undefined,
      expiryPaused: false,
    };
    this.eviction = new Eviction(this.ground, () => this.#spaces);
    this.pushes = new Pushes(this);
    this.monitors = new Monitors((session, line) => this.pushes.line(session, line));
    this.tracking = new TrackingTable((session, keys) => this.pushes.invalidate(session, keys));
    const nobody = new Session(0, NOBODY, "", 0);
    this.#call = new Call(this, parts.out, nobody, this.space(0), this.commands.all.get("ping") as Command);
    this.applySettings();
  }

  space(index: number): Keyspace {
    return this.#byIndex[index] ?? this.#makeSpace(index);
  }

  #makeSpace(index: number): Keyspace {
    const space = new Keyspace(index, this.ground);
    this.#byIndex[index] = space;
    this.#spaces.push(space);
    return space;
  }

  /** Databases that were ever asked for. */
  get spaces(): readonly Keyspace[] {
    return this.#spaces;
  }
  /** The call that is being run, or was last. */
  get call(): Call {
    return this.#call;
  }

  /** Bytes of data: blocks, indexes, structures, queues of the policy. */
  get usedBytes(): number {
    return this.ground.slab.usedBytes + this.ground.weight.bytes + this.eviction.heldBytes;
  }

  /** Lets settings that were changed take effect. */
  applySettings(): void {
    const { policy, password, trackingKeysMax } = this.settings;
    if (policy !== this.eviction.policy) this.eviction.setPolicy(policy);
    this.tracking.keysMax = trackingKeysMax;
    this.acl.setDefaultPassword(password);
  }

  /** Tells the store what time it is: monotonic time on the wall clock of its start, which no correction makes jump. */
  tick(): void {
    this.ground.nowMs = Math.floor(this.#wallOriginMs + this.parts.clock.nowMs());
  }

  // --- clients ------------------------------------------------------------------------------------------------

  /** A new client. */
  connect(sink: Session["sink"], address: string): Session {
    const session = new Session(++this.#lastSession, sink, address, this.ground.nowMs);
    if (this.settings.password === "" && this.acl.default.noPassword) session.user = this.acl.default;
    this.sessions.set(session.id, session);
    this.connections++;
    return session;
  }

  /** A client has gone. */
  disconnect(session: Session): void {
    this.sessions.delete(session.id);
    this.waiting.remove(session);
    this.watches.unwatch(session);
    this.channels.unsubscribeAll(session);
    this.tracking.stop(session);
    this.monitors.stop(session);
  }

  // --- commands -----------------------------------------------------------------------------------------------

  /** Runs one request of a client; the reply goes to `parts.out`. Never throws for anything that a client can send. */
  execute(session: Session, args: Arguments): void {
    const call = this.#call;
    const { out } = call;
    out.protocol = session.protocol;
    const { bytes, starts, ends } = args;
    const command = this.commands.find(bytes, starts[0] ?? 0, ends[0] ?? 0);
    load(call, session, args);
    call.space = this.space(session.database);
    const before = out.length;
    this.processed++;
    session.calls++;
    session.lastMs = this.ground.nowMs;
    if (command === undefined) {
      this.#refuse(session, unknownCommand(call));
    } else {
      call.command = command;
      call.name = this.commands.name;
      session.lastCommand =
        command.subcommands === undefined ? call.name : `${call.name}|${call.text(1).toLowerCase()}`;
      const problem = refusal(this, call);
      if (problem !== undefined) this.#refuse(session, problem);
      else if (session.queue !== undefined && !command.flags.has("no_multi")) this.#enqueue(session, call);
      else this.run(call);
    }
    if (session.replies !== "on") this.#suppress(session, before);
    this.pushes.flushOwn(session);
    if (this.waiting.size > 0) this.#serveWaiting(session);
  }

  #refuse(session: Session, error: string): void {
    if (session.queue !== undefined) session.queueFailed = true;
    this.#call.fail(error);
  }

  /** CLIENT REPLY: what was written is taken back. */
  #suppress(session: Session, before: number): void {
    this.#call.out.length = Math.min(this.#call.out.length, before);
    if (session.replies === "skip") session.replies = "on";
    if (session.replies === "skip-next") session.replies = "skip";
  }

  #enqueue(session: Session, call: Call): void {
    const args = copyOf(call);
    session.queueBytes += args.bytes.length + 64;
    if (session.queueBytes > this.settings.requestBytesMax) {
      this.#refuse(session, "ERR transaction is larger than the query buffer limit");
      return;
    }
    session.queue?.push({ command: call.command, name: call.name, args });
    call.out.simple("QUEUED");
  }

  /** Runs the command of a call that may be run. */
  run(call: Call): void {
    const { command, session } = call;
    call.dirty = 0;
    call.logged = undefined;
    // EXEC runs others within: what its client is to be told comes behind all of them.
    const outer = this.running;
    this.running = session;
    const shown = this.monitors.wants(call) ? this.monitors.line(call) : undefined;
    command.run(call);
    this.running = outer;
    if (shown !== undefined) this.monitors.show(shown);
    if (call.dirty > 0) this.log?.write(call);
    if (!this.tracking.isEmpty && session.tracking !== undefined) this.#track(call);
  }

  /** Runs the queue of a transaction. */
  runQueue(session: Session): void {
    const queue = session.queue ?? [];
    this.endTransaction(session);
    const call = this.#call;
    call.out.array(queue.length);
    call.mayBlock = false;
    for (const { command, name, args } of queue) {
      load(call, session, args);
      call.space = this.space(session.database);
      call.command = command;
      call.name = name;
      const problem = refusal(this, call);
      if (problem === undefined) this.run(call);
      else call.fail(problem);
    }
    call.mayBlock = true;
    call.dirty = 0;
  }

  endTransaction(session: Session): void {
    session.queue = undefined;
    session.queueBytes = 0;
    session.queueFailed = false;
    this.watches.unwatch(session);
  }

  // --- changes ------------------------------------------------------------------------------------------------

  /** A key has changed: who watches it, and who has it in a cache, is told. */
  changed(space: Keyspace, bytes: Uint8Array, start: number, end: number, by: Session | undefined): void {
    if (this.watches.isEmpty && this.tracking.isEmpty) return;
    if (!this.watches.isEmpty) this.watches.changed(keyName(space.index, bytes, start, end));
    if (!this.tracking.isEmpty) this.tracking.changed(latin1(bytes, start, end), by);
  }

  #gone(space: Keyspace, key: Uint8Array, why: "expired" | "evicted"): void {
    this[why]++;
    this.log?.writeDelete(space, key);
    this.changed(space, key, 0, key.length, undefined);
  }

  /** Removes a key for lack of memory. */
  #evict(): boolean {
    const victim = this.eviction.victim();
    if (victim === undefined) return false;
    const key = victim.space.keyOf(victim.ref);
    victim.space.remove(victim.ref);
    this.#gone(victim.space, key, "evicted");
    return true;
  }

  /** Evicts until memory is within its bound. False when it cannot be brought there. */
  makeRoom(): boolean {
    const { maxMemoryBytes } = this.settings;
    if (maxMemoryBytes === 0) return true;
    for (let evictions = 0; evictions < EVICTIONS_MAX; evictions++) {
      if (this.usedBytes <= maxMemoryBytes) return true;
      if (!this.#evict()) return false;
    }
    return true;
  }

  /** Every key of a database has gone, or of all databases. */
  flushed(): void {
    this.tracking.flushed();
  }

  #track(call: Call): void {
    const { session, command } = call;
    if (command.isRead && this.tracking.wants(session))
      eachKey(command, call, (place) => this.tracking.remember(session, call.text(place)));
    if (session.tracking !== undefined && call.name !== "client") session.tracking.caching = undefined;
  }

  // --- clients that wait --------------------------------------------------------------------------------------

  /** Makes the client of this call wait until one of `keys` has something, or the time is over. */
  wait(call: Call, keys: readonly number[], seconds: number, timedOut: () => void): void {
    const { session } = call;
    const cancel =
      seconds > 0 ? this.parts.scheduler.after(seconds * 1000, () => this.#timeOut(session)) : () => {};
    this.waiting.add(session, {
      command: call.command,
      name: call.name,
      args: copyOf(call),
      keys: keys.map((place) => keyName(call.space.index, call.bytes, call.start(place), call.end(place))),
      places: keys,
      type: call.command.categories.includes("list") ? TYPE.list : TYPE.zset,
      timedOut,
      cancel,
    });
  }

  #timeOut(session: Session): void {
    const { waiting } = session;
    if (waiting === undefined) return;
    this.waiting.remove(session);
    this.pushes.reply(session, waiting.timedOut);
    session.sink.resume();
  }

  /** Ends the wait of a client, with an error when it asks for one. False when it does not wait. */
  unblock(session: Session, error: string | undefined): boolean {
    const { waiting } = session;
    if (waiting === undefined) return false;
    this.waiting.remove(session);
    this.pushes.reply(session, error === undefined ? waiting.timedOut : () => this.#call.fail(error));
    session.sink.resume();
    return true;
  }

  /** Runs the commands of clients that wait for keys which got something. */
  #serveWaiting(by: Session): void {
    for (let ready = this.waiting.nextReady(); ready !== undefined; ready = this.waiting.nextReady())
      for (const session of ready.sessions) this.#serve(session, ready.key);
    this.#call.session = by;
  }

  /** Serves a client, unless what the key got has gone again, or is of another type: then it waits on. */
  #serve(session: Session, key: string): void {
    const { waiting } = session;
    const place = waiting?.places[waiting.keys.indexOf(key)];
    if (waiting === undefined || place === undefined) return;
    const space = this.space(session.database);
    const { bytes, starts, ends } = waiting.args;
    const ref = space.peek(bytes, starts[place] ?? 0, ends[place] ?? 0);
    if (ref === 0 || space.typeOf(ref) !== waiting.type) return;
    const call = this.#call;
    this.waiting.remove(session);
    this.pushes.reply(session, () => {
      load(call, session, withKey(waiting, place));
      call.space = space;
      call.command = waiting.command;
      call.name = waiting.name;
      this.run(call);
    });
    session.sink.resume();
  }
}

function load(call: Call, session: Session, { bytes, starts, ends, count }: Arguments): void {
  call.session = session;
  call.bytes = bytes;
  call.starts = starts;
  call.ends = ends;
  call.count = count;
}

const NOBODY: Session["sink"] = { send: () => {}, close: () => {}, resume: () => {}, unsentBytes: 0 };
