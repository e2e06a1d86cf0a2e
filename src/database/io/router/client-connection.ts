/**
 * One client: logs in, then has its messages passed to a server connection that it holds for a transaction, or longer.
 *
 *   log-in -> at rest <-> attached to a server connection; at rest -> waiting for one -> attached; any -> closed
 *
 * While it waits, the message that needs a server and what follows lie here, and nothing more is read. A client that does not
 * read its answers gets no further ones: its server connection stops reading, and so do we.
 */
import type { TimerEntry } from "../../../base/index.ts";
import {
  type ErrorReply,
  FRONTEND_FRAMES,
  FrameScanner,
  MessageWriter,
  TRANSACTION,
  writeCommandComplete,
  writeError,
  writeReadyForQuery,
  writeTable,
} from "../../../pgwire/index.ts";
import type { RoutingStatement } from "../../../sql/index.ts";
import {
  FLUSH,
  flush,
  type Outbox,
  type SocketOwner,
  send,
  type TcpSocket,
} from "../../../transport/index.ts";
import type { Statement } from "../../router/prepared.ts";
import { type RouterErrorCode, routerError } from "../../router/refusals.ts";
import { Settings } from "../../router/settings.ts";
import type { PinReason, SettingChange, StatementEffects } from "../../router/statement-effects.ts";
import { Batch } from "./batch.ts";
import { ClientLogin, type LoginHost } from "./client-login.ts";
import { ClientReads } from "./client-reads.ts";
import type { RouterContext } from "./context.ts";
import type { Pool } from "./pool.ts";
import type { Reads } from "./reads.ts";
import { type Frame, forward, passRequest } from "./requests.ts";
import type { ServerConnection } from "./server-connection.ts";

/** What a client asks of its worker. */
export interface ClientHost extends LoginHost {
  readonly context: RouterContext;
  readonly isDraining: boolean;
  /** Where reads go; undefined: all go to the primary. */
  readonly reads: Reads | undefined;
  clientGone(client: ClientConnection): void;
}

/** What the timer is for. */
type Wait = "nothing" | "login" | "queue" | "admission" | "transaction" | "close";

/** How long a client that was told goodbye may take to read it. */
const CLOSE_MS = 5_000;

export class ClientConnection implements SocketOwner, TimerEntry {
  readonly socket: TcpSocket;
  readonly host: ClientHost;
  readonly context: RouterContext;
  readonly scanner: FrameScanner = new FrameScanner(FRONTEND_FRAMES);
  readonly batch: Batch;
  outbox: Outbox | undefined;
  /** The server connection that it holds. */
  server: ServerConnection | undefined;
  pin: PinReason | undefined;
  /** Its settings at present, and those of its start-up. */
  settings: Settings = Settings.none;
  initial: Settings = Settings.none;
  /** Its prepared statements by its own names. */
  readonly names: Map<string, Statement> = new Map();
  /** Body of its last Parse without a name; undefined: none, or too long to keep. */
  unnamed: Uint8Array | undefined;
  /** What the portal without a name does when it is executed. */
  bound: StatementEffects | undefined;
  unnamedEffects: StatementEffects | undefined;
  /** Number of its cancel key, and the key itself. */
  processId = 0;
  secret: Uint8Array = new Uint8Array(0);
  waitsSinceMs = 0;
  user = "";
  database = "";
  /** Splits its reads off; undefined: all that it sends goes to the primary. */
  reads: ClientReads | undefined;
  #pool: Pool | undefined;
  #login: ClientLogin | undefined;
  #wait: Wait = "nothing";
  /** The server connection is being given this client's settings. */
  #settling = false;
  /** The pool in whose queue it waits. */
  #queuedAt: Pool | undefined;
  #pending: Frame | undefined;
  /** What arrived behind the pending message, or while answers could not be sent. */
  #input: Uint8Array[] = [];
  #processing = false;
  #paused = false;
  #ended = false;
  #closing = false;
  #closed = false;

  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;

  constructor(socket: TcpSocket, host: ClientHost, loginTimeoutMs: number) {
    this.socket = socket;
    this.host = host;
    this.context = host.context;
    this.batch = new Batch(this, this.context.toClient);
    this.#login = new ClientLogin(this, host);
    this.#schedule("login", loginTimeoutMs);
  }

