/**
 * What `pool.connect()` gives: a client as pg has it, which takes a connection for each statement and keeps one while that matters.
 *
 * Outside of transactions each statement finds its own connection: reads on a replica, all else on the primary. Within one, and
 * once something is left in the session (SET, LISTEN, a temporary table), all go where it began until `release`.
 */
import { EventEmitter } from "node:events";
import { codeOf, isConnectionLoss } from "../../postgres/index.ts";
import type { TextFacts } from "../../sql/index.ts";
import { isConflict, isReplicaRefusal, UnknownOutcomeError } from "../errors.ts";
import { isRepeatable, type SessionStep, sessionStep } from "../route.ts";
import { cancelled, orAborted } from "./cancellation.ts";
import type { Core, Terms } from "./core.ts";
import type { Query, QueryAnswer, QueryConfig, Submittable } from "./query.ts";
import type { Lease } from "./server.ts";

type Callback = (error: unknown, answer?: QueryAnswer) => void;

interface Call {
  readonly text: string;
  readonly values: unknown[] | undefined;
  /** All that pg gets, where that is more than a text and values. */
  readonly config: { readonly name?: string | undefined } | undefined;
  readonly facts: TextFacts;
  readonly step: SessionStep;
  readonly signal: AbortSignal | undefined;
  /** The statement's own, where it has hints. */
  readonly terms: Terms | undefined;
}

/** As pg says it. */
const CLOSED = "Client was closed and is not queryable";

/** Tries of one statement whose connections are lost, or that meets replicas only. */
const TRIES_MAX = 5;

/** Events of a connection, as pg's clients have them. */
const EVENTS = ["notification", "notice", "error", "end"] as const;

/**
 * A client with the connections it needs at the time. It emits "notification", "notice", "error" and "end" of the connection that it keeps,
 * "error" only where somebody listens.
 *
 * An EventEmitter because pg's client is one: libraries ask for all of its methods.
 */
export class RoutedClient extends EventEmitter {
  readonly #core: Core;
  #last: Promise<unknown> = Promise.resolve();
  #pinned: Lease | undefined;
  #inTransaction = false;
  #keeps = false;
  /** A stream ran outside of a transaction. COPY may have written. */
  #streams = false;
  #isReleased = false;
  /** Why statements that are issued now are refused. */
  #refusal: string | undefined;
  /** The connection it kept was lost: what follows must not run on another one, outside of the transaction that it belongs to. */
  #isDead = false;

  // What pg's types have of a client with one connection. "never": not here; it makes this class fit where a library asks for theirs.
  declare readonly connection: never;
  declare readonly host: never;
  declare readonly port: never;
  declare readonly ssl: never;
  declare readonly pipeline: never;
  declare readonly connect: never;
  declare readonly end: never;
  declare readonly copyFrom: never;
  declare readonly copyTo: never;
  declare readonly pauseDrain: never;
  declare readonly resumeDrain: never;
  declare readonly setTypeParser: never;
  declare readonly getTypeParser: never;

  constructor(core: Core) {
    super();
    this.#core = core;
  }

  /** As pg's `query`: a text or an object, values, a callback; cursors and streams too, on the primary. */
  readonly query: Query = ((config: unknown, values?: unknown, callback?: unknown): unknown =>
    this.#query(config, values, callback)) as Query;

  /** A name in SQL: `"users"`. */
  escapeIdentifier(text: string): string {
    return this.#core.options.driver.escapeIdentifier(text);
  }

  /** A text in SQL: `'Ann'`. A value of a query needs no escaping. */
  escapeLiteral(text: string): string {
    return this.#core.options.driver.escapeLiteral(text);
  }

  /** "I" outside of a transaction, "T" in one, "E" in one that has failed. */
  getTransactionStatus(): "I" | "T" | "E" {
    return this.#pinned?.client.getTransactionStatus?.() ?? (this.#inTransaction ? "T" : "I");
  }

  #query(config: unknown, values: unknown, callback: unknown): unknown {
    const refused = this.#refusal === undefined ? undefined : new Error(this.#refusal);
    if (isSubmittable(config)) {
      const submitted =
        refused === undefined
          ? this.#inOrder(() => this.#submit(config, values, callback))
          : Promise.reject(refused);
      submitted.catch((error: unknown) => config.handleError?.(error as Error));
      return config;
    }
    const call = this.#callOf(config, values);
    const heard = [callback, values, (config as { callback?: unknown }).callback].find(
      (each) => typeof each === "function",
    ) as Callback | undefined;
    const answer = refused === undefined ? this.#inOrder(() => this.#start(call)) : Promise.reject(refused);
    if (heard === undefined) return answer;
    answer.then(
      (value) => heard(null, value),
      (error: unknown) => heard(error),
    );
    return undefined;
  }

  /** Refuses all statements from here on. */
  refuse(why: string): void {
    this.#refusal = why;
  }

  /** Gives the connection back; with an error or `true` it is closed. */
  release(destroy?: Error | boolean): void {
    if (this.#isReleased)
      throw new Error("Release called on client which has already been released to the pool.");
    this.#isReleased = true;
    this.#refusal ??= CLOSED;
    const end = (): void => this.#unpin(destroy !== undefined && destroy !== false);
    this.#last.then(end, end);
  }

  // --- statements ---------------------------------------------------------------------------------------------

  #inOrder<R>(issue: () => Promise<R>): Promise<R> {
    const turn = this.#last.then(issue);
    this.#last = turn.catch(() => {});
    return turn;
  }

