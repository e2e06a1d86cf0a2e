/**
 * A client's writes, so that the loss of their server is none to the client.
 *
 *   rest -> gathering -> asking (the transaction's id) -> committing -> rest
 *                          lost -> due (is sent again)    lost -> resolving -> rest, or due
 *
 * A batch is kept and its answer held back until it is whole. Before a server is told to commit (by Sync outside of a transaction, or
 * COMMIT) it is asked for the transaction's id. Without that word it has not committed, and the batch is sent to the next primary; with it,
 * the next primary is asked what became of the id. Reads are kept and not held: they are sent again when no byte of their answer has gone.
 * Why no answer can be wrong: docs/decisions/0038-outcomes.md.
 */
import {
  cstringEnd,
  type ErrorReply,
  FRONTEND,
  MessageWriter,
  TRANSACTION,
  textOf,
  writeReadyForQuery,
} from "../../../pgwire/index.ts";
import { routerError } from "../../router/refusals.ts";
import type { WriteKind } from "../../router/write-kind.ts";
import { Bytes } from "./bytes.ts";
import type { ClientConnection } from "./client-connection.ts";
import { KeptBatch } from "./kept-batch.ts";
import type { Outcome, Outcomes } from "./outcomes.ts";
import { writeRefusal } from "./own-answers.ts";
import { type Frame, passRequest } from "./requests.ts";
import type { AnswerHolder, ServerConnection } from "./server-connection.ts";
import { askForId, sendAsExtended, sendSync, writeCommitted } from "./tracked.ts";

/** "plain": a batch of which nothing is kept. */
type State = "rest" | "plain" | "gathering" | "asking" | "committing" | "resolving" | "due";

/** What is done about a lost server connection, instead of telling the client. */
export type Rescue = "again" | "resolve" | "committed" | "lost" | "uncommitted";

const HEADER = 5;

/** Answers held back for one client; of a longer one the beginning goes out, and it cannot be sent again. */
const HELD_BYTES_MAX = 64 * 1024;

/** Losses that one statement survives: each of them took a server. */
const SENDS_MAX = 3;

export class ClientWrites implements AnswerHolder {
  readonly drops = false;
  readonly #client: ClientConnection;
  readonly #kept: KeptBatch;
  readonly #held = new Bytes();
  #state: State = "rest";
  /** What waits to be sent is a COMMIT, and what stands around it. */
  #isCommit = false;
  /** Messages up to a Sync are here, or a Query. */
  #isComplete = false;
  /** Not only a COMMIT is sent with it. */
  #isMixed = false;
  #changes = false;
  #calls = false;
  #hasBound = false;
  /** Of the statement without a name. */
  #unnamedKind: WriteKind | undefined;
  /** The transaction's id; null: it has none. Undefined: it is not known, or the transaction has failed. */
  #id: bigint | null | undefined;
  #idBytes = new Bytes();
  /** The answer's length when the id was known. */
  #answerLength = 0;
  #owed: readonly number[] = [];
  /** Of the primary: number of its start, and its term. */
  #start = 0;
  #term: number | undefined;
  #sends = 0;
  #wasTerminated = false;
  #isBehind = false;
  #isFeeding = false;
  /** Grows with each question, so that an answer which came too late is known. */
  #turn = 0;

  constructor(client: ClientConnection) {
    this.#client = client;
    this.#kept = new KeptBatch(client.session);
  }

