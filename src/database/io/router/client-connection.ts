/**
 * One client: logs in, then has its messages passed to a server connection that it holds for a transaction, or longer.
 *
 *   log-in -> at rest <-> attached to a server connection; at rest -> waiting for one -> attached; any -> closed
 *
 * While it waits, the message that needs a server and what follows lie here, and nothing more is read. A client that does not
 * read its answers gets no further ones: its server connection stops reading, and so do we.
 */
import type { TimerEntry } from "../../../base/index.ts";
import { type ErrorReply, MessageWriter } from "../../../pgwire/index.ts";
import { type Outbox, type SocketOwner, send, type TcpSocket } from "../../../transport/index.ts";
import { type RouterErrorCode, routerError } from "../../router/refusals.ts";
import { Session } from "../../router/session.ts";
import { Settings } from "../../router/settings.ts";
import { Batch } from "./batch.ts";
import type { ClientHost } from "./client-host.ts";
import { ClientInput } from "./client-input.ts";
import { ClientLogin } from "./client-login.ts";
import { ClientReads } from "./client-reads.ts";
import { ClientRecord } from "./client-record.ts";
import { ClientRecovery, type Loss } from "./client-recovery.ts";
import { stateOf } from "./client-state.ts";
import type { ConsoleSession } from "./console/console-session.ts";
import type { RouterContext } from "./context.ts";
import { Farewell, writesOn } from "./farewell.ts";
import { handBack } from "./hand-back.ts";
import { whyWaited } from "./held-clients.ts";
import { writeRefusal } from "./own-answers.ts";
import type { Pool } from "./pool.ts";
import { waitEnds } from "./query-times.ts";
import type { Frame } from "./requests.ts";
import type { ServerConnection } from "./server-connection.ts";
import { adopt } from "./settling.ts";

type Wait = "nothing" | "login" | "queue" | "transaction";

export class ClientConnection implements SocketOwner, TimerEntry {
  readonly socket: TcpSocket;
  readonly host: ClientHost;
  readonly context: RouterContext;
  readonly batch: Batch;
  outbox: Outbox | undefined;
  /** The server connection that it holds. */
  server: ServerConnection | undefined;
  readonly session: Session;
  /** Splits its reads off; undefined: all that it sends goes to the primary. */
  reads: ClientReads | undefined;
  /** Has the session go on when its primary is lost; undefined: it ends. */
  readonly recovery: ClientRecovery | undefined;
  readonly input: ClientInput;
  readonly record: ClientRecord;
  /** It speaks to the router itself. */
  consoleSession: ConsoleSession | undefined;
  /** Number of its cancel key, and the key itself. */
  processId = 0;
  secret: Uint8Array = new Uint8Array(0);
  waitsSinceMs = 0;
  user = "";
  database = "";
  #pool: Pool | undefined;
  #login: ClientLogin | undefined;
  /** What the timer is for. */
  #wait: Wait = "nothing";
  /** The server connection is being given this client's settings. */
  isSettling = false;
  isLoggedIn = false;
  /** It waits because there is no primary. */
  isHeldBack = false;
  /** The pool in whose queue it waits. */
  queuedAt: Pool | undefined;
  #ended = false;
  #closing = false;
  #farewell: Farewell | undefined;
  #closed = false;

  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;

