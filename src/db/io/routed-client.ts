/**
 * What `pool.connect()` gives: a client as pg has it, which takes a connection for each statement and keeps one while that matters.
 *
 * Outside of transactions each statement finds its own connection: reads on a replica, all else on the primary. Within one, and
 * once something is left in the session (SET, LISTEN, a temporary table), all go where it began until `release`.
 */
import { EventEmitter } from "node:events";
import { codeOf, isConflict, isConnectionLoss, isReplicaRefusal, UnknownOutcomeError } from "../errors.ts";
import { isRepeatable, type SessionStep, sessionStep } from "../route.ts";
import type { Core } from "./core.ts";
import type { QueryAnswer } from "./driver.ts";
import type { Lease } from "./server.ts";

/** The object form of a query; other fields go to pg as they are. */
export interface QueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
  readonly name?: string | undefined;
  readonly callback?: undefined;
}

type Callback = (error: unknown, answer?: QueryAnswer) => void;

interface Call {
  readonly config: QueryConfig;
  readonly step: SessionStep;
}

/** Tries of one statement whose connections are lost, or that meets replicas only. */
const TRIES_MAX = 5;

/** A client with the connections it needs at the time. */
export class RoutedClient {
  readonly #core: Core;
  readonly #events = new EventEmitter();
  #last: Promise<unknown> = Promise.resolve();
  #pinned: Lease | undefined;
  #inTransaction = false;
  #keeps = false;
  #isReleased = false;
  /** The connection it kept was lost: what follows must not run on another one, outside of the transaction that it belongs to. */
  #isDead = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** As pg's `query`: a text or an object, values, a callback; cursors and streams too, on the primary. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg: a promise, or what was submitted
  query(config: unknown, values?: unknown, callback?: unknown): any {
    if (isSubmittable(config)) {
      void this.#inOrder(() => this.#submit(config, values, callback)).catch((error: unknown) =>
        config.handleError?.(error as Error),
      );
      return config;
    }
    const call = this.#callOf(config, values);
    const heard = [callback, values, (config as { callback?: unknown }).callback].find(
      (each) => typeof each === "function",
    ) as Callback | undefined;
    const closed = new Error("Client was closed and is not queryable");
    const answer = this.#isReleased ? Promise.reject(closed) : this.#inOrder(() => this.#run(call));
    if (heard === undefined) return answer;
    answer.then(
      (value) => heard(null, value),
      (error: unknown) => heard(error),
    );
    return undefined;
  }

  /** Gives the connection back; with an error or `true` it is closed. */
  release(destroy?: Error | boolean): void {
    if (this.#isReleased)
      throw new Error("Release called on client which has already been released to the pool.");
    this.#isReleased = true;
    const end = (): void => this.#unpin(destroy !== undefined && destroy !== false);
    this.#last.then(end, end);
  }

  /** "notification", "notice", "error", "end": of the connection that it keeps. */
  on(event: string, listener: (...values: unknown[]) => void): this {
    this.#events.on(event, listener);
    return this;
  }

  once(event: string, listener: (...values: unknown[]) => void): this {
    this.#events.once(event, listener);
    return this;
  }

  off(event: string, listener: (...values: unknown[]) => void): this {
    this.#events.off(event, listener);
    return this;
  }

  removeListener(event: string, listener: (...values: unknown[]) => void): this {
    return this.off(event, listener);
  }

  // --- statements ---------------------------------------------------------------------------------------------

  #inOrder<R>(issue: () => Promise<R>): Promise<R> {
    const turn = this.#last.then(issue);
    this.#last = turn.catch(() => {});
    return turn;
  }

  #callOf(config: unknown, values: unknown): Call {
    const given = typeof config === "string" ? { text: config } : (config as QueryConfig);
    if (typeof given?.text !== "string") throw new TypeError("a query needs a text");
    const list = Array.isArray(values) ? { values: values as unknown[] } : {};
    return {
      config: { ...given, ...list, callback: undefined },
      step: sessionStep(this.#core.statements.of(given.text)),
    };
  }

  async #run(call: Call): Promise<QueryAnswer> {
    if (this.#isDead) throw new Error("Client was closed and is not queryable");
    if (this.#pinned !== undefined) {
      this.#core.count(this.#inTransaction ? "in-transaction" : "session-pinned");
      return this.#onPinned(this.#pinned, call);
    }
    const { to } = await this.#core.route(call.config.text);
    if (to === "replica") {
      const answer = await this.#onReplica(call);
      if (answer !== undefined) return answer;
    }
    return this.#onPrimary(call);
  }

  async #onPinned(lease: Lease, call: Call): Promise<QueryAnswer> {
    try {
      return await this.#send(lease, call);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      this.#unpin(true);
      this.#isDead = true;
      // What COMMIT did nobody knows; all else of a transaction is undone with its connection.
      if (call.step.commits || !this.#inTransaction) throw this.#unknown(error, call);
      throw error;
    }
  }

  /** Undefined: the primary has to do it. A replica's answer is whole or none, so that a read may go elsewhere. */
  async #onReplica(call: Call): Promise<QueryAnswer | undefined> {
    const { fellBack } = this.#core.counters;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await this.#core.replicaLease();
      if (found === undefined) return undefined;
      const { lease, replica } = found;
      replica.inFlight += 1;
      replica.served += 1;
      try {
        const answer = await this.#send(lease, call);
        replica.answered();
        return answer;
      } catch (error) {
        const isLost = isConnectionLoss(error);
        lease.release(isLost);
        if (isLost) {
          replica.failed();
          fellBack.lost += 1;
          continue;
        }
        // 40001: replay needed what the query was reading.
        if (isReplicaRefusal(error)) this.#core.refuse(call.config.text);
        else if (isConflict(error)) fellBack.refused += 1;
        else throw error;
        return undefined;
      } finally {
        replica.inFlight -= 1;
      }
    }
    return undefined;
  }

  async #onPrimary(call: Call): Promise<QueryAnswer> {
    const { primary } = this.#core.options;
    for (let tries = 1; ; tries++) {
      const lease = await primary.acquire();
      try {
        return await this.#send(lease, call);
      } catch (error) {
        const isLost = isConnectionLoss(error);
        lease.release(isLost);
        const isDemoted = codeOf(error) === "25006" && lease.inRecovery() === true;
        if (isDemoted) primary.demoted(lease);
        const mayRepeat = isDemoted || (isLost && this.#isRepeatable(call));
        if (mayRepeat && tries < TRIES_MAX) {
          this.#core.counters.retried += 1;
          continue;
        }
        throw isLost && !this.#isRepeatable(call) ? this.#unknown(error, call) : error;
      }
    }
  }

  /** BEGIN that was lost began nothing that lasts. */
  #isRepeatable({ config, step }: Call): boolean {
    if (step.transaction === "begun" && !step.commits && !step.pins) return true;
    return isRepeatable(this.#core.statements.of(config.text), this.#core.volatile);
  }

  #unknown(error: unknown, call: Call): unknown {
    if (!call.step.commits && this.#isRepeatable(call)) return error;
    this.#core.counters.unknown += 1;
    return new UnknownOutcomeError(error);
  }

  /** Sends it; afterwards the connection is kept or given back, as the statement leaves it. Throws with it still in hand. */
  async #send(lease: Lease, call: Call): Promise<QueryAnswer> {
    const { config, step } = call;
    const core = this.#core;
    const isNamed = config.name !== undefined;
    if (isNamed) await core.setHints(lease);
    const text = isNamed || this.#inTransaction ? config.text : await core.hinted(config.text);
    const answer = (await lease.client.query({ ...config, text })) as QueryAnswer | QueryAnswer[];
    this.#settle(lease, step);
    this.#afterCommit(lease, call, answer);
    return answer as QueryAnswer;
  }

  #settle(lease: Lease, step: SessionStep): void {
    const status = lease.client.getTransactionStatus?.();
    if (status === undefined || status === null) {
      if (step.transaction !== "same") this.#inTransaction = step.transaction === "begun";
    } else this.#inTransaction = status !== "I";
    if (step.pins && !this.#keeps) {
      this.#keeps = true;
      for (const event of ["notification", "notice", "error", "end"])
        lease.client.on(event, (...values: unknown[]) => {
          if (this.#events.listenerCount(event) > 0) this.#events.emit(event, ...values);
        });
    }
    if (this.#inTransaction || this.#keeps) this.#pinned = lease;
    else if (this.#pinned === lease) this.#pinned = undefined;
  }

  /** A commit's position is learned on its own connection, which is given back after that. */
  #afterCommit(lease: Lease, { config, step }: Call, answer: QueryAnswer | QueryAnswer[]): void {
    const core = this.#core;
    const facts = core.statements.of(config.text);
    const mayHaveWritten = lease.inRecovery() !== true && !isRepeatable(facts, core.volatile);
    const isDone = step.commits || (!this.#inTransaction && step.transaction !== "begun");
    const give = (broken: boolean): void => {
      if (lease !== this.#pinned) lease.release(broken);
    };
    const isRolledBack = !Array.isArray(answer) && answer.command === "ROLLBACK";
    if (mayHaveWritten && isDone && !isRolledBack) core.committed(lease, core.terms.causality, give);
    else give(false);
  }

  /** Closes what may not be used by others: a session with something left in it, or a transaction that is open. */
  #unpin(broken: boolean): void {
    const lease = this.#pinned;
    this.#pinned = undefined;
    lease?.release(broken || this.#keeps || this.#inTransaction);
    this.#keeps = false;
  }

  async #submit(config: Submittable, values: unknown, callback: unknown): Promise<void> {
    this.#core.count("stream");
    if (this.#pinned === undefined) {
      this.#pinned = await this.#core.options.primary.acquire();
      this.#keeps = true; // nobody hears when it ends
    }
    this.#pinned.client.query(config, values, callback);
  }
}

interface Submittable {
  readonly submit: (connection: unknown) => void;
  readonly handleError?: (error: Error) => void;
}

function isSubmittable(config: unknown): config is Submittable {
  return typeof config === "object" && config !== null && "submit" in config;
}
