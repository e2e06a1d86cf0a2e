/**
 * A connection of the router's own, by which it asks a server small questions: how far it is, which timeline it follows. Like
 * `PgConnection`, but on the router's transport and with callbacks: what comes back decides reads that wait, and a promise's turn comes late
 * in the transport's loop.
 */
import type { TimerEntry } from "../../../base/index.ts";
import {
  BACKEND,
  BACKEND_FRAMES,
  type Credentials,
  type ErrorFields,
  FieldReader,
  FrameScanner,
  type FrameTable,
  Login,
  MessageWriter,
  readError,
  writeQuery,
  writeTerminate,
} from "../../../pgwire/index.ts";
import { type ConnectOwner, flush, type Outbox, send, type TcpSocket } from "../../../transport/index.ts";
import type { RouterContext } from "./context.ts";
import { bindingOf } from "./tls/binding.ts";

/** Rows of a single statement: values as text. */
export type ControlRows = readonly (readonly (string | null)[])[];

/** Why a connection is over: what the server said, it was cut or never made, or there was no answer in time. */
export type ControlLoss = ErrorFields | "lost" | "silent";

/** What a question came to: rows, what the server objects to, or the connection is gone. */
export type ControlAnswer = { readonly rows: ControlRows } | { readonly error: ControlLoss };

/** Longest message of an answer: the names of all volatile functions come as rows of one name. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

const WHOLE: FrameTable = {
  longest: BACKEND_FRAMES.longest.map((longest) => Math.min(longest, MESSAGE_BYTES_MAX)),
  head: BACKEND_FRAMES.longest.map((longest) => Math.min(longest, MESSAGE_BYTES_MAX)),
};

/** Longest wait for the log-in, and for an answer: a server that is silent for so long serves nobody. */
const CONTROL_TIMEOUT_MS = 5_000;

const HEADER = 5;

/** A piece of the log (XLogData), and what stands before its bytes: its kind, where it begins, where the log ends, the time. */
const LOG_DATA = "w".charCodeAt(0);
const LOG_HEADER = 25;

/** Bytes of the log that are of interest: a page's header and the first record. */
export const MARK_BYTES = 128;

interface Asked {
  readonly sql: string;
  readonly answer: (answer: ControlAnswer) => void;
}

/** What `ControlConnection` tells its owner. */
export interface ControlOwner {
  /** Questions may be asked. */
  readonly opened: () => void;
  /** It is over, unless `close` was called. The last call. */
  readonly lost: (error: ControlLoss) => void;
}

export class ControlConnection implements ConnectOwner, TimerEntry {
  outbox: Outbox | undefined;
  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;
  readonly #context: RouterContext;
  readonly #owner: ControlOwner;
  readonly #scanner = new FrameScanner(WHOLE);
  readonly #writer = new MessageWriter();
  readonly #credentials: Credentials;
  #login: Login | undefined;
  readonly #asked: Asked[] = [];
  readonly #giveUp: () => void;
  #socket: TcpSocket | undefined;
  #isOpen = false;
  #isOver = false;
  #rows: (string | null)[][] = [];
  #error: ErrorFields | undefined;

