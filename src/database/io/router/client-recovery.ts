/**
 * A session that survives the loss of its primary: it is told once what became of what it had sent, and goes on.
 *
 * A transaction that was open is answered for here, as a server answers for one that has failed, until the client ends it: what it sends
 * for that transaction must not be carried out outside of it.
 */
import {
  BACKEND,
  cstringEnd,
  type ErrorReply,
  FRONTEND,
  MessageWriter,
  TRANSACTION,
  textOf,
  writeCommandComplete,
  writeReadyForQuery,
} from "../../../pgwire/index.ts";
import { routerError } from "../../router/refusals.ts";
import { isAwaited, REPLY, type ReplyDetail } from "../../router/reply-queue.ts";
import { PIN_REASONS } from "../../router/statement-effects.ts";
import { COMMITS, commitsOf, endOf } from "../../router/transaction-end.ts";
import type { ClientConnection } from "./client-connection.ts";
import { ClientWrites } from "./client-writes.ts";
import { writeRefusal } from "./own-answers.ts";
import type { Frame } from "./requests.ts";
import type { ServerConnection } from "./server-connection.ts";
import { undo } from "./skipped.ts";
import type { Rescue } from "./write-rescue.ts";

/** What was under way when a server connection was lost. */
export interface Loss {
  readonly error: ErrorReply;
  /** What it owed answers to. */
  readonly owed: readonly number[];
  /** A transaction was open, and is not known to have ended. */
  readonly isOpen: boolean;
  /** Messages without their Sync were sent, outside of a transaction. */
  readonly isInBatch: boolean;
  /** What is done instead of telling the client. */
  readonly rescue: Rescue | undefined;
}

const HEADER = 5;
/** "S" for a statement, in Describe and Close. */
const STATEMENT = 83;
const NAME_MAX = 64;

export class ClientRecovery {
  readonly writes: ClientWrites;
  readonly #client: ClientConnection;
  /** An error was answered in an extended query: what follows is ignored up to its Sync. */
  #skips = false;
  /** The transaction is gone, and the client has not ended it yet. */
  #isAborted = false;
  /** What it has not been told yet. */
  #untold: ErrorReply | undefined;
  /** The statement bound in a transaction that is gone ends it in this way. */
  #ends: "rollback" | "commit" | undefined;
  #hasEnded = false;
  /** The next message cannot wait for a server connection. */
  #refusal: ErrorReply | undefined;

  constructor(client: ClientConnection) {
    this.#client = client;
    this.writes = new ClientWrites(client);
  }

