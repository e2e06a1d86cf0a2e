/**
 * One connection for simple queries whose rows come as text: what the product itself asks of a server.
 *
 *   connect() -> query() … -> close()
 *
 * Queries wait for each other; none outlives its deadline, and one that does takes the connection with it, since what
 * comes later would be taken for the answer to the next. Nothing is ever sent twice.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { type Cancel, type Scheduler, systemScheduler } from "../../base/index.ts";
import { FieldReader, readError } from "../fields.ts";
import { FrameScanner } from "../frame-scanner.ts";
import { Login } from "../login.ts";
import { MessageWriter } from "../message-writer.ts";
import { BACKEND, BACKEND_FRAMES, FRONTEND, type FrameTable } from "../messages.ts";
import { writeQuery, writeTerminate } from "../requests.ts";
import type { ScramKeys } from "../scram-keys.ts";
import type { ServerTlsSettings } from "../server-tls.ts";
import { PgConnectionError, type PgConnectionErrorCode, PgServerError } from "./errors.ts";
import { readTlsFiles, secureSocket, type TlsFiles } from "./secure-socket.ts";

/** Where to, and as whom. */
export interface PgConnectionOptions {
  /** A name, an address, or the folder of a Unix socket: "/var/run/postgresql". */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Default: the user's name. */
  readonly database?: string;
  readonly password?: string | ScramKeys | undefined;
  /** Further parameters of the start-up; `replication: "database"` for the replication protocol. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Longest wait until the server lets us in. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for an answer unless a query says otherwise. Default 30 s. */
  readonly queryTimeoutMs?: number;
  /** Whether a password may be sent in clear. Default no. */
  readonly allowCleartext?: boolean;
  /** Default: none. A Unix socket has none, whatever this says. */
  readonly tls?: ServerTlsSettings;
  /** A log-in that is not bound to the server's certificate fails (`channel_binding=require`). Default no. */
  readonly needsBinding?: boolean;
  readonly scheduler?: Scheduler;
  /** Gives the attempt to connect up; one that is open is ended by `close`. */
  readonly signal?: AbortSignal;
}

/** One row: values as text by the name of their column. */
export type PgRow = Readonly<Record<string, string | null>>;

/** What one statement brought. */
export interface PgResult {
  readonly columns: readonly string[];
  readonly rows: readonly PgRow[];
  /** "SELECT 1", "CREATE TABLE" …; "" for an empty statement. */
  readonly tag: string;
}

const CONNECT_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 30_000;

/** All frames whole: answers to our own queries are small. 64 MiB bounds what a mistake could make us hold. */
const ROW_BYTES_MAX = 64 * 1024 * 1024;
const WHOLE: FrameTable = {
  longest: BACKEND_FRAMES.longest.map((longest) => Math.min(longest, ROW_BYTES_MAX)),
  head: BACKEND_FRAMES.longest.map((longest) => Math.min(longest, ROW_BYTES_MAX)),
};

interface Asked {
  readonly sql: string;
  /** Undefined for a stream, which may last for ever. */
  readonly timeoutMs: number | undefined;
  readonly onData?: (bytes: Uint8Array) => void;
  readonly resolve: (results: readonly PgResult[]) => void;
  readonly reject: (error: Error) => void;
}

export class PgConnection {
  /** Called once when the connection is gone, with the reason; not after `close`. */
  onLost: ((error: PgConnectionError) => void) | undefined;
  readonly #options: PgConnectionOptions;
  readonly #scheduler: Scheduler;
  #socket: Socket;
  readonly #scanner = new FrameScanner(WHOLE);
  readonly #writer = new MessageWriter();
  #login: Login;
  readonly #waiting: Asked[] = [];
  #asked: Asked | undefined;
  #opened: ((error: Error | undefined) => void) | undefined;
  #cancelTimeout: Cancel = () => {};
  #lost: PgConnectionError | undefined;

  #results: PgResult[] = [];
  #columns: string[] = [];
  #rows: PgRow[] = [];
  #error: PgServerError | undefined;

