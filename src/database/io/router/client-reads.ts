/**
 * One client's batches on their way to a server, where the cluster has replicas.
 *
 *   rest -> gathering (until its Sync) -> asking (how far is the primary) -> watching (has a replica replayed it) -> queued -> sent -> rest
 *
 * A batch is kept until its answer is whole, or 8 KiB of it have been passed on: so long it can go to another server when its own is lost
 * or refuses it, and its client never learns of it.
 */
import {
  cstringEnd,
  type ErrorFields,
  type ErrorReply,
  FRONTEND,
  int32At,
  TRANSACTION,
  textOf,
} from "../../../pgwire/index.ts";
import type { RoutingStatement } from "../../../sql/index.ts";
import { whyElsewhere } from "../../reads/elsewhere.ts";
import { ReadSession } from "../../reads/read-session.ts";
import type { ReadReason } from "../../reads/reasons.ts";
import { routerError } from "../../router/refusals.ts";
import { Bytes } from "./bytes.ts";
import type { ClientConnection } from "./client-connection.ts";
import { GatheredBatch } from "./gathered-batch.ts";
import { refuse } from "./own-answers.ts";
import { Placement } from "./placement.ts";
import type { Pool } from "./pool.ts";
import type { Reads } from "./reads.ts";
import { answerRouting } from "./reads-tables.ts";
import { type Frame, passRequest } from "./requests.ts";
import type { ServerConnection } from "./server-connection.ts";

/** Answers held back: what PostgreSQL itself collects before it sends (PQ_SEND_BUFFER_SIZE), so nobody waits longer for it. */
const HELD_BYTES_MAX = 8 * 1024;

const HEADER = 5;

type State = "rest" | "gathering" | "placing" | "sent";

export class ClientReads {
  readonly session: ReadSession;
  readonly client: ClientConnection;
  readonly batch: GatheredBatch;
  readonly #reads: Reads;
  readonly #placement: Placement;
  #state: State = "rest";
  readonly #held = new Bytes();
  /** The batch lies here and goes out as soon as there is a server connection. */
  #isDue = false;
  #isFeeding = false;
  /** Answers are held back. */
  #holds = false;
  /** The answer is thrown away: the batch goes elsewhere when it has ended. */
  drops = false;
  #awaitsReady = false;

  constructor(client: ClientConnection, reads: Reads) {
    this.client = client;
    this.#reads = reads;
    this.session = new ReadSession(reads.consistency);
    this.batch = new GatheredBatch(client.session, reads);
    this.#placement = new Placement(this, reads);
  }

