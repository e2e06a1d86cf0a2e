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
import { cstringEnd, FRONTEND, TRANSACTION, textOf } from "../../../pgwire/index.ts";
import type { WriteKind } from "../../router/write-kind.ts";
import type { AnswerHolder } from "./answer-holder.ts";
import { Bytes } from "./bytes.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Outcomes } from "./outcomes.ts";
import type { Frame } from "./requests.ts";
import type { ServerConnection } from "./server-connection.ts";
import { askForId, idIn, sendAsExtended, sendCommit, sendSync } from "./tracked.ts";
import { WriteRescue } from "./write-rescue.ts";
import { WriteState } from "./write-state.ts";

const HEADER = 5;

/** Answers held back for one client; of a longer one the beginning goes out, and it cannot be sent again. */
const HELD_BYTES_MAX = 64 * 1024;

/** A COMMIT is short; longer texts in a transaction are not looked at. */
const COMMIT_BYTES_MAX = 64;

export class ClientWrites implements AnswerHolder {
  readonly drops = false;
  readonly rescue: WriteRescue;
  readonly #client: ClientConnection;
  readonly #batch: WriteState;
  /** The statement without a name, and its kind. */
  #unnamed: Uint8Array | undefined;
  #unnamedKind: WriteKind = "other";
  readonly #idBytes = new Bytes();

