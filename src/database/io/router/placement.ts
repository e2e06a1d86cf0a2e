/**
 * One batch's way to a pool: what `decide` wants to know is asked for, what it says is done.
 *
 *   none -> asking (how far is the primary) -> watching (has a replica replayed it) -> admission -> queued at a pool -> none
 *
 * A batch that was lost or refused sets out "again", with what has been tried.
 */
import { timerEntry } from "../../../base/index.ts";
import type { ErrorReply, Lsn } from "../../../pgwire/index.ts";
import { chooseReplica } from "../../reads/choose.ts";
import type { Decision } from "../../reads/decide.ts";
import type { ReadSession } from "../../reads/read-session.ts";
import type { ReadReason } from "../../reads/reasons.ts";
import type { Replica } from "../../reads/replica.ts";
import { routerError } from "../../router/refusals.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { GatheredBatch } from "./gathered-batch.ts";
import type { Pool } from "./pool.ts";
import type { PrimaryPosition } from "./position-queries.ts";
import type { Reads } from "./reads.ts";

type State = "none" | "asking" | "watching" | "admission" | "queued" | "again";

/** Whose batch it is. */
export interface PlacementOwner {
  readonly client: ClientConnection;
  readonly session: ReadSession;
  readonly batch: GatheredBatch;
  /** A connection of this pool is wanted. */
  acquire(pool: Pool): void;
  /** The primary has enough of its kind. */
  shed(error: ErrorReply): void;
}

export class Placement {
  /** The replica that it waits for, or that runs it. */
  replica: Replica | undefined;
  /** Reason for which it must go to the primary, whatever `decide` would say. */
  forced: ReadReason | undefined;
  readonly #owner: PlacementOwner;
  readonly #reads: Reads;
  #state: State = "none";
  /** Grows with each step, so that an answer which came too late is known. */
  #turn = 0;
  readonly #tried = new Set<Replica>();
  #asked: Lsn | "unknown" | undefined;
  #isWaitOver = false;
  #untilMs = 0;
  #sentMs = 0;
  #isAdmitted = false;
  #epoch = 0;
  readonly #timer = timerEntry(() => this.#turnTimedOut());

  constructor(owner: PlacementOwner, reads: Reads) {
    this.#owner = owner;
    this.#reads = reads;
  }

  /** It waits here, not in a pool's queue. */
  get waits(): boolean {
    return this.#state === "asking" || this.#state === "watching" || this.#state === "admission";
  }
  get isQueued(): boolean {
    return this.#state === "queued";
  }

  /** A new batch sets out. */
  begin(): void {
    this.#untilMs = this.#nowMs + this.#reads.waitMs;
    this.#dispatch();
  }