  /** A message for `server`. True: it has been dealt with, so that its outcome can be found out. */
  tracks(server: ServerConnection, frame: Frame): boolean {
    const outcomes = server.pool.gate?.outcomes;
    if (outcomes === undefined || this.#client.keepsServer) return false;
    return this.writes.take(server, outcomes, frame);
  }

  // --- what is sent -----------------------------------------------------------------------------------------------

  /** A statement goes to a server. */
  sends(server: ServerConnection, bytes: Uint8Array, start: number, end: number): void {
    if (server.status === TRANSACTION.idle) return;
    const textEnd = cstringEnd(bytes, start, end);
    server.commits = Math.max(server.commits, commitsOf(textOf(bytes, start, textEnd < 0 ? end : textEnd)));
  }

  /** One whose text is not kept. */
  sendsUnknown(server: ServerConnection): void {
    server.commits = Math.max(server.commits, COMMITS.maybe);
  }

  // --- the loss ---------------------------------------------------------------------------------------------------

  /** Whether the session can go on without this server connection. */
  canSurvive(server: ServerConnection): boolean {
    const { client } = server;
    if (client === undefined || server.pool.gate === undefined || client.isClosed) return false;
    return client.isLoggedIn && !client.keepsServer;
  }

  /** Why the session ends with its server connection. */
  whyNot(error: ErrorReply): ErrorReply {
    const { pin } = this.#client.session;
    if (pin === undefined) return error;
    const why = `the session kept its server connection: it ${PIN_REASONS[pin]}`;
    return { ...error, detail: error.detail === undefined ? why : `${error.detail}; ${why}` };
  }

  /** What is lost with a connection, before it is; undefined: the session is lost too. */
  lossOf(server: ServerConnection): Loss | undefined {
    const { replies, scanner, status, commits, context, isInBatch } = server;
    if (!this.canSurvive(server)) return undefined;
    const rescue = this.writes.rescue.of(server);
    // In the midst of a message there is no room for an error.
    if (!scanner.isBetween && (rescue === undefined || server.passed)) return undefined;
    const owed: number[] = [];
    const details: (readonly [number, ReplyDetail])[] = [];
    for (; replies.length > 0; replies.shift()) {
      owed.push(replies.front);
      if (replies.front >= REPLY.parse && replies.frontDetail !== undefined)
        details.push([replies.front, replies.frontDetail]);
    }
    for (const [kind, detail] of details.toReversed()) undo(server, kind, detail);
    const wasOpen = status !== TRANSACTION.idle;
    const runs =
      owed.some((kind) => kind === REPLY.query || kind === REPLY.call || kind === REPLY.execute) ||
      owed[0] === REPLY.sync; // what was flushed before it
    const isUnknown = runs && (!wasOpen || commits !== COMMITS.no);
    const isTold = rescue === undefined || rescue === "uncommitted";
    if (isTold && isUnknown) context.counters.outcomesUnknown++;
    if (isTold && wasOpen) context.counters.transactionsLost++;
    const { host, port } = server.address;
    const error = routerError(isUnknown ? "outcome-unknown" : "transaction-lost", `${host}:${port}`);
    const isOpen = wasOpen && !(runs && commits === COMMITS.all);
    return { error, owed, isOpen, isInBatch: isInBatch && !wasOpen, rescue };
  }

  /** Tells the client. What had not been sent yet goes to the next primary. */
  lost(loss: Loss): void {
    const { rescue, owed } = loss;
    const awaited = owed.filter(isAwaited);
    if (rescue === undefined || rescue === "uncommitted") this.#tell(loss, awaited);
    if (rescue === undefined) this.writes.over();
    else this.writes.rescue.rescued(rescue, awaited);
  }

  #tell({ error, isOpen, isInBatch }: Loss, awaited: readonly number[]): void {
    this.#isAborted = isOpen;
    this.#untold = isOpen ? error : undefined;
    if (awaited.length === 0 && isInBatch) return this.#refuse(routerError("transaction-lost"), false);
    if (awaited.length === 0) return;
    this.#untold = undefined;
    const writer = new MessageWriter();
    let skips = false;
    for (const [at, kind] of awaited.entries()) {
      if (kind < REPLY.sync || (!skips && (kind > REPLY.sync || at === 0)))
        writeRefusal(writer, error, this.#client.context);
      skips = kind > REPLY.sync;
      if (!skips) writeReadyForQuery(writer, this.#status);
    }
    this.#skips = skips;
    this.#say(writer);
  }

  get #status(): number {
    return this.#isAborted ? TRANSACTION.failed : TRANSACTION.idle;
  }

  // --- refusals ---------------------------------------------------------------------------------------------------

  /** There is no server connection and none to wait for. Whether the session goes on; its message is answered by `refusesFrame`. */
  refused(error: ErrorReply): boolean {
    if (error.severity !== "ERROR" || !this.#client.isLoggedIn) return false;
    if (this.#client.reads?.isPlacing === true || this.writes.rescue.isDue) this.refuseWaiting(error);
    else this.#refusal = error;
    return true;
  }

  /** The message is answered with an error, and does not wait. */
  refusesFrame({ type }: Frame): boolean {
    const error = this.#refusal;
    if (error === undefined) return false;
    this.#refusal = undefined;
    this.#refuse(error, isLast(type));
    return true;
  }

  /** What waits has waited long enough. */
  refuseWaiting(error: ErrorReply): void {
    const { reads, input } = this.#client;
    const isWhole = this.writes.rescue.giveWay() ?? (reads?.isPlacing === true && reads.giveUp());
    const pending = isWhole ? undefined : input.takePending();
    this.#refuse(error, isWhole || (pending !== undefined && isLast(pending)));
  }

  /** What the client sends is ignored up to its Sync. */
  skipToSync(): void {
    this.#skips = true;
  }

  #refuse(error: ErrorReply, isWhole: boolean): void {
    const writer = new MessageWriter();
    writeRefusal(writer, error, this.#client.context);
    if (isWhole) writeReadyForQuery(writer, TRANSACTION.idle);
    this.#skips = !isWhole;
    this.#say(writer);
  }

  // --- messages that no server gets -------------------------------------------------------------------------------

  /** A message of the client. True: it has been dealt with here. */
  takes(frame: Frame): boolean {
    const { server } = this.#client;
    const { type } = frame;
    if (type === FRONTEND.terminate) return false;
    if (server?.pool.gate?.passes(server) === false)
      server.fail(routerError("server-lost", "it is not the primary any more"));
    if (this.#client.isClosed) return true;
    if (!this.#skips && !this.#isAborted) return false;
    if (type === FRONTEND.password) return false;
    const writer = new MessageWriter();
    if (type === FRONTEND.sync) this.#sync(writer);
    else if (!this.#skips) this.#answerAborted(frame, writer);
    if (writer.length > 0) this.#say(writer);
    return true;
  }

  #sync(writer: MessageWriter): void {
    this.#skips = false;
    if (this.#hasEnded) this.#isAborted = false;
    this.#hasEnded = false;
    writeReadyForQuery(writer, this.#status);
  }

  #answerAborted(frame: Frame, writer: MessageWriter): void {
    const { bytes, start, end, type } = frame;
    switch (type) {
      case FRONTEND.query:
        if (!this.#end(endOf(textAt(bytes, start + HEADER, end)), writer)) this.#fail(writer);
        this.#isAborted &&= !this.#hasEnded;
        this.#hasEnded = false;
        return writeReadyForQuery(writer, this.#status);
      case FRONTEND.functionCall:
        this.#fail(writer);
        return writeReadyForQuery(writer, this.#status);
      case FRONTEND.parse:
      case FRONTEND.bind:
        return this.#prepareEnd(frame, writer);
      case FRONTEND.describe:
        if (bytes[start + HEADER] === STATEMENT || this.#ends === undefined) return this.#skip(writer);
        return void writer.begin(BACKEND.noData).end();
      case FRONTEND.execute:
        if (!this.#end(this.#ends, writer)) this.#skip(writer);
        return;
      case FRONTEND.close:
        if (bytes[start + HEADER] === STATEMENT)
          this.#client.session.forget(textAt(bytes, start + HEADER + 1, end));
        return void writer.begin(BACKEND.closeComplete).end();
    }
  }

  /** A Parse or Bind of a statement that ends the transaction; others fail. */
  #prepareEnd({ type, bytes, start, end }: Frame, writer: MessageWriter): void {
    const firstEnd = cstringEnd(bytes, start + HEADER, end);
    const second = firstEnd < 0 ? "" : textAt(bytes, firstEnd + 1, end);
    if (type === FRONTEND.parse) {
      this.#ends = firstEnd === start + HEADER ? endOf(second) : undefined;
      if (this.#ends === undefined) return this.#skip(writer);
      return void writer.begin(BACKEND.parseComplete).end();
    }
    if (second !== "") {
      const body = this.#client.session.named(second)?.body;
      this.#ends = body === undefined ? undefined : endOf(textAt(body, 0, body.length));
    }
    if (this.#ends === undefined) return this.#skip(writer);
    writer.begin(BACKEND.bindComplete).end();
  }

  /** The client ends its transaction. False: the statement does something else, or it is a commit and the client thinks that there is one. */
  #end(how: "rollback" | "commit" | undefined, writer: MessageWriter): boolean {
    if (how === undefined) return false;
    this.#hasEnded = true;
    if (how === "commit" && this.#untold !== undefined) {
      writeRefusal(writer, this.#untold, this.#client.context);
      this.#skips = this.#ends !== undefined;
    } else {
      writeCommandComplete(writer, "ROLLBACK");
    }
    this.#untold = this.#ends = undefined;
    return true;
  }

  #skip(writer: MessageWriter): void {
    this.#fail(writer);
    this.#skips = true;
  }

  #fail(writer: MessageWriter): void {
    writeRefusal(writer, this.#untold ?? routerError("transaction-aborted"), this.#client.context);
    this.#untold = undefined;
  }

  #say(writer: MessageWriter): void {
    const { batch, input } = this.#client;
    batch.addCopy(writer.bytes, 0, writer.length);
    if (!input.isProcessing) batch.flush();
  }
}

/** Whether the answer to a message ends with ReadyForQuery. */
function isLast(type: number): boolean {
  return type === FRONTEND.query || type === FRONTEND.functionCall || type === FRONTEND.sync;
}

/** Text up to its zero byte: as much of it as can matter. */
function textAt(bytes: Uint8Array, start: number, end: number): string {
  const textEnd = cstringEnd(bytes, start, end);
  return textEnd < 0 || textEnd - start > NAME_MAX * 4 ? "" : textOf(bytes, start, textEnd);
}
