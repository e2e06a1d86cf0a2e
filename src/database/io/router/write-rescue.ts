/**
 * What is done when the server of a client's batch is lost: it is sent to the next primary, or that one is asked what became of it.
 *
 *   lost -> due -> sent again
 *   lost -> resolving -> committed: the answer goes out | lost: due, or told | unknown: told
 */
import { type ErrorReply, MessageWriter, TRANSACTION, writeReadyForQuery } from "../../../pgwire/index.ts";
import type { Outcome } from "../../router/outcome.ts";
import { routerError } from "../../router/refusals.ts";
import type { ClientConnection } from "./client-connection.ts";
import { writeRefusal } from "./own-answers.ts";
import type { ServerConnection } from "./server-connection.ts";
import { sendCommit, writeCommitted } from "./tracked.ts";
import type { WriteState } from "./write-state.ts";

/** What is done about a lost server connection, instead of telling the client. */
export type Rescue = "again" | "resolve" | "committed" | "lost" | "uncommitted";

export class WriteRescue {
  readonly #batch: WriteState;
  readonly #client: ClientConnection;
  #owed: readonly number[] = [];
  /** Grows with each question, so that an answer which came too late is known. */
  #turn = 0;

  constructor(batch: WriteState) {
    this.#batch = batch;
    this.#client = batch.client;
  }

  // --- the loss ---------------------------------------------------------------------------------------------------

  /** What is done about the loss of `server`; undefined: the client is told. */
  of(server: ServerConnection): Rescue | undefined {
    switch (this.#batch.step) {
      case "due":
        return this.#batch.mayBeSentAgain ? "again" : "lost";
      case "gathering":
        if (server.status !== TRANSACTION.idle) return undefined;
        if (this.#canBeSent(server)) return "again";
        return this.#batch.isComplete ? undefined : "lost";
      case "asking":
        if (this.#batch.isCommit) return "uncommitted";
        return this.#canBeSent(server) ? "again" : "lost";
      case "committing":
        return this.#rescueCommitting(server);
      case "rest":
      case "plain":
      case "resolving":
        return undefined;
    }
  }

  #rescueCommitting(server: ServerConnection): Rescue | undefined {
    if (this.#batch.isMixed) return undefined;
    if (this.#batch.id === undefined)
      return this.#batch.isCommit ? undefined : this.#canBeSent(server) ? "again" : "lost";
    if (this.#batch.id !== null) return "resolve";
    if (this.#batch.isCommit) return "committed";
    // Nothing was written here. What a function did elsewhere nobody can tell.
    if (this.#batch.calls) return undefined;
    return this.#canBeSent(server) ? "again" : "lost";
  }

  #canBeSent(server: ServerConnection): boolean {
    const { kept, isFlushed, mayBeSentAgain } = this.#batch;
    const isUnseen = isFlushed ? server.replies.length === 0 : !server.passed;
    return kept.isWhole && isUnseen && mayBeSentAgain;
  }

  /** The server connection is gone, and `rescue` said what to do. `owed`: what it owed answers to. */
  rescued(rescue: Rescue, owed: readonly number[]): void {
    this.#owed = owed;
    switch (rescue) {
      case "again":
        return this.#again();
      case "uncommitted":
        this.#batch.step = "due";
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
    this.#batch.again();
    this.#client.context.counters.resent++;
  }

  #resolve(): void {
    const { pool } = this.#client;
    const { gate } = pool;
    const turn = ++this.#turn;
    this.#batch.step = "resolving";
    const [outcomes, id] = [gate?.outcomes, this.#batch.id];
    if (outcomes === undefined || typeof id !== "bigint") return this.#resolved("unknown");
    const isAsked = outcomes.ask(pool, { id, start: this.#batch.start }, (outcome) => {
      if (turn !== this.#turn || this.#batch.step !== "resolving" || this.#client.isClosed) return;
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
    if (!this.#batch.isCommit && this.#batch.kept.isWhole && this.#batch.mayBeSentAgain) return this.#again();
    if (this.#batch.isCommit) counters.transactionsLost++;
    this.#tell(routerError("transaction-lost"));
  }

  /** It was committed: what was held back goes out, and what the server would have said. */
  #deliver(): void {
    const writer = new MessageWriter();
    if (this.#batch.isCommit) writeCommitted(writer, this.#owed);
    else {
      this.#client.batch.addCopy(this.#batch.held.bytes, 0, this.#batch.answerLength);
      writeReadyForQuery(writer, TRANSACTION.idle);
    }
    this.#batch.say(writer);
  }

  #tell(error: ErrorReply): void {
    const writer = new MessageWriter();
    writeRefusal(writer, error, this.#client.context);
    const isWhole = this.#batch.isComplete;
    if (isWhole) writeReadyForQuery(writer, TRANSACTION.idle);
    else this.#client.recovery?.skipToSync();
    this.#batch.say(writer);
  }

  // --- once more --------------------------------------------------------------------------------------------------

  /** Something waits to be sent. */
  get isDue(): boolean {
    return (
      this.#batch.step === "due" ||
      (this.#batch.step === "asking" &&
        this.#batch.isCommit &&
        this.#batch.isComplete &&
        this.#batch.id !== undefined)
    );
  }

  /** Sends what is due, as soon as there is a server connection. */
  goOn(): void {
    if (!this.isDue || this.#batch.isFeeding) return;
    const { recovery } = this.#client;
    if (this.#batch.step === "asking") {
      const { server } = this.#client;
      if (server !== undefined) sendCommit(this.#batch, server);
      return;
    }
    if (this.#batch.isCommit) return this.#refuseCommit();
    if (this.#client.queuedAt !== undefined || this.#waitsForLook()) return;
    if (this.#client.server === undefined && !this.#client.acquire()) return;
    const { server, isSettling } = this.#client;
    if (server === undefined || isSettling || recovery === undefined) return;
    // The primary goes on, and somebody has ended what it did for this client.
    const isSame = server.start === this.#batch.start && server.address.term === this.#batch.term;
    if (this.#batch.terminatedMs !== undefined && isSame) {
      this.#tell(routerError("transaction-lost"));
      return this.#client.detach();
    }
    this.#send();
  }

  /**
   * The server has ended a connection: because it stops, or because somebody ended that one. Before it stops in a switchover its record
   * says so, but that may not have been read yet.
   */
  #waitsForLook(): boolean {
    const { terminatedMs } = this.#batch;
    const { gate } = this.#client.pool;
    if (terminatedMs === undefined || gate?.target === undefined || gate.hasLookedSince(terminatedMs))
      return false;
    gate.lookThen(() => {
      if (!this.#client.isClosed && this.isDue) this.#client.readOn();
    });
    return true;
  }

  #send(): void {
    const { kept } = this.#batch;
    const frames = kept.frames();
    kept.undo();
    if (frames.length === 0) this.#batch.step = "rest";
    this.#batch.feed(frames);
    if (this.#batch.step !== "due") return;
    // Lost once more before it was out.
    kept.undo();
    kept.addAll(frames);
    this.goOn();
  }

  /** The transaction ended with its server, and its COMMIT was not sent: the client hears of it as its COMMIT's answer. */
  #refuseCommit(): void {
    this.#batch.step = "committing";
    this.#batch.feed(this.#batch.kept.frames());
    this.#batch.rest();
  }

  /** There is no primary to send it to. Whether it was whole, so that its answer ends with a ReadyForQuery. */
  giveWay(): boolean | undefined {
    if (this.#batch.step !== "due") return undefined;
    const isWhole = this.#batch.isComplete;
    this.#batch.over();
    return isWhole;
  }
}
