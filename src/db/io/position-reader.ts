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
  readonly answer: Promise<Position>;
  readonly resolve: (position: Position | PromiseLike<Position>) => void;
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
      return next.answer;
    }
    const question = questionOn(lease);
    if (this.#underWay === 0) void this.#send(question);
    else {
      this.#next = question;
      question.cancel = this.#scheduler.after(PATIENCE_MS, () => this.#sendNext());
    }
    return question.answer;
  }

  #sendNext(): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    next.cancel();
    void this.#send(next);
  }

  async #send({ lease, resolve }: Question): Promise<void> {
    this.#underWay += 1;
    const asked = this.#ask(lease);
    resolve(asked);
    try {
      await asked;
      lease.release();
    } catch (error) {
      lease.release(isConnectionLoss(error)); // whoever waits is told
    }
    this.#underWay -= 1;
    this.#sendNext();
  }
}

function questionOn(lease: Lease): Question {
  let resolve: Question["resolve"] = () => {};
  const answer = new Promise<Position>((settle) => (resolve = settle));
  answer.catch(() => {});
  return { answer, resolve, lease, cancel: () => {} };
}
