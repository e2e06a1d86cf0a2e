/**
 * One connection to a server: logs in, then serves one client after another.
 *
 *   connecting -> logging in -> free <-> attached to a client; any -> closed
 *
 * Answers are passed on as they arrive. What the server owes is kept in a queue, by which answers to messages of our own are
 * taken out and the turn of answers that we make ourselves is found.
 */
import type { TimerEntry } from "../../../base/index.ts";
import {
  BACKEND_FRAMES,
  type ErrorReply,
  FrameScanner,
  Login,
  MessageWriter,
  readError,
  TRANSACTION,
  writeQuery,
  writeTerminate,
} from "../../../pgwire/index.ts";
import {
  type ConnectFailure,
  type ConnectOwner,
  FLUSH,
  flush,
  type Outbox,
  SEND,
  send,
  type TcpSocket,
  type TlsFailure,
} from "../../../transport/index.ts";
import { PreparedOnServer } from "../../router/prepared.ts";
import { routerError } from "../../router/refusals.ts";
import { REPLY, ReplyQueue } from "../../router/reply-queue.ts";
import { isSettable, Settings } from "../../router/settings.ts";
import type { SettingChange } from "../../router/statement-effects.ts";
import { COMMITS } from "../../router/transaction-end.ts";
import type { AnswerHolder } from "./answer-holder.ts";
import { passAnswers } from "./answers.ts";
import { Batch } from "./batch.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { RouterContext } from "./context.ts";
import { numberAfter } from "./numbers.ts";
import type { Pool } from "./pool.ts";
import type { Target } from "./primary-gate.ts";
import { reported } from "./reported-settings.ts";
import { statementsGone } from "./skipped.ts";
import { bindingOf } from "./tls/binding.ts";

type State = "connecting" | "login" | "open" | "closed";

export class ServerConnection implements ConnectOwner, TimerEntry {
  readonly pool: Pool;
  readonly context: RouterContext;
  readonly scanner: FrameScanner = new FrameScanner(BACKEND_FRAMES);
  readonly replies: ReplyQueue = new ReplyQueue();
  readonly batch: Batch;
  readonly prepared: PreparedOnServer;
  outbox: Outbox | undefined;
  /** Whom it serves at present. */
  client: ClientConnection | undefined;
  /** Who sent the last Parse without a name. */
  unnamedOf: ClientConnection | undefined;
  /** Holds the answer back that is under way. */
  held: AnswerHolder | undefined;
  /** Some of the answer under way has gone to the client. */
  passed = false;
  /** Number of the primary's start, as of the look that confirmed this connection. */
  start = 0;
  /** One of `TRANSACTION`. */
  status: number = TRANSACTION.idle;
  /** The server reads rows of a COPY, and ignores syncs. */
  copiesIn = false;
  /** What the session's settings are at present. */
  settings: Settings = Settings.none;
  /** …and what they were before those that are being made. */
  settingsBefore: Settings = Settings.none;
  /** Changes of settings that the server does not report, until it is known that they stay. */
  pending: SettingChange[] = [];
  /** What makes the search path until the transaction ends; undefined: what the settings say. */
  searchPath: string | undefined;
  /** The batch under way has met an error, or its transaction was rolled back. */
  undone = false;
  /** Its client hears of the settings that are being made: it has been told of others. */
  tells = false;
  /** It met an error in a batch whose Sync it has not got: it ignores all up to that. */
  skips = false;
  /** A batch of extended queries has begun, and its Sync was not sent. */
  isInBatch = false;
  /** Its transaction has changed tables, or whatever else statements depend on. */
  changedSchema = false;
  /** Passed bytes belong to a message that the client is not to see. */
  dropsRest = false;
  /** It must not be used by another client before its session is cleaned. */
  isDirty = false;
  /** The last error was fatal, and has been passed on: the end that follows needs no further words. */
  saidGoodbye = false;
  /** Cancel requests on their way: whoever used it next could be hit. */
  cancels = 0;
  hasServed = false;
  /** Of the worker's connections; 0 before the log-in. */
  number = 0;
  readonly openedMs: number;
  /** When it had logged in, by the exact clock. */
  openedAtMs: number = Infinity;
  /** A statement is under way that ends its transaction for good. */
  commits: number = COMMITS.no;
  usedMs: number;
  /** When the query under way began, and its transaction, as of a tick; -1: none is. */
  queryMs = -1;
  transactionMs = -1;
  checkedMs: number;
  /** Belongs to a primary that has been replaced: closed when it is free. */
  isOutdated = false;
  readonly address: Target;
  #socket: TcpSocket | undefined;
  #login: Login | undefined;
  readonly #writer = new MessageWriter();
  #giveUp: () => void = () => {};
  #state: State = "connecting";
  #paused = false;

  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;

