/** What is known of one client's batch while its outcome is not: shared by those who pass it on and those who rescue it. */
import type { MessageWriter } from "../../../pgwire/index.ts";
import { Bytes } from "./bytes.ts";
import type { ClientConnection } from "./client-connection.ts";
import { KeptBatch } from "./kept-batch.ts";
import { type Frame, passRequest } from "./requests.ts";

/** "plain": a batch of which nothing is kept. */
type Step = "rest" | "plain" | "gathering" | "asking" | "committing" | "resolving" | "due";

/** Starts of servers that one statement survives: it may be what ends them. */
const SENDS_MAX = 3;

/** Connections that it survives in all. */
const TRIES_MAX = 20;

export class WriteState {
  readonly client: ClientConnection;
  readonly kept: KeptBatch;
  /** The answer that is held back. */
  readonly held: Bytes = new Bytes();
  /** Its length when the id was known. */
  answerLength = 0;
  step: Step = "rest";
  /** What waits to be sent is a COMMIT, and what stands around it. */
  isCommit = false;
  /** Messages up to a Sync are here, or a Query. */
  isComplete = false;
  /** Not only a COMMIT is sent with it. */
  isMixed = false;
  changes = false;
  calls = false;
  hasBound = false;
  /** Nothing has come since a Flush of what was only prepared. */
  isFlushed = false;
  /** The transaction's id; null: it has none. Undefined: it is not known, or the transaction has failed. */
  id: bigint | null | undefined;
  /** Of the primary: number of its start, and its term. */
  start = 0;
  term: number | undefined;
  /** How many starts of servers it was lost with, and sent once more each time. */
  sends = 0;
  /** How often it was sent once more in all: those who lose a server lose one connection of theirs after the other. */
  tries = 0;
  /** The start it was lost with last. */
  lostWith: string | undefined;
  /** When the server ended the connection by itself; undefined: it did not. */
  terminatedMs: number | undefined;
  /** The next batch waits for the answers to those before it. */
  isBehind = false;
  isFeeding = false;

  constructor(client: ClientConnection) {
    this.client = client;
    this.kept = new KeptBatch(client.session);
  }

  /** Whether what the client sends has to wait. */
  get isBusy(): boolean {
    if (this.isFeeding || this.step === "rest") return false;
    if (this.isBehind || this.step === "resolving" || this.step === "due") return true;
    return this.isComplete && (this.step === "asking" || this.step === "committing");
  }

  /** A new batch, on a server that owes nothing. */
  begin(start: number, term: number | undefined): void {
    if (!this.isFeeding) {
      this.sends = this.tries = 0;
      this.lostWith = undefined;
    }
    this.kept.begin();
    this.held.clear();
    this.isCommit = this.isComplete = this.isMixed = false;
    this.changes = this.calls = this.hasBound = false;
    this.terminatedMs = undefined;
    this.isFlushed = false;
    this.id = undefined;
    this.start = start;
    this.term = term;
  }

  /** It was lost, and is to be sent once more. */
  again(): void {
    const lostWith = `${this.term} ${this.start}`;
    if (lostWith !== this.lostWith) this.sends++;
    this.lostWith = lostWith;
    this.tries++;
    this.held.clear();
    this.step = "due";
  }

  /** Whether that may be. */
  get mayBeSentAgain(): boolean {
    return this.sends < SENDS_MAX && this.tries < TRIES_MAX;
  }

  /** All answers are there. */
  rest(): void {
    this.step = "rest";
    this.isBehind = this.isComplete = this.isCommit = false;
    this.held.clear();
  }

  /** Nothing is kept any more. */
  over(): void {
    this.rest();
    this.kept.drop();
  }

  /** Passes messages as if the client had sent them now, until its server connection is lost. */
  feed(frames: readonly Frame[]): void {
    const { client } = this;
    const { server } = client;
    this.isFeeding = true;
    for (const frame of frames) {
      if (client.isClosed || client.server !== server) break;
      passRequest(client, frame, true);
    }
    this.isFeeding = false;
  }

  /** The end of it for the client. */
  say(writer: MessageWriter): void {
    const { batch, input } = this.client;
    this.over();
    batch.addCopy(writer.bytes, 0, writer.length);
    if (!input.isProcessing) batch.flush();
  }
}
