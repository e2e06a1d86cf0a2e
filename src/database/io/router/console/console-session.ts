/**
 * A client of the console: one simple query after another, each a command; nothing of it reaches a server.
 *
 * While a command is under way nothing more is read, so what is kept is one arrival.
 */
import {
  BACKEND,
  cstringEnd,
  FRONTEND,
  FrameScanner,
  type FrameTable,
  MessageWriter,
  SQLSTATE,
  TRANSACTION,
  textOf,
  writeCommandComplete,
  writeError,
  writeReadyForQuery,
  writeTable,
} from "../../../../pgwire/index.ts";
import { parseConsoleCommand } from "../../../router/console/commands.ts";
import type { ConsoleReply } from "../../../router/console/facts.ts";
import type { ClientConnection } from "../client-connection.ts";

/** Carries out a command for all workers. `text` is the client's; never rejects for what a client may write. */
export type AskConsole = (text: string) => Promise<ConsoleReply>;

/** Databases that are the console to its users. */
const CONSOLE_DATABASES: readonly string[] = ["pgbouncer", "tenfold"];

/** Whether that database is the console to that user. */
export function isConsole(database: string, user: string, adminUsers: readonly string[]): boolean {
  return CONSOLE_DATABASES.includes(database) && adminUsers.includes(user);
}

/** What a session is told at its log-in: what drivers look for. */
export const CONSOLE_PARAMETERS: ReadonlyMap<string, string> = new Map([
  ["server_version", "1.24.1/tenfold"],
  ["server_encoding", "UTF8"],
  ["client_encoding", "UTF8"],
  ["DateStyle", "ISO"],
  ["TimeZone", "UTC"],
  ["integer_datetimes", "on"],
  ["standard_conforming_strings", "on"],
]);

const HEADER = 5;
/** A command is a word or three. */
const QUERY_MAX = 4096;
/** Of extended queries, which are turned down. */
const OTHER_MAX = 64 * 1024;

const FRAMES: FrameTable = { longest: new Int32Array(256), head: new Int32Array(256) };
for (const type of ["parse", "bind", "describe", "execute", "close", "functionCall", "flush"] as const) {
  FRAMES.longest[FRONTEND[type]] = OTHER_MAX;
  FRAMES.head[FRONTEND[type]] = HEADER;
}
for (const type of ["query", "sync", "terminate"] as const)
  FRAMES.longest[FRONTEND[type]] = FRAMES.head[FRONTEND[type]] = QUERY_MAX;

export class ConsoleSession {
  readonly #client: ClientConnection;
  readonly #ask: AskConsole;
  readonly #scanner = new FrameScanner(FRAMES);
  #kept: Uint8Array | undefined;
  #isBusy = false;
  /** An extended query was turned down: all up to its Sync is left out. */
  #skips = false;

  constructor(client: ClientConnection, ask: AskConsole) {
    this.#client = client;
    this.#ask = ask;
  }

  /** Takes what arrived. */
  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isBusy) this.#kept = joined(this.#kept, bytes.subarray(start, end));
    else this.#process(bytes, start, end);
  }

  /** Answers have gone out: more is read. */
  goOn(): void {
    if (this.#isBusy || this.#client.outbox !== undefined || this.#client.isClosed) return;
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) this.#process(kept, 0, kept.length);
    if (!this.#isBusy && !this.#client.isClosed) this.#client.socket.resume();
  }

  #process(bytes: Uint8Array, start: number, end: number): void {
    const scanner = this.#scanner;
    scanner.push(bytes, start, end);
    for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
      if (outcome === "mistake") return this.#client.failWith("protocol-violation", scanner.mistake);
      if (outcome === "frame") this.#message(scanner);
      if (this.#client.isClosed) return;
      if (!this.#isBusy) continue;
      if (scanner.at < end) this.#kept = bytes.slice(scanner.at, end);
      return;
    }
  }

  #message({ type, bytes, start, end }: FrameScanner): void {
    if (type === FRONTEND.terminate) return this.#client.leave();
    if (type === FRONTEND.sync) {
      this.#skips = false;
      return this.#say(new MessageWriter());
    }
    if (type === FRONTEND.query) {
      const textEnd = cstringEnd(bytes, start + HEADER, end);
      return this.#run(textOf(bytes, start + HEADER, textEnd < 0 ? end : textEnd));
    }
    if (this.#skips || type === FRONTEND.flush) return;
    this.#skips = type !== FRONTEND.functionCall;
    const writer = new MessageWriter();
    writeError(writer, {
      severity: "ERROR",
      code: SQLSTATE.featureNotSupported,
      message: "the console does not know extended queries",
      hint: "Send the command as a simple query, without parameters.",
    });
    if (this.#skips) this.#client.write(writer);
    else this.#say(writer);
  }

  #run(text: string): void {
    const client = this.#client;
    if (/^[\s;]*$/.test(text)) {
      return this.#say(new MessageWriter().begin(BACKEND.emptyQuery).end());
    }
    const command = parseConsoleCommand(text);
    if (command.kind === "wrong") return this.#answer({ kind: "failed", message: command.message });
    this.#isBusy = true;
    client.socket.pause();
    this.#ask(text).then(
      (reply) => this.#done(reply),
      (problem: unknown) => {
        client.context.reportCrash(problem);
        this.#done({ kind: "failed", message: "the router made a mistake; see its log" });
      },
    );
  }

  #done(reply: ConsoleReply): void {
    this.#isBusy = false;
    if (this.#client.isClosed) return;
    this.#answer(reply);
    this.goOn();
  }

  #answer(reply: ConsoleReply): void {
    const writer = new MessageWriter();
    if (reply.kind === "failed")
      writeError(writer, { severity: "ERROR", code: CONSOLE_ERROR, message: reply.message });
    else {
      if (reply.kind === "table") writeTable(writer, reply.table.columns, reply.table.rows);
      writeCommandComplete(writer, reply.tag);
    }
    this.#say(writer);
  }

  #say(writer: MessageWriter): void {
    writeReadyForQuery(writer, TRANSACTION.idle);
    this.#client.write(writer);
  }
}

/** protocol_violation, as PgBouncer's console has it for whatever it cannot do. */
const CONSOLE_ERROR = SQLSTATE.protocolViolation;

function joined(first: Uint8Array | undefined, next: Uint8Array): Uint8Array {
  return new Uint8Array(first === undefined ? next : Buffer.concat([first, next]));
}