  /** One that was lost or refused sets out again. */
  goOn(): void {
    if (this.#state === "again") this.#dispatch();
  }

  decide(): Decision {
    const { session, batch, client } = this.#owner;
    if (this.#epoch !== this.#reads.epoch) {
      this.#epoch = this.#reads.epoch;
      session.after = 0n;
      session.wrote = true;
    }
    const { plans } = batch;
    const known = { plans, asked: this.#asked, isWaitOver: this.#isWaitOver, tried: this.#tried };
    return this.#reads.decide(known, session, client.pool.database);
  }

  /** It has its server connection. */
  sent(): void {
    this.#state = "none";
    this.#sentMs = this.#nowMs;
  }

  /** Its replica was lost, or refused the connection: it will not be tried again. False: it had none. */
  lost(error: ErrorReply): boolean {
    const { replica } = this;
    if (replica === undefined) return false;
    this.#tried.add(replica);
    this.#reads.failed(replica, error);
    this.leaveReplica(false);
    return true;
  }

  /** It will set out once more, with the next `goOn` or within the step under way. */
  again(): void {
    this.#state = "again";
  }

  /** Its replica has nothing to do with it any more. */
  leaveReplica(isAnswered: boolean): void {
    const { replica } = this;
    if (replica === undefined) return;
    this.replica = undefined;
    replica.inFlight--;
    if (isAnswered) replica.took(this.#nowMs - this.#sentMs, this.#nowMs);
  }

  /** The batch is over, or given up. */
  clear(): void {
    this.#owner.client.context.wheel.cancel(this.#timer);
    if (this.#state === "admission") this.#reads.admission.leave(this);
    this.leaveReplica(false);
    this.#state = "none";
    this.#turn++;
    this.#tried.clear();
    this.#asked = undefined;
    this.forced = undefined;
    this.#isWaitOver = false;
    this.#giveTurnBack();
  }

  get #nowMs(): number {
    return this.#owner.client.context.clock.nowMs();
  }

  // --- steps ------------------------------------------------------------------------------------------------------

  /** Goes on until it has to wait; called again by what it waits for. */
  #dispatch(): void {
    do this.#step();
    while (this.#state === "again");
  }

  #step(): void {
    this.#state = "queued";
    const turn = ++this.#turn;
    if (this.forced !== undefined) return this.#toPrimary(this.forced, this.#isAdmitted);
    const decision = this.decide();
    switch (decision.kind) {
      case "ask":
        this.#state = "asking";
        return this.#reads.position((position) => {
          if (this.#turn === turn) this.#positionKnown(position);
        });
      case "wait":
        this.#state = "watching";
        return this.#reads.watch(decision.lsn, this.#untilMs, (isWaitOver) => {
          if (this.#turn !== turn) return;
          this.#isWaitOver = isWaitOver;
          this.#proceed();
        });
      case "replica":
        return this.#toReplica(decision.candidates, decision.reason);
      case "primary":
        if (!decision.isFallback && decision.reason !== "no-statement") this.#owner.session.wrote = true;
        return this.#toPrimary(decision.reason, decision.isFallback);
    }
  }

  #positionKnown(position: PrimaryPosition | undefined): void {
    const { session } = this.#owner;
    const isUnwaited = session.commitsUnwaited || this.#reads.commitsUnwaited;
    const lsn = isUnwaited ? position?.inserted : position?.flushed;
    this.#asked = lsn ?? "unknown";
    if (lsn !== undefined && this.#epoch === this.#reads.epoch) session.knows(lsn);
    this.#proceed();
  }

  /** What it waited for has come. */
  #proceed(): void {
    this.#dispatch();
    this.#owner.client.readOn();
  }

  #toReplica(candidates: readonly Replica[], reason: ReadReason): void {
    const { client } = this.#owner;
    const replica = chooseReplica(candidates, client.context.random);
    if (replica === undefined) return;
    this.replica = replica;
    replica.inFlight++;
    this.#reads.count(reason);
    this.#owner.acquire(this.#reads.poolOf(client.pool, replica));
  }

  #toPrimary(reason: ReadReason, isBounded: boolean): void {
    this.forced = reason;
    if (isBounded && !this.#isAdmitted && !this.#takesTurn()) return;
    this.#reads.count(reason);
    this.#owner.acquire(this.#owner.client.pool);
  }

  // --- its turn on the primary ------------------------------------------------------------------------------------

  #takesTurn(): boolean {
    const { admission } = this.#reads;
    const admitted = admission.ask(this);
    if (admitted === "refused") this.#shed("too many of them wait");
    if (admitted === "waits") {
      this.#state = "admission";
      this.#owner.client.context.wheel.schedule(this.#timer, admission.limits.queueMs);
    }
    this.#isAdmitted = admitted === "admitted";
    return this.#isAdmitted;
  }

  /** Its turn has come. */
  admitted(): void {
    this.#owner.client.context.wheel.cancel(this.#timer);
    this.#isAdmitted = true;
    this.#proceed();
  }

  /** It has waited for its turn as long as it may. */
  #turnTimedOut(): void {
    this.#shed("their turn did not come in time");
    this.#owner.client.readOn();
  }

  #shed(why: string): void {
    this.#reads.count("reads-shed");
    this.#owner.shed(routerError("reads-shed", `${this.forced ?? "replicas-down"}; ${why}`));
  }

  #giveTurnBack(): void {
    if (!this.#isAdmitted) return;
    this.#isAdmitted = false;
    this.#reads.admission.done();
  }
}