  constructor(socket: TcpSocket, host: ClientHost, loginTimeoutMs: number) {
    this.socket = socket;
    this.host = host;
    this.context = host.context;
    this.batch = new Batch(this, this.context.toClient);
    this.session = new Session(this.context.statements);
    this.input = new ClientInput(this);
    this.record = new ClientRecord(this.context.nowMs);
    this.recovery = host.followsLease ? new ClientRecovery(this) : undefined;
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
  /** Whether it keeps its server connection when no transaction is open. */
  get keepsServer(): boolean {
    return this.session.pin !== undefined || this.pool.settings.mode === "session";
  }
  /** Whether what its statements do to settings must be known: they move, or are others than the server's. */
  get hasSettings(): boolean {
    return this.moves || this.session.initial !== Settings.none;
  }
  /** Whether its session moves between server connections, so that what it leaves behind must be known. */
  get moves(): boolean {
    return this.pool.settings.mode !== "session";
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
    if (this.#closing) return this.socket.terminate();
    if (wait === "login") return this.failWith("login-timeout");
    if (wait === "queue" && this.queuedAt !== undefined) return this.fail(whyWaited(this.queuedAt));
    if (wait === "transaction" && stateOf(this) === "idle-in-transaction")
      this.failWith("idle-in-transaction");
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
    this.record.traffic = pool.traffic;
    if (pool.baseline !== undefined) return this.#welcome();
    this.acquire();
  }

  #welcome(): void {
    const login = this.#login;
    this.#login = undefined;
    this.isLoggedIn = true;
    this.context.wheel.cancel(this);
    this.#wait = "nothing";
    const { reads } = this.host;
    if (reads !== undefined && this.moves) this.reads = new ClientReads(this, reads);
    login?.welcome(this.pool.baseline ?? new Map());
    this.readOn();
  }

  // --- reading ----------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.isClosed) return this.#farewell?.received(end - start);
    this.context.counters.receivedBytes += end - start;
    this.record.received(this.context.nowMs, end - start);
    if (this.#login !== undefined && this.queuedAt === undefined) {
      const used = this.#login.received(bytes, start, end);
      if (used < end && !this.isClosed) this.input.received(bytes, used, end);
    } else this.input.received(bytes, start, end);
  }

  /** Whether what arrives has to wait. */
  get isHeld(): boolean {
    if (this.#login !== undefined || this.queuedAt !== undefined || this.isSettling) return true;
    return this.outbox !== undefined || this.reads?.isBusy === true || this.recovery?.writes.isBusy === true;
  }

  /** Goes on with what had to wait: there is a server connection, or room to send to it. */
  readOn(): void {
    if (this.input.readOn() && this.#ended) this.leave();
  }

  // --- the server connection --------------------------------------------------------------------------------------

  /** The server connection for a message. Without one, the message waits here and is passed again when there is one. */
  serverFor(frame: Frame): ServerConnection | undefined {
    if (this.server !== undefined || (this.acquire() && !this.isSettling)) return this.server;
    if (!this.isClosed && this.recovery?.refusesFrame(frame) !== true) this.input.wait(frame);
    return undefined;
  }

  /** Gets a server connection, or in the queue for one. */
  acquire(pool: Pool = this.pool): boolean {
    const found = pool.acquire(this);
    if (found === undefined) {
      this.queuedAt = pool;
      this.context.counters.waitingClients++;
      this.#schedule("queue", pool.settings.queueTimeoutMs);
      return false;
    }
    if ("severity" in found) {
      if (this.reads?.lost(undefined, found) !== true && this.recovery?.refused(found) !== true)
        this.fail(found);
      return false;
    }
    this.#attach(found);
    return true;
  }

  #attach(server: ServerConnection): void {
    this.context.counters.attachments++;
    this.record.traffic.assignments++;
    this.server = server;
    server.client = this;
    adopt(this, server);
  }

  #leaveQueue(): void {
    if (this.queuedAt === undefined) return;
    waitEnds(this.queuedAt, this.waitsSinceMs);
    this.queuedAt = undefined;
    this.isHeldBack = false;
    this.context.counters.waitingClients--;
    this.context.wheel.cancel(this);
    this.#wait = "nothing";
  }

  /** A server connection is free for it, or has its settings now. Whether it takes it. */
  serverReady(server: ServerConnection): boolean {
    if (this.isSettling) {
      this.isSettling = false;
      this.readOn();
      if (this.server === server && server.isIdle && this.input.isEmpty && !this.keepsServer) this.detach();
      return true;
    }
    if (this.isHeldBack) this.context.counters.holdsReleased++;
    this.#leaveQueue();
    if (this.isClosed) return false;
    if (this.#login !== undefined) {
      this.#welcome();
      return false;
    }
    this.#attach(server);
    if (!this.isSettling) this.readOn();
    return true;
  }