  /** Connects and logs in. Rejects with a `PgServerError` when the server refuses, else with a `PgConnectionError`. */
  static async connect(options: PgConnectionOptions): Promise<PgConnection> {
    const { signal } = options;
    signal?.throwIfAborted();
    const connection = new PgConnection(options);
    const giveUp = (): void => connection.#lose("connect-failed", "it was given up");
    signal?.addEventListener("abort", giveUp);
    try {
      await new Promise<void>((resolve, reject) => {
        connection.#opened = (error) => (error === undefined ? resolve() : reject(error));
      });
      return connection;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  private constructor(options: PgConnectionOptions) {
    this.#options = options;
    this.#scheduler = options.scheduler ?? systemScheduler;
    const { host, port, tls, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
    this.#login = this.#loginWith(undefined);
    this.#wait(connectTimeoutMs, "connect-timeout");
    const isLocal = host.startsWith("/");
    const files = isLocal || tls === undefined || tls.mode === "disable" ? undefined : readTlsFiles(tls);
    const place = isLocal ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
    this.#socket = connect(place, () => void this.#connected(files));
    this.#socket.setNoDelay(true);
    this.#watch(this.#socket);
  }

  #loginWith(binding: Uint8Array | undefined): Login {
    const { user, database = user, password, allowCleartext = false, needsBinding = false } = this.#options;
    const nonce = randomBytes(18).toString("base64");
    const parameters = Object.entries(this.#options.parameters ?? {});
    const who = { user, database, secret: password, parameters, nonce, allowCleartext };
    return new Login({ ...who, binding, needsBinding }, this.#writer);
  }

  #watch(socket: Socket): void {
    socket.on("error", (error: Error) => {
      this.#lose(this.#opened === undefined ? "connection-lost" : "connect-failed", error.message);
    });
    socket.on("close", () => this.#lose("connection-lost", "the server closed it"));
  }

  async #connected(files: TlsFiles | undefined): Promise<void> {
    if (files !== undefined) {
      const secured = await secureSocket(this.#socket, this.#options.host, files);
      if (this.#lost !== undefined) return;
      if (secured.kind === "failed") return this.#lose(secured.code, secured.detail);
      if (secured.socket !== this.#socket) this.#watch(secured.socket);
      this.#socket = secured.socket;
      this.#login = this.#loginWith(secured.binding);
    }
    this.#socket.on("data", (bytes: Uint8Array) => this.#received(bytes));
    this.#login.start();
    this.#flush();
  }

  /** The cancel key that the server gave. */
  get cancelKey(): { readonly processId: number; readonly secret: Uint8Array } {
    return { processId: this.#login.processId, secret: this.#login.secret };
  }
  /** What the server reported: `server_version`, `in_hot_standby` … */
  get parameters(): ReadonlyMap<string, string> {
    return this.#login.parameters;
  }
  get isOpen(): boolean {
    return this.#lost === undefined;
  }

  /** Runs statements that are separated by semicolons, and resolves to what each brought. Rejects with the first error. */
  query(
    sql: string,
    timeoutMs: number = this.#options.queryTimeoutMs ?? QUERY_TIMEOUT_MS,
  ): Promise<readonly PgResult[]> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sql, timeoutMs, resolve, reject });
      this.#askNext();
    });
  }

  /** The rows of a single statement. */
  async rows(sql: string, timeoutMs?: number): Promise<readonly PgRow[]> {
    return (await this.query(sql, timeoutMs)).at(-1)?.rows ?? [];
  }

  /**
   * Runs a statement that streams both ways (START_REPLICATION) and resolves to its results when the server has ended the stream. It has no
   * deadline: close a connection that says nothing. `onData` gets the body of each CopyData; its bytes are lent for the call.
   */
  stream(sql: string, onData: (bytes: Uint8Array) => void): Promise<readonly PgResult[]> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sql, timeoutMs: undefined, onData, resolve, reject });
      this.#askNext();
    });
  }

  /** Sends the body of one CopyData into the stream. */
  sendData(bytes: Uint8Array): void {
    if (this.#lost !== undefined) return;
    this.#writer.begin(FRONTEND.copyData).raw(bytes).end();
    this.#flush();
  }

  /** Stops reading, so that the server stops sending, and goes on. */
  pause(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Says goodbye. Queries that wait are rejected. */
  close(): void {
    if (this.#lost !== undefined) return;
    this.onLost = undefined;
    writeTerminate(this.#writer);
    this.#flush();
    this.#socket.end();
    this.#lose("closed");
    this.#socket.unref();
  }

  #askNext(): void {
    if (this.#asked !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#asked = next;
    if (next.timeoutMs !== undefined) this.#wait(next.timeoutMs, "query-timeout");
    writeQuery(this.#writer, next.sql);
    this.#flush();
  }

  #wait(ms: number, code: PgConnectionErrorCode): void {
    this.#cancelTimeout();
    this.#cancelTimeout = this.#scheduler.after(ms, () => this.#lose(code, `within ${ms} ms`));
  }

  #flush(): void {
    if (this.#writer.length > 0) this.#socket.write(this.#writer.take());
  }

  #received(bytes: Uint8Array): void {
    const scanner = this.#scanner;
    scanner.push(bytes, 0, bytes.length);
    for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
      if (this.#lost !== undefined) return;
      if (outcome === "mistake") return this.#lose("garbled-reply", scanner.mistake);
      if (scanner.rest > 0) return this.#lose("garbled-reply", "a message is too long");
      if (this.#opened === undefined) this.#answered(scanner);
      else this.#loginStep(scanner);
    }
  }

  #loginStep({ type, bytes, start, end }: FrameScanner): void {
    const step = this.#login.step(type, bytes, start, end);
    if (step === "send") this.#flush();
    if (step === "failed" && this.#login.error !== undefined)
      this.#refused(new PgServerError(this.#login.error));
    if (step === "ready") this.#open();
  }

  #open(): void {
    this.#cancelTimeout();
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.(undefined);
  }

  #refused(error: PgServerError): void {
    const opened = this.#opened;
    this.#opened = undefined;
    this.onLost = undefined;
    this.#lose("closed");
    opened?.(error);
  }

  #answered({ type, bytes, start, end }: FrameScanner): void {
    const fields = new FieldReader(bytes, start + 5, end);
    switch (type) {
      case BACKEND.rowDescription:
        this.#columns = readColumns(fields);
        return;
      case BACKEND.dataRow:
        this.#rows.push(readRow(fields, this.#columns));
        return;
      case BACKEND.commandComplete:
        return this.#statementDone(fields.cstring());
      case BACKEND.emptyQuery:
        return this.#statementDone("");
      case BACKEND.error:
        this.#error ??= new PgServerError(readError(bytes, start, end));
        return;
      case BACKEND.parameterStatus:
        this.#login.parameters.set(fields.cstring(), fields.cstring());
        return;
      case BACKEND.copyData:
        return this.#asked?.onData?.(bytes.subarray(start + 5, end));
      case BACKEND.copyDone:
        return this.#streamEnded();
      case BACKEND.copyInResponse:
        return this.#lose("garbled-reply", "COPY is not supported here");
      case BACKEND.copyBothResponse:
        if (this.#asked?.onData === undefined)
          this.#lose("garbled-reply", "a stream that nobody asked for begins");
        return;
      case BACKEND.readyForQuery:
        return this.#queryDone();
      default:
    }
  }

  /** The server has no more of it, and waits for the same word from us. */
  #streamEnded(): void {
    if (this.#asked?.onData === undefined) return;
    this.#writer.begin(FRONTEND.copyDone).end();
    this.#flush();
  }

  #statementDone(tag: string): void {
    this.#results.push({ columns: this.#columns, rows: this.#rows, tag });
    this.#columns = [];
    this.#rows = [];
  }

  #queryDone(): void {
    this.#cancelTimeout();
    const asked = this.#asked;
    const results = this.#results;
    const error = this.#error;
    this.#asked = undefined;
    this.#error = undefined;
    this.#results = [];
    this.#columns = [];
    this.#rows = [];
    if (error === undefined) asked?.resolve(results);
    else asked?.reject(error);
    this.#askNext();
  }

  #lose(code: PgConnectionErrorCode, detail?: string): void {
    if (this.#lost !== undefined) return;
    // What the server said last tells more than that it has gone.
    const error = new PgConnectionError(code, this.#error?.message ?? detail);
    this.#lost = error;
    this.#cancelTimeout();
    if (code !== "closed") this.#socket.destroy();
    this.#opened?.(error);
    this.#opened = undefined;
    for (const asked of [this.#asked, ...this.#waiting.splice(0)]) asked?.reject(error);
    this.#asked = undefined;
    this.onLost?.(error);
  }
}

function readColumns(fields: FieldReader): string[] {
  const columns: string[] = [];
  for (let left = fields.int16(); left > 0 && !fields.isBroken; left--) {
    columns.push(fields.cstring());
    // Table, column, type, size, modifier, format.
    fields.slice(18);
  }
  return columns;
}

function readRow(fields: FieldReader, columns: readonly string[]): PgRow {
  const row: Record<string, string | null> = {};
  const count = fields.int16();
  for (let at = 0; at < count && !fields.isBroken; at++) {
    const length = fields.int32();
    row[columns[at] ?? `column${at + 1}`] = length < 0 ? null : fields.text(length);
  }
  return row;
}