  #callOf(given: unknown, values: unknown): Call {
    const list = Array.isArray(values) ? (values as unknown[]) : undefined;
    if (typeof given === "string") return this.#call(given, list);
    const { text, signal, consistency, maxLag, target, ...rest } = (given ?? {}) as Partial<QueryConfig>;
    if (typeof text !== "string") throw new TypeError("a query needs a text");
    return {
      ...this.#call(text, undefined),
      config: {
        ...rest,
        ...(list === undefined ? {} : { values: list }),
        ...({ callback: undefined } as object),
      },
      signal,
      terms: this.#core.hintedTerms({ consistency, maxLag, target }),
    };
  }

  #call(text: string, values: unknown[] | undefined): Call {
    const facts = this.#core.statements.of(text);
    const step = sessionStep(facts);
    return { text, values, config: undefined, facts, step, signal: undefined, terms: undefined };
  }

  #start(call: Call): Promise<QueryAnswer> {
    return call.terms === undefined ? this.#run(call) : this.#core.within(call.terms, () => this.#run(call));
  }

  async #run(call: Call): Promise<QueryAnswer> {
    if (this.#isDead) throw new Error(CLOSED);
    call.signal?.throwIfAborted();
    if (this.#pinned !== undefined) {
      this.#core.count(this.#inTransaction ? "in-transaction" : "session-pinned");
      return this.#onPinned(this.#pinned, call);
    }
    const reading = this.#core.functionsFirst();
    if (reading !== undefined) await reading;
    const { to } = this.#core.route(call.text, call.facts);
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
      const found = await orAborted(this.#core.replicaLease(), call.signal, (late) => late?.lease.release());
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
        lease.release(isLost || isLeftOpen(call));
        if (isLost) {
          replica.failed();
          fellBack.lost += 1;
          continue;
        }
        // 40001: replay needed what the query was reading.
        if (isReplicaRefusal(error)) this.#core.refuse(call.text);
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
      const lease = await orAborted(primary.acquire(), call.signal, (late) => late.release());
      try {
        return await this.#send(lease, call);
      } catch (error) {
        const isLost = isConnectionLoss(error);
        lease.release(isLost || isLeftOpen(call));
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
  #isRepeatable({ facts, step }: Call): boolean {
    if (step.transaction === "begun" && !step.commits && !step.pins) return true;
    return isRepeatable(facts, this.#core.volatile);
  }

  #unknown(error: unknown, call: Call): unknown {
    if (!call.step.commits && this.#isRepeatable(call)) return error;
    this.#core.counters.unknown += 1;
    return new UnknownOutcomeError(error);
  }

  /** Sends it; afterwards the connection is kept or given back, as the statement leaves it. Throws with it still in hand. */
  async #send(lease: Lease, call: Call): Promise<QueryAnswer> {
    const { config, values, signal } = call;
    const core = this.#core;
    const isNamed = config?.name !== undefined;
    let { text } = call;
    if (core.options.hints) {
      if (isNamed) await core.setHints(lease);
      else if (!this.#inTransaction) text = await core.hinted(text);
    }
    const query = (): Promise<QueryAnswer | QueryAnswer[]> => {
      const answer =
        config === undefined ? lease.client.query(text, values) : lease.client.query({ ...config, text });
      return answer as Promise<QueryAnswer | QueryAnswer[]>;
    };
    const answer = await cancelled(lease, signal, core.options.scheduler, query);
    lease.server.answers += 1;
    this.#settle(lease, call.step);
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
      for (const event of EVENTS)
        lease.client.on(event, (...values: unknown[]) => {
          if (this.listenerCount(event) > 0) this.emit(event, ...values);
        });
    }
    if (this.#inTransaction || this.#keeps) this.#pinned = lease;
    else if (this.#pinned === lease) this.#pinned = undefined;
  }

  /** A commit's position is learned, and the connection given back. */
  #afterCommit(lease: Lease, { facts, step }: Call, answer: QueryAnswer | QueryAnswer[]): void {
    const core = this.#core;
    const mayHaveWritten = lease.inRecovery() !== true && !isRepeatable(facts, core.volatile);
    const isDone = step.commits || (!this.#inTransaction && step.transaction !== "begun");
    const isRolledBack = !Array.isArray(answer) && answer.command === "ROLLBACK";
    const isKept = lease === this.#pinned;
    if (mayHaveWritten && isDone && !isRolledBack) {
      const { causality } = core.terms;
      if (isKept) core.committedBehind(lease, causality);
      else core.committed(lease, causality);
    } else if (!isKept) lease.release();
  }

  /** Closes what may not be used by others: a session with something left in it, or a transaction that is open. */
  #unpin(broken: boolean): void {
    const lease = this.#pinned;
    this.#pinned = undefined;
    const isUnfit = broken || this.#keeps || this.#inTransaction;
    if (lease !== undefined && this.#streams && !broken)
      this.#core.committedBehind(lease, this.#core.terms.causality, () => lease.release(true));
    else lease?.release(isUnfit);
    this.#keeps = false;
    this.#streams = false;
  }

  async #submit(config: Submittable, values: unknown, callback: unknown): Promise<void> {
    if (this.#isDead) throw new Error(CLOSED);
    this.#core.count("stream");
    if (this.#pinned === undefined) {
      this.#pinned = await this.#core.options.primary.acquire();
      this.#keeps = true; // nobody hears when it ends
      this.#streams = true;
    }
    this.#pinned.client.query(config, values, callback);
  }
}

/** A text that failed may have begun a transaction or set something before that; the server says how it stands only after the error. */
function isLeftOpen({ step }: Call): boolean {
  return step.transaction !== "same" || step.pins;
}

/** pg-cursor and pg-query-stream are told of errors so. */
interface Fallible extends Submittable {
  readonly handleError?: (error: Error) => void;
}

function isSubmittable(config: unknown): config is Fallible {
  return typeof config === "object" && config !== null && "submit" in config;
}