  get pool(): Pool {
    if (this.#pool === undefined) throw new Error("client: has no pool before its log-in");
    return this.#pool;
  }
  get isClosed(): boolean {
    return this.#closed || this.#closing;
  }
  /** It has its server connection, but not yet its settings. */
  get isWaiting(): boolean {
    return this.#settling;
  }
  /** Whether it keeps its server connection when no transaction is open. */
  get keepsServer(): boolean {
    return this.pin !== undefined || this.pool.settings.mode === "session";
  }
  /** Whether its session moves between server connections, so that what it leaves behind must be known. */
  get moves(): boolean {
    return this.pool.settings.mode !== "session";
  }
  get #queued(): boolean {
    return this.#queuedAt !== undefined;
  }
  get state(): "login" | "waiting" | "active" | "idle-in-transaction" | "pinned" | "idle" {
    if (this.#login !== undefined) return "login";
    if (this.#queued || this.#settling) return "waiting";
    if (this.server === undefined) return this.reads?.isBusy === true ? "waiting" : "idle";
    if (this.server.replies.length > 0) return "active";
    return this.server.status === TRANSACTION.idle ? "pinned" : "idle-in-transaction";
  }

  // --- time -------------------------------------------------------------------------------------------------------

  #schedule(wait: Wait, ms: number): void {
    this.#wait = wait;
    this.context.wheel.schedule(this, ms);
  }

  onTimer(): void {
    try {
      this.#timedOut();
    } catch (error) {
      this.crashed(error);
    }
  }

  #timedOut(): void {
    const wait = this.#wait;
    this.#wait = "nothing";
    if (this.#closed) return;
    if (wait === "close") return this.socket.terminate();
    if (wait === "login") return this.fail(routerError("login-timeout"));
    if (wait === "queue" && this.#queued) {
      this.context.counters.queueTimeouts++;
      return this.fail((this.#queuedAt ?? this.pool).timeoutError());
    }
    if (wait === "admission") this.reads?.admissionTimedOut();
    if (wait === "transaction" && this.state === "idle-in-transaction") this.failWith("idle-in-transaction");
  }

  /** The server waits within a transaction: the client has so long to go on. */
  transactionRests(): void {
    const { mode, idleInTransactionMs } = this.pool.settings;
    if (mode === "statement") return this.failWith("statement-mode");
    if (idleInTransactionMs > 0) this.#schedule("transaction", idleInTransactionMs);
  }

  // --- log-in -----------------------------------------------------------------------------------------------------

  /** It has shown who it is. Its first server connection tells what a session is like. */
  loggedIn(pool: Pool): void {
    this.#pool = pool;
    if (pool.baseline !== undefined) return this.#welcome();
    this.#acquire();
  }

  #welcome(): void {
    const login = this.#login;
    this.#login = undefined;
    this.context.wheel.cancel(this);
    this.#wait = "nothing";
    const { reads } = this.host;
    if (reads !== undefined && this.moves) this.reads = new ClientReads(this, reads);
    login?.welcome(this.pool.baseline ?? new Map());
    if (this.#ended) this.#leave();
    else if (!this.#processing) this.#readOn();
  }

  // --- reading ----------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.isClosed) return;
    this.context.counters.receivedBytes += end - start;
    if (this.#login !== undefined && !this.#queued) {
      const used = this.#login.received(bytes, start, end);
      if (used < end && !this.isClosed) this.#keepOrProcess(bytes, used, end);
    } else {
      this.#keepOrProcess(bytes, start, end);
    }
  }

  #keepOrProcess(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isHeld || this.#input.length > 0) this.#keep(bytes, start, end);
    else this.#process(bytes, start, end);
  }

  /** Whether what arrives has to wait. */
  get #isHeld(): boolean {
    return (
      this.#login !== undefined ||
      this.#queued ||
      this.#settling ||
      this.outbox !== undefined ||
      this.#processing ||
      this.reads?.isBusy === true
    );
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (end > start) this.#input.push(bytes.slice(start, end));
    this.#pause();
  }

  #process(bytes: Uint8Array, start: number, end: number): void {
    const { scanner } = this;
    this.#processing = true;
    scanner.push(bytes, start, end);
    for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
      if (outcome === "mistake") {
        this.failWith("protocol-violation", scanner.mistake);
        break;
      }
      if (outcome === "frame") passRequest(this, scanner, scanner.bytes === bytes);
      // Without a server connection it is what remains of a COPY that has failed.
      else if (this.server !== undefined) forward(this.server, scanner, scanner.bytes === bytes);
      else this.reads?.takeRest(scanner.bytes, scanner.start, scanner.end);
      if (this.isClosed) break;
      if (this.#pending !== undefined) {
        // What was scanned lies in `#pending`; the scanner goes on behind it.
        this.#keep(bytes, scanner.at, end);
        break;
      }
      if (this.reads?.isBusy === true) {
        if (scanner.at < end) this.#keep(bytes, scanner.at, end);
        break;
      }
    }
    this.#processing = false;
    this.#sendOn();
  }

  /** Sends what was put together, in both directions. */
  #sendOn(): void {
    if (this.server !== undefined && !this.server.batch.isEmpty && !this.server.flush()) this.#pause();
    if (!this.batch.isEmpty && !this.isClosed) this.batch.flush();
  }

  /** Goes on with what had to wait. */
  #readOn(): void {
    if (this.#processing || this.isClosed) return;
    this.#readsGoOn();
    const pending = this.#pending;
    if (pending !== undefined && !this.#isHeld) {
      this.#pending = undefined;
      this.#processing = true;
      passRequest(this, pending, true);
      this.#processing = false;
      this.#sendOn();
    }
    while (this.#input.length > 0 && !this.#isHeld && !this.isClosed) {
      const input = this.#input.shift();
      if (input !== undefined) this.#processKept(input);
    }
    if (this.#input.length > 0 || this.#isHeld || this.isClosed) return;
    this.#resume();
    if (this.#ended) this.#leave();
  }

  /** A batch that waited goes out. */
  #readsGoOn(): void {
    const { reads } = this;
    if (reads === undefined) return;
    reads.goOn();
    if (!reads.isDue || this.server === undefined || this.#settling) return;
    this.#processing = true;
    reads.feed(this.server);
    this.#processing = false;
    this.#sendOn();
  }

  /** Like `#process`, but what is left goes to the front again. */
  #processKept(input: Uint8Array): void {
    const later = this.#input;
    this.#input = [];
    this.#process(input, 0, input.length);
    this.#input.push(...later);
  }

  #pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    this.socket.pause();
  }
  #resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    this.socket.resume();
  }

  // --- the server connection --------------------------------------------------------------------------------------

  /** The server connection for a message. Without one, the message waits here and is passed again when there is one. */
  serverFor({ type, bytes, start, end, rest }: Frame): ServerConnection | undefined {
    if (this.server !== undefined || (this.#acquire() && !this.#settling)) return this.server;
    if (!this.isClosed) this.passLater({ type, bytes, start, end, rest });
    return undefined;
  }

  /** A message waits here until there is a server connection. */
  passLater({ type, bytes, start, end, rest }: Frame): void {
    this.#pending = { type, bytes: bytes.slice(start, end), start: 0, end: end - start, rest };
  }

  /** Gets a connection of `pool` for a batch, or in the queue for one. */
  acquireFrom(pool: Pool): void {
    this.#acquire(pool);
  }

  /** Gets a server connection, or in the queue for one. */
  #acquire(pool: Pool = this.pool): boolean {
    const found = pool.acquire(this);
    if (found === undefined) {
      this.#queuedAt = pool;
      this.waitsSinceMs = this.context.clock.nowMs();
      this.context.counters.waitingClients++;
      this.#schedule("queue", pool.settings.queueTimeoutMs);
      return false;
    }
    if ("severity" in found) {
      if (this.reads?.lost(undefined, found) !== true) this.fail(found);
      return false;
    }
    this.#attach(found);
    return true;
  }

  #attach(server: ServerConnection): void {
    this.context.counters.attachments++;
    this.server = server;
    server.client = this;
    if (server.settings.equals(this.settings)) {
      server.settings = this.settings;
      return;
    }
    this.context.counters.settingsReplayed++;
    const changed = this.settings.sqlFrom(server.settings);
    server.settings = this.settings;
    this.#settling = true;
    server.ask(changed);
    server.flush();
  }

  #leaveQueue(): void {
    if (!this.#queued) return;
    this.#queuedAt = undefined;
    this.context.counters.waitingClients--;
    this.stopWaiting();
  }

  /** A read waits for its turn on the primary. */
  waitAdmission(ms: number): void {
    this.#schedule("admission", ms);
  }
  stopWaiting(): void {
    this.context.wheel.cancel(this);
    this.#wait = "nothing";
  }

  /** A server connection is free for it, or has its settings now. Whether it takes it. */
  serverReady(server: ServerConnection): boolean {
    if (this.#settling) {
      this.#settling = false;
      this.#readOn();
      if (this.server === server && server.isIdle && this.#pending === undefined && !this.keepsServer)
        this.detach();
      return true;
    }
    this.#leaveQueue();
    if (this.isClosed) return false;
    if (this.#login !== undefined) {
      this.#welcome();
      return false;
    }
    this.#attach(server);
    if (!this.#settling) this.#readOn();
    return true;
  }

  serverRefused(error: ErrorReply): void {
    this.#leaveQueue();
    if (this.reads?.lost(undefined, error) === true) return this.goOn();
    this.fail({ ...error, severity: "FATAL" });
  }

  /** Gives its server connection back. */
  detach(): void {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    server.held = undefined;
    server.pool.release(server);
    this.reads?.detached();
    if (this.reads?.isBusy === true) return;
    if (this.host.isDraining && this.#input.length === 0 && this.#pending === undefined)
      this.failWith("draining");
  }

  /** The kernel has room for requests again. */
  serverDrained(): void {
    this.#readOn();
  }

  /** What it waited for has come. */
  goOn(): void {
    this.#readOn();
  }

  serverGone(server: ServerConnection, error: ErrorReply): void {
    this.server = undefined;
    this.#settling = false;
    if (this.reads?.lost(server, error) === true) return this.goOn();
    this.fail({ ...error, severity: "FATAL" });
  }

  // --- what its session has ---------------------------------------------------------------------------------------

  /** Keeps its server connection from now on. */
  keepServer(reason: PinReason): void {
    if (this.pin !== undefined) return;
    // A session stays with the primary alone: what it leaves on a replica ends with the transaction there.
    if (this.reads?.isOnReplica === true) {
      if (this.server !== undefined) this.server.isDirty = true;
      return;
    }
    this.pin = reason;
    this.context.counters.pins++;
    if (this.server !== undefined) this.server.isDirty = true;
  }

  settingChanged(change: SettingChange): void {
    const { initial } = this;
    if (this.reads?.settingChanged(change) === true) return;
    if (change.kind === "reset-all") {
      this.settings = initial;
    } else {
      const sql = change.kind === "set" ? change.sql : initial.get(change.name);
      if (change.kind === "reset" || !this.pool.reports(change.name))
        this.settings = this.settings.with(change.name, sql);
    }
  }

  sessionDiscarded(): void {
    this.settings = this.initial;
    this.reads?.session.reset();
    this.pin = undefined;
    this.unnamed = undefined;
    if (this.server !== undefined) this.server.isDirty = false;
  }

  forgetName(name: string): void {
    const statement = this.names.get(name);
    if (statement === undefined) return;
    this.names.delete(name);
    this.context.statements.release(statement);
  }
  restoreName(name: string, statement: Statement): void {
    this.forgetName(name);
    this.context.statements.retain(statement);
    this.names.set(name, statement);
  }
  forgetNames(): void {
    for (const name of this.names.keys()) this.forgetName(name);
  }

  // --- writing ----------------------------------------------------------------------------------------------------

  /** Answers without the server, when nothing is owed: a command's end and the session's state. */
  answer(tag: string): void {
    const writer = new MessageWriter();
    writeCommandComplete(writer, tag);
    writeReadyForQuery(writer, this.server?.status ?? TRANSACTION.idle);
    this.batch.addCopy(writer.bytes, 0, writer.length);
  }

  /** An error that does not end the session. */
  refuse(error: ErrorReply): void {
    const writer = new MessageWriter();
    writeError(writer, error);
    writeReadyForQuery(writer, TRANSACTION.idle);
    this.#say(writer);
  }

  /** Answers a statement about one of the router's own settings. False: the server shall. */
  answerRouting(statement: RoutingStatement): boolean {
    const answer = this.reads?.answerTo(statement);
    if (answer === undefined) return false;
    if ("severity" in answer) {
      this.refuse(answer);
      return true;
    }
    const writer = new MessageWriter();
    if (answer.columns.length > 0) writeTable(writer, answer.columns, answer.rows);
    writeCommandComplete(writer, answer.tag);
    writeReadyForQuery(writer, TRANSACTION.idle);
    this.#say(writer);
    return true;
  }

  #say(writer: MessageWriter): void {
    this.batch.addCopy(writer.bytes, 0, writer.length);
    if (!this.#processing) this.batch.flush();
  }

  /** Bytes of the log-in. */
  write(writer: MessageWriter): void {
    send(this, writer.bytes, 0, writer.length);
    writer.clear();
  }

  drained(): void {
    if (this.#closed || flush(this) !== FLUSH.empty) return;
    if (this.#closing) return this.socket.end();
    this.server?.resume();
    this.#readOn();
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** It waits for its turn, and its user has cancelled. */
  cancelWaiting(): void {
    if (this.reads?.cancel() === true) return this.goOn();
    if (!this.#queued || this.#login !== undefined) return;
    this.#queuedAt?.leaveQueue(this);
    this.#leaveQueue();
    this.fail({ ...routerError("cancelled"), severity: "FATAL" });
  }

  failWith(code: RouterErrorCode, detail?: string): void {
    this.fail(routerError(code, detail));
  }

  /** Tells the client why, and closes. */
  fail(error: ErrorReply): void {
    if (this.isClosed) return;
    this.#giveBack();
    this.#closing = true;
    this.batch.flush();
    const writer = new MessageWriter();
    writeError(writer, { ...error, severity: "FATAL" });
    send(this, writer.bytes, 0, writer.length);
    if (this.outbox === undefined) this.socket.end();
    else this.#schedule("close", CLOSE_MS);
  }

  /** The worker stops taking clients: one that holds no server connection goes now, others when they give theirs back. */
  drain(): void {
    if (this.#login === undefined && this.state === "idle") this.failWith("draining");
  }

  ended(): void {
    this.#ended = true;
    if (this.#queued || this.#settling || this.outbox !== undefined || this.#input.length > 0) return;
    if (this.reads?.isBusy === true && this.server === undefined) return;
    this.#leave();
  }

  /** It said goodbye, or will say nothing more. */
  leave(): void {
    this.#leave();
  }

  #leave(): void {
    if (this.#closed) return;
    this.#giveBack();
    this.#closing = true;
    this.socket.end();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#giveBack();
    this.context.wheel.cancel(this);
    this.#login = undefined;
    this.#input = [];
    this.outbox = undefined;
    this.forgetNames();
    this.host.clientGone(this);
  }

  /** Its server connection goes on to others if nothing is under way; else what is under way is ended with it. */
  #giveBack(): void {
    this.#queuedAt?.leaveQueue(this);
    this.#leaveQueue();
    this.reads?.closed();
    this.#pending = undefined;
    const { server } = this;
    this.server = undefined;
    if (server === undefined || !server.isOpen) return;
    server.client = undefined;
    if (server.replies.length > 0 || !server.batch.isEmpty || !this.scanner.isBetween)
      return this.host.abandon(server);
    if (server.status !== TRANSACTION.idle) server.ask("ROLLBACK");
    if (!this.moves) server.isDirty = true;
    if (server.replies.length === 0) return server.pool.release(server);
    server.flush();
  }

  crashed(error: unknown): void {
    this.context.reportCrash(error);
    this.#processing = false;
    try {
      this.failWith("internal");
    } catch (second) {
      this.context.reportCrash(second);
      this.socket.terminate();
    }
  }
}
