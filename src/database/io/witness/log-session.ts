/**
 * One replica that takes its log from a witness: start-up, SCRAM-SHA-256, a few commands of replication, then the stream.
 *
 * Bounded before the log-in by the size of each message and a deadline; afterwards a command has at most 4 KiB. The log is sent as fast
 * as the replica takes it, 128 KiB at a time, and nothing is read ahead.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Cancel } from "../../../base/index.ts";
import {
  AUTHENTICATION,
  BACKEND,
  FieldReader,
  FRONTEND,
  FrameScanner,
  type FrameTable,
  formatLsn,
  type Lsn,
  MessageWriter,
  parseLsn,
  readStartup,
  ScramServer,
  type ScramVerifier,
  SQLSTATE,
  type SqlState,
  STARTUP_BYTES_MAX,
  TRANSACTION,
  writeAuthenticationOk,
  writeCommandComplete,
  writeError,
  writeParameterStatus,
  writeReadyForQuery,
  writeSasl,
  writeTable,
} from "../../../pgwire/index.ts";
import { historyName, segmentName, segmentOf } from "../../wal-file.ts";
import { aliveMessage, logMessage } from "../../wal-stream.ts";
import type { LogServerOptions } from "./log-server.ts";

const MECHANISM = "SCRAM-SHA-256";
const LOGIN_MS = 10_000;
const COMMAND_BYTES_MAX = 4096;

/** What Postgres sends at once (MAX_SEND_SIZE). */
const PIECE_BYTES = 128 * 1024;

/** A replica gives up a sender that is silent for wal_receiver_timeout: 60 s by default, 5 s on servers of ours. */
const ALIVE_MS = 1000;

/** One that has neither taken nor said anything for so long is gone: each `alive` asks it for an answer. */
const SILENCE_MS = 15_000;

/** How long one that was told goodbye may take to read it. */
const CLOSE_MS = 5_000;

/** What a replica may send, whole. */
const FRAMES: FrameTable = { longest: new Int32Array(256), head: new Int32Array(256) };
for (const type of [
  FRONTEND.password,
  FRONTEND.query,
  FRONTEND.copyData,
  FRONTEND.copyDone,
  FRONTEND.terminate,
]) {
  FRAMES.longest[type] = COMMAND_BYTES_MAX;
  FRAMES.head[type] = COMMAND_BYTES_MAX;
}

type Phase = "startup" | "scram-first" | "scram-final" | "commands" | "streaming" | "over";

export class LogSession {
  readonly #socket: Socket;
  readonly #options: LogServerOptions;
  readonly #verifier: ScramVerifier;
  readonly #writer = new MessageWriter();
  readonly #scanner = new FrameScanner(FRAMES);
  #phase: Phase = "startup";
  #begun: Buffer = Buffer.alloc(0);
  #isKnown = false;
  #scram: ScramServer | undefined;
  #sent: Lsn = 0n;
  #isFull = false;
  #heardAtMs = 0;
  #cancel: Cancel;