  constructor(pool: Pool, address: Target) {
    this.pool = pool;
    this.context = pool.context;
    this.address = address;
    this.batch = new Batch(this, this.context.toServer);
    this.prepared = new PreparedOnServer(pool.settings.preparedMax);
    this.openedMs = this.usedMs = this.checkedMs = this.context.nowMs;
  }

  get socket(): TcpSocket {
    if (this.#socket === undefined) throw new Error("server connection: used before it was open");
    return this.#socket;
  }
  get isOpen(): boolean {
    return this.#state === "open";
  }
  /** What cancels its query. */
  get cancelKey(): { readonly processId: number; readonly secret: Uint8Array } {
    return { processId: this.#login?.processId ?? 0, secret: this.#login?.secret ?? new Uint8Array(0) };
  }
  /** No answer is owed and no transaction is open. */
  get isIdle(): boolean {
    return this.replies.length === 0 && this.status === TRANSACTION.idle;
  }

  connect(): void {
    this.context.wheel.schedule(this, this.pool.settings.serverLoginTimeoutMs);
    this.#giveUp = this.context.transport.connect(this.address, this);
  }

  // --- sending ----------------------------------------------------------------------------------------------------

  /** Sends what the batch holds. False when the source should pause until `client.readOn`. */
  flush(): boolean {
    return this.#state === "open" && this.batch.flush() !== SEND.waits;
  }

  /** Sends a query of our own, whose answer nobody sees. */
  ask(sql: string): void {
    writeQuery(this.#writer, sql);
    this.batch.addCopy(this.#writer.bytes, 0, this.#writer.length);
    this.#writer.clear();
    this.replies.push(REPLY.ownQuery);
    this.unnamedOf = undefined; // a simple query ends it
  }

  /** Adds a message put together from parts; `rest` bytes of it are added afterwards. */
  write(type: number, parts: readonly Uint8Array[], rest: number): void {
    const writer = this.begin(type);
    for (const part of parts) writer.raw(part);
    this.end(rest);
  }
  begin(type: number): MessageWriter {
    return this.#writer.begin(type);
  }
  end(rest: number): void {
    const writer = this.#writer.end(rest);
    this.batch.addCopy(writer.bytes, 0, writer.length);
    writer.clear();
  }

  /** Nothing is owed, and a statement would be carried out: the router may answer in its stead. */
  get canBeSpokenFor(): boolean {
    return this.replies.length === 0 && !this.skips && this.status !== TRANSACTION.failed;
  }

  /** Sends to the client what there is. One that takes no more has the server wait; one that has gone is closed, for it may not be read. */
  flushToClient(): void {
    const { client } = this;
    if (client === undefined || client.batch.isEmpty) return;
    const sent = client.batch.flush();
    if (sent === SEND.waits) this.pause();
    else if (sent === SEND.gone) client.socket.terminate();
  }

  pause(): void {
    if (this.#paused || this.#state !== "open") return;
    this.#paused = true;
    this.socket.pause();
  }
  resume(): void {
    if (!this.#paused || this.#state !== "open") return;
    this.#paused = false;
    this.socket.resume();
  }

  drained(): void {
    if (flush(this) === FLUSH.empty) this.client?.readOn();
  }

  // --- receiving --------------------------------------------------------------------------------------------------

  opened(socket: TcpSocket): void {
    this.#socket = socket;
    this.#state = "login";
    this.#login = new Login({ ...this.pool.credentials(), binding: bindingOf(socket) }, this.#writer);
    this.#login.start();
    this.#sendWritten();
  }

  connectFailed(failure: ConnectFailure | TlsFailure): void {
    this.#lose(routerError("server-unreachable", `${this.address.host}:${this.address.port}: ${failure}`));
  }

  received(bytes: Uint8Array, start: number, end: number): void {
    const { clock } = this.context;
    clock.stand();
    try {
      if (this.#state === "open") passAnswers(this, bytes, start, end);
      else if (this.#state === "login") this.#loginReceived(bytes, start, end);
    } finally {
      clock.run();
    }
  }

  #loginReceived(bytes: Uint8Array, start: number, end: number): void {
    const { scanner } = this;
    scanner.push(bytes, start, end);
    for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
      if (outcome === "mistake") return this.fail(routerError("server-garbled", scanner.mistake));
      if (outcome === "pass") continue; // notices
      this.#loginStep();
      if (this.#state !== "login") return;
    }
  }

  #loginStep(): void {
    const login = this.#login;
    if (login === undefined) return;
    const { type, bytes, start, end } = this.scanner;
    const step = login.step(type, bytes, start, end);
    if (step === "send") this.#sendWritten();
    if (step === "ready") this.#enter(login);
    if (step === "failed")
      this.fail({ ...(login.error ?? routerError("server-garbled")), severity: "FATAL" });
  }

  #sendWritten(): void {
    send(this, this.#writer.bytes, 0, this.#writer.length);
    this.#writer.clear();
  }

  #enter(login: Login): void {
    this.#state = "open";
    this.openedAtMs = this.context.clock.nowMs();
    this.context.wheel.cancel(this);
    this.number = numberAfter(this.context.counters.serversOpened++);
    const baseline = this.pool.learn(login.parameters);
    for (const [name, value] of login.parameters) {
      if (isSettable(name) && baseline.get(name) !== value) reported(this, name, value);
    }
    this.pool.opened(this);
  }

  /** All that it kept for the session is gone (DISCARD ALL). */
  sessionGone(): void {
    statementsGone(this);
    // What the server reports of it comes behind; then the settings of the session's start-up are made again.
    this.pending = [{ kind: "reset-all" }];
    this.client?.session.discarded();
    this.client?.reads?.session.reset();
    this.isDirty = false;
  }

  /** The server refused to make the settings of a session, or to clean up after one. */
  ownQueryFailed(bytes: Uint8Array, start: number, end: number): void {
    const error = readError(bytes, start, end);
    const { client } = this;
    if (client?.isSettling !== true || error.severity !== "ERROR")
      return this.fail({ ...error, severity: "FATAL" });
    // All of them are made, or none: the connection is as it was, and only this client cannot go on.
    this.settings = this.settingsBefore;
    this.client = undefined;
    this.held = undefined;
    client.serverGone(this, { ...error, severity: "FATAL" });
  }

  ended(): void {
    this.#end(this.#state === "open" ? "server-lost" : "server-unreachable");
  }

  closed(): void {
    this.#end(this.#state === "open" ? "server-lost" : "server-unreachable");
  }

  #end(code: "server-lost" | "server-unreachable"): void {
    if (this.#state === "closed") return;
    if (code === "server-lost") this.context.counters.serversLost++;
    this.fail(routerError(code, `${this.address.host}:${this.address.port}`));
  }

  /** The log-in took too long, or the check whether it lives. */
  onTimer(): void {
    if (this.#state === "closed") return;
    const what = this.#state === "open" ? "does not answer" : "does not let us in in time";
    this.fail(routerError("server-unreachable", `${this.address.host}:${this.address.port} ${what}`));
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Closes it, and tells its client `error`. */
  fail(error: ErrorReply): void {
    if (this.#state === "closed") return;
    const isConnecting = this.#state === "connecting";
    this.#lose(error);
    if (isConnecting) this.#giveUp();
    else this.#socket?.terminate();
  }

  /** Closes a free one in the orderly way. */
  close(): void {
    if (this.#state === "closed") return;
    if (this.#state === "open") {
      writeTerminate(this.#writer);
      this.#sendWritten();
    }
    const state = this.#state;
    this.#leave();
    if (state === "connecting") this.#giveUp();
    else this.#socket?.end();
    this.pool.closed(this, undefined, state !== "open");
  }

  #lose(error: ErrorReply): void {
    const wasOpen = this.#state === "open";
    const { client } = this;
    const loss = client?.recovery?.lossOf(this);
    this.#leave();
    if (client !== undefined && loss !== undefined) client.serverLost(loss);
    this.pool.closed(this, error, !wasOpen);
    if (loss !== undefined) client?.readOn();
    else if (this.saidGoodbye) client?.fail(undefined);
    else client?.serverGone(this, error);
  }

  #leave(): void {
    this.#state = "closed";
    this.client = undefined;
    this.held = undefined;
    this.unnamedOf = undefined;
    this.outbox = undefined;
    this.replies.clear();
    this.context.wheel.cancel(this);
  }

  crashed(error: unknown): void {
    this.context.reportCrash(error);
    try {
      this.fail(routerError("internal"));
    } catch (second) {
      this.context.reportCrash(second);
      this.#socket?.terminate();
    }
  }
}
