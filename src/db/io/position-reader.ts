/**
 * Asks one server for the positions of commits.
 *
 * A question stands for all commits that were acknowledged before it was sent. So one is under way at a time, and the commits that come
 * meanwhile share the next one: many writers cost little more than their writes.
 */
import type { Cancel, Scheduler } from "../../base/index.ts";
import { isConnectionLoss } from "../../postgres/index.ts";
import type { Lease } from "./server.ts";

/** A position in the log. */
type Position = bigint | undefined;

/** Asks on a connection. */
export type AskPosition = (lease: Lease) => Promise<Position>;

interface Question {
  readonly answer: ReturnType<typeof Promise.withResolvers<Position>>;
  /** On which it will be asked: of the last of its commits. */
  lease: Lease;
  cancel: Cancel;
}

/** A question that is under way for longer keeps the next one waiting no more: its connection may be dead. Far networks answer in this time. */
const PATIENCE_MS = 200;

/** The reader of one server. */
export class PositionReader {
  readonly #ask: AskPosition;
  readonly #scheduler: Scheduler;
  #underWay = 0;
  #next: Question | undefined;

  constructor(ask: AskPosition, scheduler: Scheduler) {
    this.#ask = ask;
    this.#scheduler = scheduler;
  }

  /** A position behind the commit that was acknowledged on `lease`, which is given back when it is not needed any more. */
  behind(lease: Lease): Promise<Position> {
    const next = this.#next;
    if (next !== undefined) {
      next.lease.release();
      next.lease = lease;
      return next.answer.promise;
    }
    const question: Question = { answer: Promise.withResolvers(), lease, cancel: () => {} };
    question.answer.promise.catch(() => {});
    if (this.#underWay === 0) void this.#send(question);
    else {
      this.#next = question;
      question.cancel = this.#scheduler.after(PATIENCE_MS, () => this.#sendNext());
    }
    return question.answer.promise;
  }

  #sendNext(): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    next.cancel();
    void this.#send(next);
  }

  async #send({ lease, answer }: Question): Promise<void> {
    this.#underWay += 1;
    try {
      answer.resolve(await this.#ask(lease));
      lease.release();
    } catch (error) {
      answer.reject(error);
      lease.release(isConnectionLoss(error));
    }
    this.#underWay -= 1;
    this.#sendNext();
  }
}