  constructor(socket: Socket, options: LogServerOptions, verifier: ScramVerifier) {
    this.#socket = socket;
    this.#options = options;
    this.#verifier = verifier;
    this.#cancel = options.scheduler.after(LOGIN_MS, () => this.close());
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#received(bytes));
    socket.on("drain", () => {
      this.#isFull = false;
      this.pump();
    });
    socket.on("error", () => this.close());
    socket.on("close", () => this.#cancel());
  }

  close(): void {
    this.#cancel();
    this.#socket.destroy();
  }

  /** It was told goodbye. */
  get isOver(): boolean {
    return this.#phase === "over";
  }

  /** Sends what the log has and the replica has not. */
  pump(): void {
    const { log, clock } = this.#options;
    while (this.#phase === "streaming" && !this.#isFull && this.#sent < log.position.lsn) {
      // It is so slow that what it needs next is not kept any more.
      if (this.#sent < log.begin) return this.close();
      const piece = new Uint8Array(PIECE_BYTES);
      const length = log.read(this.#sent, piece);
      if (length === 0) return;
      this.#sendData(logMessage(this.#sent, log.position.lsn, piece.subarray(0, length), clock.wallMs()));
      this.#sent += BigInt(length);
    }
  }

  #received(bytes: Buffer): void {
    let rest = bytes;
    while (this.#phase === "startup" && rest.length > 0) rest = this.#startup(rest);
    if (rest.length === 0 || this.#phase === "over") return;
    this.#scanner.push(rest, 0, rest.length);
    for (let outcome = this.#scanner.next(); outcome !== "more"; outcome = this.#scanner.next()) {
      if (this.#socket.destroyed || this.isOver) return;
      if (outcome === "mistake") return this.#fail(SQLSTATE.protocolViolation, this.#scanner.mistake);
      this.#message(this.#scanner);
    }
    this.#flush();
  }

  /** The rest of what arrived. A wish for TLS or GSSAPI is turned down. */
  #startup(bytes: Buffer): Buffer {
    const packet = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes]);
    const found = readStartup(packet, 0, packet.length);
    this.#begun = Buffer.alloc(0);
    if (found.kind === "more" && packet.length < STARTUP_BYTES_MAX) {
      this.#begun = packet;
      return Buffer.alloc(0);
    }
    if (found.kind === "tls" || found.kind === "gss") {
      this.#socket.write("N");
      return packet.subarray(found.end);
    }
    if (found.kind !== "startup") {
      this.close();
      return Buffer.alloc(0);
    }
    if (!/^(?:true|on|yes|1)$/.test(found.parameters.get("replication") ?? ""))
      this.#fail(SQLSTATE.featureNotSupported, "this is a witness: it has the log and no tables");
    else this.#beginScram(found.parameters.get("user") ?? "");
    return packet.subarray(found.end);
  }

  #beginScram(user: string): void {
    // The exchange is the same for every name, so that it tells nobody which one exists.
    this.#isKnown = user === this.#options.user;
    this.#scram = new ScramServer(this.#verifier, randomBytes(18).toString("base64"));
    this.#phase = "scram-first";
    writeSasl(this.#writer, AUTHENTICATION.sasl, [MECHANISM]);
    this.#flush();
  }

  #message({ type, bytes, start, end }: FrameScanner): void {
    const fields = new FieldReader(bytes, start + 5, end);
    if (type === FRONTEND.terminate) return this.close();
    if (this.#phase === "scram-first" && type === FRONTEND.password) return this.#first(fields);
    if (this.#phase === "scram-final" && type === FRONTEND.password) return this.#final(fields);
    if (this.#phase === "commands" && type === FRONTEND.query) return this.#command(fields.cstring());
    // How far the replica is: it keeps that itself.
    if (this.#phase === "streaming" && type === FRONTEND.copyData) {
      this.#heardAtMs = this.#options.clock.nowMs();
      return;
    }
    if (this.#phase === "streaming" && type === FRONTEND.copyDone) return this.#endStream();
    this.#fail(SQLSTATE.protocolViolation, `unexpected message ${type} at ${this.#phase}`);
  }

  #first(fields: FieldReader): void {
    const mechanism = fields.cstring();
    const answer = this.#scram?.first(fields.text(fields.int32()));
    if (mechanism !== MECHANISM || fields.isBroken || answer === undefined)
      return this.#fail(SQLSTATE.protocolViolation, "malformed SCRAM message");
    this.#phase = "scram-final";
    writeSasl(this.#writer, AUTHENTICATION.saslContinue, answer);
  }

  #final(fields: FieldReader): void {
    const success = this.#scram?.final(fields.text(fields.left));
    if (success === undefined || !this.#isKnown)
      return this.#fail(SQLSTATE.invalidPassword, "password authentication failed");
    this.#cancel();
    this.#phase = "commands";
    writeSasl(this.#writer, AUTHENTICATION.saslFinal, success.message);
    writeAuthenticationOk(this.#writer);
    writeParameterStatus(this.#writer, "server_encoding", "UTF8");
    writeReadyForQuery(this.#writer, TRANSACTION.idle);
  }

  #command(sql: string): void {
    const { log, systemId, history } = this.#options;
    const { timeline, lsn } = log.position;
    if (/^\s*IDENTIFY_SYSTEM\s*;?\s*$/i.test(sql)) {
      const row = [systemId(), String(timeline), formatLsn(lsn), null];
      return this.#answer(["systemid", "timeline", "xlogpos", "dbname"], [row], "IDENTIFY_SYSTEM");
    }
    const asked = /^\s*TIMELINE_HISTORY\s+(\d+)\s*;?\s*$/i.exec(sql)?.[1];
    if (asked !== undefined) {
      const content = history(Number(asked));
      if (content === undefined) return this.#refuse(`there is no history of timeline ${asked} here`);
      const row = [historyName(Number(asked)), content];
      return this.#answer(["filename", "content"], [row], "TIMELINE_HISTORY");
    }
    const start =
      /^\s*START_REPLICATION\s+(?:SLOT\s+\S+\s+)?(?:PHYSICAL\s+)?([0-9A-F/]+)(?:\s+TIMELINE\s+(\d+))?/i.exec(
        sql,
      );
    if (start === null) return this.#refuse("a witness only streams its log", SQLSTATE.featureNotSupported);
    this.#start(parseLsn(start[1] ?? "") ?? 0n, Number(start[2] ?? timeline));
  }

  #start(from: Lsn, wanted: number): void {
    const { log } = this.#options;
    const { timeline, lsn } = log.position;
    if (wanted !== timeline)
      return this.#refuse(`timeline ${wanted} was asked for, the log here is of timeline ${timeline}`);
    if (from < log.begin || from > lsn) {
      const range = `${formatLsn(log.begin)} to ${formatLsn(lsn)}`;
      // The first words are Postgres' own: by them a replica is known to try in vain.
      const problem =
        from > lsn
          ? `requested starting point ${formatLsn(from)} is ahead of the WAL flush position`
          : `requested WAL segment ${segmentName({ timeline, number: segmentOf(from) })} has already been removed`;
      return this.#refuse(`${problem}: the log here goes from ${range}`);
    }
    this.#writer.begin(BACKEND.copyBothResponse).byte(0).int16(0).end();
    this.#flush();
    this.#phase = "streaming";
    this.#sent = from;
    this.#heardAtMs = this.#options.clock.nowMs();
    this.#keepAlive();
    this.pump();
  }

  #keepAlive(): void {
    const { clock, scheduler, log } = this.#options;
    if (clock.nowMs() - this.#heardAtMs > SILENCE_MS) return this.close();
    // One that takes nothing is sent nothing more.
    if (!this.#isFull) this.#sendData(aliveMessage(log.position.lsn, clock.wallMs()));
    this.#cancel = scheduler.after(ALIVE_MS, () => this.#keepAlive());
  }

  #endStream(): void {
    this.#cancel();
    this.#phase = "commands";
    this.#writer.begin(BACKEND.copyDone).end();
    writeCommandComplete(this.#writer, "START_REPLICATION");
    writeReadyForQuery(this.#writer, TRANSACTION.idle);
  }

  #sendData(body: Uint8Array): void {
    this.#writer.begin(BACKEND.copyData).raw(body).end();
    this.#flush();
  }

  #answer(columns: readonly string[], rows: readonly (readonly (string | null)[])[], tag: string): void {
    writeTable(this.#writer, columns, rows);
    writeCommandComplete(this.#writer, tag);
    writeReadyForQuery(this.#writer, TRANSACTION.idle);
  }

  /** The command fails, the session goes on. */
  #refuse(message: string, code: SqlState = SQLSTATE.undefinedFile): void {
    writeError(this.#writer, { severity: "ERROR", code, message });
    writeReadyForQuery(this.#writer, TRANSACTION.idle);
  }

  #fail(code: SqlState, message: string): void {
    writeError(this.#writer, { severity: "FATAL", code, message });
    this.#flush();
    this.#phase = "over";
    this.#cancel();
    this.#cancel = this.#options.scheduler.after(CLOSE_MS, () => this.close());
    this.#socket.end();
  }

  #flush(): void {
    if (this.#writer.length > 0 && !this.#socket.write(this.#writer.take())) this.#isFull = true;
  }
}