  constructor(client: ClientConnection) {
    this.#client = client;
    this.#batch = new WriteState(client);
    this.rescue = new WriteRescue(this.#batch);
  }

  /** Whether what the client sends has to wait. */
  get isBusy(): boolean {
    return this.#batch.isBusy;
  }

  // --- the client's messages --------------------------------------------------------------------------------------

  /** A message for a server that follows the lease. True: it has been dealt with. */
  take(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (this.#batch.isFeeding && this.#batch.isCommit) return false;
    if (!server.isInBatch && !this.#begins(server, outcomes, frame)) return this.#batch.isBehind;
    if (this.#batch.step === "plain" || this.#batch.step === "committing") return false;
    if (this.#batch.isFlushed) this.#goesOn(server);
    if (this.#batch.isCommit && !this.#batch.kept.hasRoomFor(frame)) return this.#giveUp(server);
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

  /** More bytes of the last message. True: they wait with it. */
  takeRest(bytes: Uint8Array, start: number, end: number): boolean {
    this.#batch.kept.addRest(bytes, start, end);
    return this.#batch.isCommit && this.#batch.step === "asking";
  }

  /** A Flush: answers are to go out now. */
  takeFlush(server: ServerConnection, frame: Frame): boolean {
    if (this.#batch.isFeeding) return false;
    if (this.#batch.isCommit && this.#batch.step === "asking") {
      this.#batch.kept.add(frame);
      this.#complete(server);
      return true;
    }
    if (this.#batch.step !== "gathering") return false;
    if (server.held === this) this.release(server);
    if (this.#batch.hasBound) this.#batch.kept.drop();
    else this.#batch.kept.begin(); // what is prepared stays in the session
    this.#batch.isFlushed = !this.#batch.hasBound;
    return false;
  }

  /** The batch goes on behind a Flush: what had been sent is over if it is answered. */
  #goesOn(server: ServerConnection): void {
    this.#batch.isFlushed = false;
    if (server.replies.length > 0) this.#batch.kept.drop();
    else server.passed = false;
  }

  /** A batch begins. False: it is none to keep, or it has to wait. */
  #begins(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (server.replies.length > 0) {
      const kind = frame.type === FRONTEND.sync ? "other" : this.#kindOf(outcomes, frame);
      this.#batch.isBehind = kind !== undefined && kind !== "read" && kind !== "other";
      if (this.#batch.isBehind) this.#client.input.wait(frame);
      if (!this.#batch.isBehind || this.#batch.step === "rest") this.#toPlain();
      return false;
    }
    server.passed = false;
    this.#batch.begin(server.start, server.address.term);
    this.#batch.step = server.status === TRANSACTION.failed ? "plain" : "gathering";
    return true;
  }

  #toPlain(): void {
    this.#batch.kept.drop();
    this.#batch.step = "plain";
  }

  #takeQuery(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    // Behind messages of an extended query without a Sync.
    if (server.isInBatch) return this.#giveUp(server);
    const isOpen = server.status !== TRANSACTION.idle;
    const kind =
      isOpen && frame.end - frame.start > COMMIT_BYTES_MAX ? "other" : this.#kindOf(outcomes, frame);
    this.#batch.kept.add(frame);
    if (isOpen) {
      if (kind !== "commit") return this.#giveUp(server);
      this.#asks(server, outcomes, true);
      this.#batch.isComplete = true;
      return true;
    }
    if (kind === "read") {
      this.#batch.isComplete = true;
      return false;
    }
    if ((kind !== "write" && kind !== "calls") || !this.#batch.kept.isWhole) return this.#giveUp(server);
    if (!sendAsExtended(server, frame)) return this.#giveUp(server);
    this.#changesBy(server, kind);
    this.#asks(server, outcomes, false);
    this.#batch.isComplete = true;
    return true;
  }

  #takeParse(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (this.#batch.isCommit) return this.#keeps(frame);
    if (server.status !== TRANSACTION.idle) return false;
    const kind = this.#kindOf(outcomes, frame);
    if (kind === "other" || kind === "commit") return this.#giveUp(server);
    this.#batch.kept.add(frame);
    if (kind !== "read") this.#holds(server);
    return false;
  }

  #takeBind(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (this.#batch.isCommit) {
      this.#batch.isMixed = true;
      return this.#keeps(frame);
    }
    const kind = this.#kindOf(outcomes, frame);
    if (server.status !== TRANSACTION.idle) {
      if (kind !== "commit") return false;
      this.#asks(server, outcomes, true);
      this.#batch.kept.begin();
      return this.#keeps(frame);
    }
    if (kind === undefined || kind === "other" || kind === "commit") return this.#giveUp(server);
    this.#batch.kept.add(frame);
    this.#batch.hasBound = true;
    if (kind !== "read") this.#changesBy(server, kind);
    return false;
  }

  #takeSync(server: ServerConnection, outcomes: Outcomes, frame: Frame): boolean {
    if (this.#batch.isCommit) {
      this.#keeps(frame);
      this.#complete(server);
      return true;
    }
    if (server.status !== TRANSACTION.idle) return false;
    this.#batch.kept.add(frame);
    this.#batch.isComplete = true;
    // Without changes there is nothing to commit; behind an error neither.
    if ((!this.#batch.changes && !this.#batch.calls) || server.skips) return false;
    this.#asks(server, outcomes, false);
    return true;
  }

  /** One of the messages in between. True: it waits for the id. */
  #keeps(frame: Frame): boolean {
    if (this.#batch.isCommit || this.#client.server?.status === TRANSACTION.idle) this.#batch.kept.add(frame);
    return this.#batch.isCommit;
  }

  /** Nothing is kept of the batch under way, and its answer goes out as it comes. */
  #giveUp(server: ServerConnection): false {
    if (server.held === this) this.release(server);
    if (this.#batch.isCommit && this.#batch.step === "asking") this.#batch.feed(this.#batch.kept.frames());
    this.#toPlain();
    return false;
  }

  #changesBy(server: ServerConnection, kind: "write" | "calls"): void {
    if (kind === "write") this.#batch.changes = true;
    else this.#batch.calls = true;
    this.#holds(server);
  }

  #holds(server: ServerConnection): void {
    if (server.held !== undefined) return;
    if (server.passed) this.#batch.kept.drop();
    else server.held = this;
  }

  #asks(server: ServerConnection, outcomes: Outcomes, isCommit: boolean): void {
    this.#batch.step = "asking";
    this.#batch.isCommit = isCommit;
    this.#batch.id = undefined;
    this.#idBytes.clear();
    askForId(server, outcomes.idStatement);
  }

  // --- what a message is ------------------------------------------------------------------------------------------

  /** The kind of the statement in a Query, Parse or Bind; undefined: it has none. */
  #kindOf(outcomes: Outcomes, { type, bytes, start, end, rest }: Frame): WriteKind | undefined {
    const { session } = this.#client;
    const at = start + HEADER;
    if (type === FRONTEND.query) return rest > 0 ? "other" : outcomes.kindOfQuery(bytes, at, end);
    const nameEnd = cstringEnd(bytes, at, end);
    const textEnd = nameEnd < 0 ? -1 : cstringEnd(bytes, nameEnd + 1, end);
    if (type === FRONTEND.parse && nameEnd === at && rest === 0 && session.isUnnamed(bytes, at + 1, end))
      return this.#kindOfName(outcomes, "");
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
      if (unnamed !== this.#unnamed) this.#unnamedKind = outcomes.kinds.of(bodyText(unnamed));
      this.#unnamed = unnamed;
      return this.#unnamedKind;
    }
    const statement = session.named(name);
    if (statement === undefined) return "other";
    return outcomes.kinds.ofPrepared(statement, () => bodyText(statement.body));
  }

  // --- the server's answers ---------------------------------------------------------------------------------------

  hold(server: ServerConnection, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#batch.held.length + end - start > HELD_BYTES_MAX) {
      this.#batch.kept.drop();
      this.release(server);
      return false;
    }
    this.#batch.held.add(bytes, start, end);
    return true;
  }

  release(server: ServerConnection): void {
    server.held = undefined;
    if (this.#batch.held.length === 0) return;
    server.passed = true;
    this.#client.batch.addCopy(this.#batch.held.bytes, 0, this.#batch.held.length);
    this.#batch.held.clear();
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
    this.#batch.id = idIn(this.#idBytes);
    this.#batch.answerLength = this.#batch.held.length;
    if (!this.#batch.isCommit) return this.#commits(server);
    if (this.#batch.isComplete) this.#client.readOn();
  }

  /** The server has met an error: it waits for a Sync. */
  errorMet(server: ServerConnection): void {
    if (this.#batch.step !== "asking") return;
    if (!this.#batch.isCommit || this.#batch.isComplete) return this.#commits(server);
    // What comes before the client's own Sync is ignored.
    this.#toPlain();
  }

  #commits(server: ServerConnection): void {
    this.#batch.step = "committing";
    sendSync(server);
  }

  /** The server said goodbye by itself. */
  terminated(): void {
    this.#batch.terminatedMs = this.#client.context.clock.nowMs();
  }

  /** All answers are there. Whether what the client has sent since had to wait for that. */
  answered(): boolean {
    const wasBusy = this.isBusy;
    this.#batch.rest();
    return wasBusy;
  }

  /** What was under way is told by others. */
  over(): void {
    this.#batch.over();
  }

  /** All that belongs to the COMMIT is here: it goes out when the id is known. */
  #complete(server: ServerConnection): void {
    this.#batch.isComplete = true;
    if (this.#batch.id !== undefined) sendCommit(this.#batch, server);
  }
}

/** The text in the body of a Parse. */
function bodyText(body: Uint8Array): string {
  return textOf(body, 0, Math.max(0, cstringEnd(body, 0, body.length)));
}