  serverRefused(error: ErrorReply): void {
    this.#leaveQueue();
    if (this.reads?.lost(undefined, error) === true) return this.readOn();
    this.fail({ ...error, severity: "FATAL" });
  }

  /** There was no primary for as long as it may wait; it is in no queue any more. */
  holdExpired(error: ErrorReply): void {
    if (this.#login !== undefined || this.recovery === undefined) return this.serverRefused(error);
    this.#leaveQueue();
    this.recovery.refuseWaiting(error);
    this.readOn();
  }

  /** Gives its server connection back, at the latest when a message that has begun is whole. */
  detach(): void {
    const { server } = this;
    if (server === undefined || !this.input.mayDetach()) return;
    this.server = undefined;
    this.record.quietSinceMs = this.context.nowMs;
    server.held = undefined;
    server.pool.release(server);
    this.reads?.detached();
    if (this.reads?.isBusy !== true && this.host.isDraining && this.input.isEmpty) this.failWith("draining");
  }

  serverGone(server: ServerConnection, error: ErrorReply): void {
    this.server = undefined;
    this.isSettling = false;
    if (this.reads?.lost(server, error) === true) return this.readOn();
    this.fail({ ...(this.recovery?.whyNot(error) ?? error), severity: "FATAL" });
  }

  /** …but its session goes on. */
  serverLost(loss: Loss): void {
    this.server = undefined;
    this.isSettling = false;
    this.reads?.primaryLost();
    this.recovery?.lost(loss);
  }

  // --- writing ----------------------------------------------------------------------------------------------------

  /** Bytes of the router's own. */
  write(writer: MessageWriter): void {
    send(this, writer.bytes, 0, writer.length);
    writer.clear();
  }

  drained(): void {
    if (this.#closed || !writesOn(this)) return;
    if (this.#closing) return this.#farewell?.drained();
    this.server?.resume();
    if (this.consoleSession !== undefined) return this.consoleSession.goOn();
    this.readOn();
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** It waits for its turn, and its user has cancelled. */
  cancelWaiting(): void {
    if (this.reads?.cancel() === true) return this.readOn();
    if (this.queuedAt === undefined || this.#login !== undefined) return;
    this.queuedAt.leaveQueue(this);
    this.#leaveQueue();
    this.failWith("cancelled");
  }

  failWith(code: RouterErrorCode, detail?: string): void {
    this.fail(routerError(code, detail));
  }

  /** Tells the client why, and closes; undefined: it has been told. */
  fail(error: ErrorReply | undefined): void {
    if (this.isClosed) return;
    this.#giveBack();
    this.#closing = true;
    this.batch.flush();
    if (error !== undefined)
      this.write(writeRefusal(new MessageWriter(), { ...error, severity: "FATAL" }, this.context));
    this.#farewell = new Farewell(this, this.#ended);
  }

  /** The worker stops taking clients: one that holds no server connection goes now, others when they give theirs back. */
  drain(): void {
    if (stateOf(this) === "idle" || this.consoleSession !== undefined) this.failWith("draining");
  }

  ended(): void {
    this.#ended = true;
    if (this.#closing) return this.#farewell?.ended();
    const isWaiting = this.#login !== undefined || this.queuedAt !== undefined; // nothing is at a server yet
    if (isWaiting || (!this.isHeld && this.input.isEmpty)) this.leave();
  }

  /** It said goodbye, or will say nothing more. */
  leave(): void {
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
    this.input.clear();
    this.outbox = undefined;
    this.session.forgetAll();
    this.host.clientGone(this);
  }

  /** Its server connection goes on to others if nothing is under way; else what is under way is ended with it. */
  #giveBack(): void {
    this.queuedAt?.leaveQueue(this);
    this.#leaveQueue();
    this.reads?.closed();
    this.input.clear();
    const { server } = this;
    this.server = undefined;
    if (server?.isOpen === true) handBack(this, server);
  }

  crashed(error: unknown): void {
    this.context.reportCrash(error);
    this.input.crashed();
    try {
      this.failWith("internal");
    } catch (second) {
      this.context.reportCrash(second);
      this.socket.terminate();
    }
  }
}