  /** A session stays with the primary alone: what it leaves on a replica ends with the transaction there. */
  leavesNothingOn(server: ServerConnection | undefined): boolean {
    if (this.#placement.replica === undefined) return false;
    if (server !== undefined) server.isDirty = true;
    return true;
  }
  /** It is on its way to a server. */
  get isPlacing(): boolean {
    return this.#state === "placing";
  }
  /** Whether what arrives has to wait. */
  get isBusy(): boolean {
    return this.#awaitsReady || this.#state === "placing";
  }
  /** A batch waits for the server connection that the client has by now. */
  get isDue(): boolean {
    return this.#isDue;
  }

  // --- the client's messages --------------------------------------------------------------------------------------

  /** A message of a client that has no server connection. True: it is kept here; else it goes to the primary. */
  take(frame: Frame): boolean {
    if (this.#isFeeding) return false;
    if (!this.#reads.hasReplicas && this.#state === "rest") return this.#passGathered("no-replicas", frame);
    if (!this.batch.hasRoomFor(frame)) return this.#passGathered("long-batch", frame);
    switch (frame.type) {
      case FRONTEND.query:
        return this.#takeQuery(frame);
      case FRONTEND.functionCall:
        return this.#passGathered("function-call", frame);
      case FRONTEND.sync:
        if (this.#state === "rest") return this.#count("no-statement");
        this.batch.bytes.add(frame.bytes, frame.start, frame.end);
        if (this.batch.closes && this.batch.plans.length > 0) this.#placement.forced = "closes-statement";
        this.#begin();
        return true;
      default:
        this.#state = "gathering";
        this.batch.add(frame);
        return true;
    }
  }

  /** More bytes of the last message. True: they are kept here. */
  takeRest(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#state !== "gathering") return false;
    this.batch.bytes.add(bytes, start, end);
    return true;
  }

  /** A Flush: what has been gathered is to be answered, and more may follow. */
  flushes({ bytes, start, end }: Frame): boolean {
    if (this.#state !== "gathering") return false;
    this.batch.bytes.add(bytes, start, end);
    this.#placement.forced = "open-batch";
    this.session.wrote = true;
    this.#begin();
    return true;
  }

  /** A message of a client that has its server connection. */
  continues({ type }: Frame): void {
    if (this.#isFeeding) return;
    if (type === FRONTEND.parse) this.batch.forgetUnnamed();
    if (this.#placement.replica === undefined) this.session.wrote = true;
    else if (type === FRONTEND.query || type === FRONTEND.sync || type === FRONTEND.functionCall)
      this.#awaitsReady = true;
  }

  #takeQuery(frame: Frame): boolean {
    const { bytes, start, end } = frame;
    const textEnd = cstringEnd(bytes, start + HEADER, end);
    const plan = this.#reads.planOf(textOf(bytes, start + HEADER, textEnd < 0 ? end : textEnd));
    if (this.#state === "rest" && plan.routing !== undefined && this.#isAnswered(plan.routing)) return true;
    this.batch.plans.push(plan);
    // Behind messages of an extended query without a Sync: all go the same way.
    if (this.#state === "gathering") return this.#passGathered("open-batch", frame);
    const decision = this.#placement.decide();
    if (decision.kind === "primary" && !decision.isFallback) {
      this.batch.clear();
      this.session.wrote = true;
      return this.#count(decision.reason);
    }
    this.batch.bytes.add(bytes, start, end);
    this.#begin();
    return true;
  }

  #isAnswered(statement: RoutingStatement): boolean {
    return answerRouting(this.client, this.#reads, this.session, statement);
  }

  /** What has been gathered goes to the primary, and `frame` behind it. */
  #passGathered(reason: ReadReason, frame: Frame): boolean {
    if (this.#state !== "gathering") {
      this.batch.forgetUnnamed();
      this.session.wrote = true;
      return this.#count(reason);
    }
    this.#placement.forced = reason;
    this.session.wrote = true;
    if (this.#begin()) return false;
    this.client.input.wait(frame);
    return true;
  }

  #count(reason: ReadReason): false {
    this.#reads.count(reason);
    return false;
  }

  // --- its way to a server ----------------------------------------------------------------------------------------

  /** Sets out. True: it has gone out already. */
  #begin(): boolean {
    this.#state = "placing";
    this.#placement.begin();
    const { server, isSettling } = this.client;
    if (!this.#isDue || server === undefined || isSettling) return false;
    this.feed(server);
    return true;
  }

  /** A batch that was lost or refused sets out again. */
  goOn(): void {
    this.#placement.goOn();
  }

  /** Its placement has found a pool for the batch. */
  acquire(pool: Pool): void {
    this.#isDue = true;
    this.client.acquire(pool);
  }

  /** The session goes on. */
  shed(error: ErrorReply): void {
    this.#over();
    refuse(this.client, error);
  }

  // --- the batch --------------------------------------------------------------------------------------------------

  /** The client has its server connection: the batch goes out. */
  feed(server: ServerConnection): void {
    this.#isDue = false;
    this.#state = "sent";
    this.#placement.sent();
    const isKept = this.#placement.forced !== "open-batch" && this.#placement.forced !== "long-batch";
    this.#holds = this.#placement.replica !== undefined && isKept;
    this.#awaitsReady = this.#placement.replica !== undefined;
    if (this.#holds) server.held = this;
    this.#isFeeding = true;
    const { bytes, length } = this.batch.bytes;
    for (let at = 0; at < length && !this.client.isClosed; ) {
      const end = at + 1 + int32At(bytes, at + 1);
      passRequest(this.client, { type: bytes[at] ?? 0, bytes, start: at, end, rest: 0 }, true);
      at = end;
    }
    this.#isFeeding = false;
  }

  /** Holds an answer back; false: it is too much, and all goes to the client from now on. */
  hold(server: ServerConnection, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#held.length + end - start > HELD_BYTES_MAX) {
      this.release(server);
      return false;
    }
    this.#held.add(bytes, start, end);
    return true;
  }

  /** What was held back goes to the client. The batch cannot be run elsewhere any more. */
  release(server: ServerConnection): void {
    server.held = undefined;
    this.#holds = false;
    if (this.#held.length > 0 && !this.drops)
      this.client.batch.addCopy(this.#held.bytes, 0, this.#held.length);
    this.#held.clear();
  }

  /** The replica has answered with an error. True: nobody is to see it, since the batch goes elsewhere. */
  failed(error: ErrorFields): boolean {
    const isTransaction = this.batch.plans.some(({ reason }) => reason === "read-only-transaction");
    const reason = whyElsewhere(error, isTransaction);
    if (reason === undefined) return false;
    // Its connection ends, and `lost` follows.
    if (reason === "replica-lost") return true;
    if (reason === "serializable") this.session.refusedAsSerializable(this.client.context.clock.nowMs());
    if (reason === "replica-refused") {
      this.#reads.refused(this.batch.plans, this.client.pool.database);
      this.session.wrote = true;
    }
    this.#placement.forced = reason;
    this.drops = true;
    return true;
  }

  /** The answer is over. The client's messages that had to wait are read on afterwards (`goOn`). */
  answered(): void {
    this.#awaitsReady = false;
  }

  /** The client has given its server connection back. */
  detached(): void {
    if (this.drops) {
      this.#placement.leaveReplica(false);
      this.#again();
    } else if (this.#state === "sent") {
      this.#placement.leaveReplica(true);
      this.#over();
    }
  }

  /**
   * The server connection is gone, with the batch or before it went out. True: it goes elsewhere, or the client has been told and its
   * session goes on.
   */
  lost(server: ServerConnection | undefined, error: ErrorReply): boolean {
    if (this.#state !== "sent" && !this.#placement.isQueued) return false;
    if (!this.#placement.lost(error)) return false;
    if (this.#state === "placing" || this.#holds) {
      this.#again();
      return true;
    }
    // Some of the answer has been passed on. Between two messages there is room for an error.
    if (server === undefined || !server.scanner.isBetween || server.status !== TRANSACTION.idle) return false;
    this.shed({ ...error, severity: "ERROR" });
    return true;
  }

  /** Its server connection was lost. What had not gone out sets out again. */
  primaryLost(): void {
    if (this.#state === "placing") this.#again();
    else this.#over();
  }

  /** There is no primary to run the batch. Whether it was whole, so that its answer ends with a ReadyForQuery. */
  giveUp(): boolean {
    const { bytes, length } = this.batch.bytes;
    let last = 0;
    for (let at = 0; at < length; at += 1 + int32At(bytes, at + 1)) last = bytes[at] ?? 0;
    this.#over();
    return last === FRONTEND.sync || last === FRONTEND.query;
  }

  /** The batch sets out once more. What its messages changed in the session is undone. */
  #again(): void {
    this.batch.forgetNames();
    this.#held.clear();
    this.#holds = this.drops = this.#awaitsReady = this.#isDue = false;
    this.#state = "placing";
    this.#placement.again();
  }

  /** Nothing is under way any more. */
  #over(): void {
    this.#state = "rest";
    this.batch.clear();
    this.#held.clear();
    this.#isDue = this.#awaitsReady = this.#holds = this.drops = false;
    this.#placement.clear();
  }

  /** Its user has cancelled what waits. True: it was waiting here. */
  cancel(): boolean {
    if (!this.#placement.waits) return false;
    this.shed(routerError("cancelled"));
    return true;
  }

  /** The client is gone. */
  closed(): void {
    this.#over();
  }
}