  /** Whether what the client sends has to wait. */
  get isBusy(): boolean {
    if (this.#isFeeding || this.#state === "rest") return false;
    if (this.#isBehind || this.#state === "resolving" || this.#state === "due") return true;
    return this.#isComplete && (this.#state === "asking" || this.#state === "committing");
  }

  // --- the client's messages --------------------------------------------------------------------------------------

  /** A message for a server that follows the lease. True: it has been dealt with. */
  take(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (this.#isFeeding && this.#isCommit) return false;
    if (!server.isInBatch && !this.#begins(server, outcomes, frame)) return this.#isBehind;
    if (this.#state === "plain" || this.#state === "committing") {
      if (frame.type === FRONTEND.parse) this.#unnamedKind = undefined;
      return false;
    }
    switch (frame.type) {
      case FRONTEND.query:
        return this.#takeQuery(server, outcomes, frame);
      case FRONTEND.parse:
        return this.#takeParse(server, outcomes, frame);
      case FRONTEND.bind:
        return this.#takeBind(server, outcomes, frame);
      case FRONTEND.sync:
        return this.#takeSync(server, outcomes, frame);
      case FRONTEND.functionCall:
        return this.#giveUp(server);
      default:
        return this.#keeps(frame);
    }
  }

  /** A Flush: answers are to go out now. */
  takeFlush(server: ServerConnection, frame: Frame): boolean {
    if (this.#isFeeding || this.#state === "rest" || this.#state === "plain") return false;
    if (this.#isCommit) {
      this.#kept.add(frame);
      this.#complete(server);
      return true;
    }
    if (this.#state !== "gathering") return false;
    if (server.held === this) this.release(server);
    if (this.#hasBound) this.#kept.drop();
    else this.#kept.begin(); // what is prepared stays in the session
    return false;
  }

  /** A batch begins. False: it is none to keep, or it has to wait. */
  #begins(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (server.replies.length > 0) {
      const kind = frame.type === FRONTEND.sync ? "other" : this.#kindOf(outcomes, frame);
      this.#isBehind = kind !== undefined && kind !== "read" && kind !== "other";
      if (this.#isBehind) this.#client.input.wait(frame);
      if (!this.#isBehind || this.#state === "rest") this.#toPlain();
      return false;
    }
    server.passed = false;
    if (!this.#isFeeding) this.#sends = 0;
    this.#kept.begin();
    this.#held.clear();
    this.#state = server.status === TRANSACTION.failed ? "plain" : "gathering";
    this.#isCommit = this.#isComplete = this.#changes = this.#calls = this.#hasBound = false;
    this.#wasTerminated = this.#isMixed = false;
    this.#start = server.start;
    this.#term = server.address.term;
    this.#id = undefined;
    return true;
  }

  #toPlain(): void {
    this.#kept.drop();
    this.#state = "plain";
  }

  #takeQuery(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    // Behind messages of an extended query without a Sync.
    if (server.isInBatch) return this.#giveUp(server);
    const kind = this.#kindOf(outcomes, frame);
    this.#kept.add(frame);
    if (server.status !== TRANSACTION.idle) {
      if (kind !== "commit") return this.#giveUp(server);
      this.#asks(server, outcomes, true);
      this.#isComplete = true;
      return true;
    }
    if (kind === "read") {
      this.#isComplete = true;
      return false;
    }
    if ((kind !== "write" && kind !== "calls") || !this.#kept.isWhole) return this.#giveUp(server);
    if (!sendAsExtended(server, frame)) return this.#giveUp(server);
    this.#changesBy(server, kind);
    this.#asks(server, outcomes, false);
    this.#isComplete = true;
    return true;
  }

  #takeParse(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    const isUnnamed = frame.bytes[frame.start + HEADER] === 0;
    const kind = server.status === TRANSACTION.idle ? this.#kindOf(outcomes, frame) : undefined;
    if (isUnnamed) this.#unnamedKind = kind;
    if (this.#isCommit) return this.#keeps(frame);
    if (server.status !== TRANSACTION.idle) return false;
    if (kind === "other" || kind === "commit") return this.#giveUp(server);
    this.#kept.add(frame);
    if (kind !== "read") this.#holds(server);
    return false;
  }

  #takeBind(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (this.#isCommit) {
      this.#isMixed = true;
      return this.#keeps(frame);
    }
    const kind = this.#kindOf(outcomes, frame);
    if (server.status !== TRANSACTION.idle) {
      if (kind !== "commit") return false;
      this.#asks(server, outcomes, true);
      this.#kept.begin();
      return this.#keeps(frame);
    }
    if (kind === undefined || kind === "other" || kind === "commit") return this.#giveUp(server);
    this.#kept.add(frame);
    this.#hasBound = true;
    if (kind !== "read") this.#changesBy(server, kind);
    return false;
  }

  #takeSync(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (this.#isCommit) {
      this.#keeps(frame);
      this.#complete(server);
      return true;
    }
    if (server.status !== TRANSACTION.idle) return false;
    this.#kept.add(frame);
    this.#isComplete = true;
    // Without changes there is nothing to commit; behind an error neither.
    if ((!this.#changes && !this.#calls) || server.skips) return false;
    this.#asks(server, outcomes, false);
    return true;
  }

  /** One of the messages in between. True: it waits for the id. */
  #keeps(frame: Frame): boolean {
    if (this.#isCommit || this.#client.server?.status === TRANSACTION.idle) this.#kept.add(frame);
    return this.#isCommit;
  }

  /** Nothing is kept of the batch under way, and its answer goes out as it comes. */
  #giveUp(server: ServerConnection): false {
    if (server.held === this) this.release(server);
    if (this.#isCommit && this.#state === "asking") this.#feed();
    this.#toPlain();
    return false;
  }

  #changesBy(server: ServerConnection, kind: "write" | "calls"): void {
    if (kind === "write") this.#changes = true;
    else this.#calls = true;
    this.#holds(server);
  }

  #holds(server: ServerConnection): void {
    if (server.held !== undefined) return;
    if (server.passed) this.#kept.drop();
    else server.held = this;
  }

  #asks(server: ServerConnection, outcomes: Outcomes, isCommit: boolean): void {
    this.#state = "asking";
    this.#isCommit = isCommit;
    this.#id = undefined;
    this.#idBytes.clear();
    askForId(server, outcomes.idStatement);
  }

  // --- what a message is ------------------------------------------------------------------------------------------

  /** The kind of the statement in a Query, Parse or Bind; undefined: it has none. */
  #kindOf(outcomes: Outcomes, { type, bytes, start, end, rest }: Frame): WriteKind | undefined {
    const at = start + HEADER;
    if (type === FRONTEND.query) return rest > 0 ? "other" : outcomes.kindOfQuery(bytes, at, end);
    const nameEnd = cstringEnd(bytes, at, end);
    const textEnd = nameEnd < 0 ? -1 : cstringEnd(bytes, nameEnd + 1, end);
    if (type === FRONTEND.parse)
      return textEnd < 0 || rest > 0 ? "other" : outcomes.kinds.of(textOf(bytes, nameEnd + 1, textEnd));
    if (type !== FRONTEND.bind || textEnd < 0) return undefined;
    return this.#kindOfName(outcomes, textOf(bytes, nameEnd + 1, textEnd));
  }

  #kindOfName(outcomes: Outcomes, name: string): WriteKind {
    const { session } = this.#client;
    if (name === "") {
      const { unnamed } = session;
      if (unnamed === undefined) return "other";
      this.#unnamedKind ??= outcomes.kinds.of(bodyText(unnamed));
      return this.#unnamedKind;
    }
    const statement = session.named(name);
    if (statement === undefined) return "other";
    return outcomes.kinds.ofPrepared(statement, () => bodyText(statement.body));
  }