  constructor(
    context: RouterContext,
    address: { readonly host: string; readonly port: number },
    credentials: Credentials,
    owner: ControlOwner,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#credentials = credentials;
    context.wheel.schedule(this, CONTROL_TIMEOUT_MS);
    this.#giveUp = context.transport.connect(address, this);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
  get socket(): TcpSocket {
    if (this.#socket === undefined) throw new Error("control connection: used before it was open");
    return this.#socket;
  }

  /** Asks one statement. Answers come in order. */
  ask(sql: string, answer: (answer: ControlAnswer) => void): void {
    if (!this.#isOpen) return answer({ error: "lost" });
    if (this.#asked.length === 0) this.#context.wheel.schedule(this, CONTROL_TIMEOUT_MS);
    this.#asked.push({ sql, answer });
    writeQuery(this.#writer, sql);
    this.#sendWritten();
  }

  /** Says goodbye; what was asked is not answered. */
  close(): void {
    if (this.#isOver) return;
    const { socket, wasOpen } = { socket: this.#socket, wasOpen: this.#isOpen };
    this.#asked.length = 0;
    this.#leave();
    if (socket === undefined) return this.#giveUp();
    if (wasOpen) {
      writeTerminate(this.#writer);
      this.#sendWritten();
    }
    socket.end();
  }

  // --- the transport's calls --------------------------------------------------------------------------------------

  opened(socket: TcpSocket): void {
    this.#socket = socket;
    this.#login = new Login({ ...this.#credentials, binding: bindingOf(socket) }, this.#writer);
    this.#login.start();
    this.#sendWritten();
  }
  connectFailed(): void {
    this.#lose("lost");
  }
  drained(): void {
    flush(this);
  }
  ended(): void {
    this.#lose("lost");
  }
  closed(): void {
    this.#lose("lost");
  }
  crashed(error: unknown): void {
    this.#context.reportCrash(error);
    this.#lose("lost");
  }
  onTimer(): void {
    this.#lose("silent");
  }

  received(bytes: Uint8Array, start: number, end: number): void {
    const scanner = this.#scanner;
    scanner.push(bytes, start, end);
    for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
      if (outcome === "mistake" || scanner.rest > 0) return this.#lose("lost");
      if (this.#isOpen) this.#answered(scanner);
      else this.#loginStep(scanner);
      if (this.#isOver) return;
    }
  }

  // --- log-in and answers -----------------------------------------------------------------------------------------

  #loginStep({ type, bytes, start, end }: FrameScanner): void {
    const step = this.#login?.step(type, bytes, start, end);
    if (step === "send") this.#sendWritten();
    else if (step === "failed") this.#lose(this.#login?.error ?? "lost");
    else if (step === "ready") {
      this.#isOpen = true;
      this.#context.wheel.cancel(this);
      this.#owner.opened();
    }
  }

  #answered({ type, bytes, start, end }: FrameScanner): void {
    if (type === BACKEND.dataRow) this.#rows.push(readRow(new FieldReader(bytes, start + 5, end)));
    else if (type === BACKEND.copyData) this.#streamed(bytes, start + HEADER, end);
    else if (type === BACKEND.error) this.#error ??= readError(bytes, start, end);
    else if (type === BACKEND.readyForQuery) this.#done();
  }

  /** The log, which has no end: its first bytes are the answer, and who asked closes. */
  #streamed(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start] !== LOG_DATA || this.#asked.length === 0) return;
    const from = start + LOG_HEADER;
    this.#rows.push([Buffer.from(bytes.slice(from, Math.min(end, from + MARK_BYTES))).toString("base64")]);
    this.#done();
  }

  #done(): void {
    const asked = this.#asked.shift();
    const answer = this.#error === undefined ? { rows: this.#rows } : { error: this.#error };
    this.#rows = [];
    this.#error = undefined;
    if (this.#asked.length === 0) this.#context.wheel.cancel(this);
    else this.#context.wheel.schedule(this, CONTROL_TIMEOUT_MS);
    asked?.answer(answer);
  }

  #sendWritten(): void {
    send(this, this.#writer.bytes, 0, this.#writer.length);
    this.#writer.clear();
  }

  #leave(): void {
    this.#isOver = true;
    this.#isOpen = false;
    this.#context.wheel.cancel(this);
  }

  #lose(error: ControlLoss): void {
    if (this.#isOver) return;
    this.#leave();
    if (this.#socket === undefined) this.#giveUp();
    else this.#socket.terminate();
    this.#owner.lost(this.#error ?? error);
    for (const { answer } of this.#asked.splice(0)) answer({ error: this.#error ?? error });
  }
}

function readRow(fields: FieldReader): (string | null)[] {
  const row: (string | null)[] = [];
  for (let left = fields.int16(); left > 0 && !fields.isBroken; left--) {
    const length = fields.int32();
    row.push(length < 0 ? null : fields.text(length));
  }
  return row;
}