  // --- the server's answers ---------------------------------------------------------------------------------------

  hold(server: ServerConnection, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#held.length + end - start > HELD_BYTES_MAX) {
      this.#kept.drop();
      this.release(server);
      return false;
    }
    this.#held.add(bytes, start, end);
    return true;
  }

  release(server: ServerConnection): void {
    server.held = undefined;
    if (this.#held.length === 0) return;
    server.passed = true;
    this.#client.batch.addCopy(this.#held.bytes, 0, this.#held.length);
    this.#held.clear();
  }

  /** An error of the server's is the client's to see. */
  failed(): false {
    return false;
  }

  /** A part of the answer to the question for the id. */
  idArrives(bytes: Uint8Array, start: number, end: number): void {
    this.#idBytes.add(bytes, start, end);
  }

  /** The answer is whole. */
  idKnown(server: ServerConnection): void {
    const id = lastValue(this.#idBytes);
    this.#id = id === undefined ? null : BigInt(id);
    this.#answerLength = this.#held.length;
    if (!this.#isCommit) return this.#commits(server);
    if (this.#isComplete) this.#client.readOn();
  }

  /** The server has met an error: it waits for a Sync. */
  errorMet(server: ServerConnection): void {
    if (this.#state !== "asking") return;
    if (!this.#isCommit || this.#isComplete) return this.#commits(server);
    // What comes before the client's own Sync is ignored.
    this.#toPlain();
  }

  #commits(server: ServerConnection): void {
    this.#state = "committing";
    sendSync(server);
  }

  /** The server said goodbye by itself. */
  terminated(): void {
    this.#wasTerminated = true;
  }

  /** All answers are there. Whether what the client has sent since had to wait for that. */
  answered(): boolean {
    const wasBusy = this.isBusy;
    this.#rest();
    return wasBusy;
  }

  /** Nothing is under way any more. */
  over(): void {
    this.#rest();
    this.#kept.drop();
  }

  #rest(): void {
    this.#state = "rest";
    this.#isBehind = this.#isComplete = this.#isCommit = false;
    this.#held.clear();
  }

  // --- COMMIT -----------------------------------------------------------------------------------------------------

  /** All that belongs to the COMMIT is here: it goes out when the id is known. */
  #complete(server: ServerConnection): void {
    this.#isComplete = true;
    if (this.#id !== undefined) this.#sendCommit(server);
  }

  #sendCommit(server: ServerConnection): void {
    this.#state = "committing";
    this.#feed();
    // Behind a Flush more may follow.
    this.#isComplete = !server.isInBatch;
  }

  #feed(): void {
    const frames = this.#kept.frames();
    this.#isFeeding = true;
    for (const frame of frames) {
      if (frame.type === FRONTEND.terminate || this.#client.isClosed) break;
      passRequest(this.#client, frame, true);
    }
    this.#isFeeding = false;
  }

  // --- the loss ---------------------------------------------------------------------------------------------------

  /** What is done about the loss of `server`; undefined: the client is told. */
  rescue(server: ServerConnection): Rescue | undefined {
    switch (this.#state) {
      case "due":
        return this.#sends < SENDS_MAX ? "again" : "lost";
      case "gathering":
        if (server.status !== TRANSACTION.idle) return undefined;
        if (this.#canBeSent(server)) return "again";
        return this.#isComplete ? undefined : "lost";
      case "asking":
        if (this.#isCommit) return "uncommitted";
        return this.#canBeSent(server) ? "again" : "lost";
      case "committing":
        return this.#rescueCommitting(server);
      default:
        return undefined;
    }
  }

  #rescueCommitting(server: ServerConnection): Rescue | undefined {
    if (this.#isMixed) return undefined;
    if (this.#id === undefined)
      return this.#isCommit ? undefined : this.#canBeSent(server) ? "again" : "lost";
    if (this.#id !== null) return "resolve";
    if (this.#isCommit) return "committed";
    // Nothing was written here. What a function did elsewhere nobody can tell.
    if (this.#calls) return undefined;
    return this.#canBeSent(server) ? "again" : "lost";
  }

  #canBeSent(server: ServerConnection): boolean {
    return this.#kept.isWhole && !server.passed && this.#sends < SENDS_MAX;
  }

  /** The server connection is gone, and `rescue` said what to do. `owed`: what it owed answers to. */
  rescued(rescue: Rescue, owed: readonly number[]): void {
    this.#owed = owed;
    switch (rescue) {
      case "again":
        return this.#again();
      case "uncommitted":
        this.#state = "due";
        return;
      case "resolve":
        return this.#resolve();
      case "committed":
        return this.#resolved("committed");
      case "lost":
        return this.#tell(routerError("transaction-lost"));
    }
  }

  #again(): void {
    this.#sends++;
    this.#held.clear();
    this.#state = "due";
    this.#client.context.counters.resent++;
  }

  #resolve(): void {
    const { pool } = this.#client;
    const { gate } = pool;
    const turn = ++this.#turn;
    this.#state = "resolving";
    const [outcomes, id] = [gate?.outcomes, this.#id];
    if (outcomes === undefined || typeof id !== "bigint") return this.#resolved("unknown");
    const isAsked = outcomes.ask(pool, { id, start: this.#start }, (outcome) => {
      if (turn !== this.#turn || this.#state !== "resolving" || this.#client.isClosed) return;
      this.#resolved(outcome);
      this.#client.readOn();
    });
    if (!isAsked) this.#resolved("unknown");
  }

  #resolved(outcome: Outcome): void {
    const { counters } = this.#client.context;
    if (outcome === "committed") {
      counters.outcomesCommitted++;
      return this.#deliver();
    }
    if (outcome === "unknown") {
      counters.outcomesUnknown++;
      return this.#tell(routerError("outcome-unknown"));
    }
    counters.outcomesLost++;
    if (!this.#isCommit && this.#kept.isWhole && this.#sends < SENDS_MAX) return this.#again();
    if (this.#isCommit) counters.transactionsLost++;
    this.#tell(routerError("transaction-lost"));
  }

  /** It was committed: what was held back goes out, and what the server would have said. */
  #deliver(): void {
    const writer = new MessageWriter();
    if (this.#isCommit) writeCommitted(writer, this.#owed);
    else {
      this.#client.batch.addCopy(this.#held.bytes, 0, this.#answerLength);
      writeReadyForQuery(writer, TRANSACTION.idle);
    }
    this.#say(writer);
  }

  #tell(error: ErrorReply): void {
    const writer = new MessageWriter();
    writeRefusal(writer, error, this.#client.context);
    const isWhole = this.#isComplete;
    if (isWhole) writeReadyForQuery(writer, TRANSACTION.idle);
    else this.#client.recovery?.skipToSync();
    this.#say(writer);
  }

  #say(writer: MessageWriter): void {
    const { batch, input } = this.#client;
    this.over();
    batch.addCopy(writer.bytes, 0, writer.length);
    if (!input.isProcessing) batch.flush();
  }

  // --- once more --------------------------------------------------------------------------------------------------

  /** Something waits to be sent. */
  get isDue(): boolean {
    return (
      this.#state === "due" ||
      (this.#state === "asking" && this.#isCommit && this.#isComplete && this.#id !== undefined)
    );
  }

  /** Sends what is due, as soon as there is a server connection. */
  goOn(): void {
    if (!this.isDue || this.#isFeeding) return;
    const { recovery } = this.#client;
    if (this.#state === "asking") {
      const { server } = this.#client;
      if (server !== undefined) this.#sendCommit(server);
      return;
    }
    if (this.#isCommit) return this.#refuseCommit();
    if (this.#client.queuedAt !== undefined) return;
    if (this.#client.server === undefined && !this.#client.acquire()) return;
    const { server, isSettling } = this.#client;
    if (server === undefined || isSettling || recovery === undefined) return;
    // The primary goes on, and somebody has ended what it did for this client.
    const isSame = server.start === this.#start && server.address.term === this.#term;
    if (this.#wasTerminated && isSame) return this.#tell(routerError("transaction-lost"));
    this.#kept.undo();
    this.#state = "rest";
    this.#feed();
  }

  /** The transaction ended with its server, and its COMMIT was not sent: the client hears of it as its COMMIT's answer. */
  #refuseCommit(): void {
    this.#state = "committing";
    this.#feed();
    this.#rest();
  }

  /** There is no primary to send it to. Whether it was whole, so that its answer ends with a ReadyForQuery. */
  giveWay(): boolean | undefined {
    if (this.#state !== "due") return undefined;
    const isWhole = this.#isComplete;
    this.over();
    return isWhole;
  }
}

/** The text in the body of a Parse. */
function bodyText(body: Uint8Array): string {
  return textOf(body, 0, Math.max(0, cstringEnd(body, 0, body.length)));
}

/** LETTER: "D", a row. */
const ROW = 68;

/** The value of the one row among messages; undefined: null. */
function lastValue({ bytes, length }: Bytes): string | undefined {
  for (let at = 0; at + HEADER <= length; ) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    const size = view.getInt32(at + 1);
    if (bytes[at] === ROW) {
      const valueLength = view.getInt32(at + HEADER + 2);
      const start = at + HEADER + 6;
      return valueLength < 0 ? undefined : textOf(bytes, start, start + valueLength);
    }
    at += 1 + size;
  }
  return undefined;
}
