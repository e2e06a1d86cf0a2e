/** Questions of other members that wait for their answer: a vote is answered when the server has kept its promise. */
import type { Scheduler } from "../../../base/index.ts";
import type { Answer } from "../../failover/questions.ts";

/** Whoever asked has asked again by then. */
const WAIT_MS = 3_000;

/** A cluster has few members, and each asks a few times a second while it is a candidate. */
const WAITING_MAX = 256;

export class Ballots {
  readonly #scheduler: Scheduler;
  readonly #waiting = new Map<string, (answer: Answer | undefined) => void>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The answer to question `id` of `from`; undefined when there is none in time. */
  wait(from: string, id: number): Promise<Answer | undefined> {
    const key = keyOf(from, id);
    this.#waiting.get(key)?.(undefined);
    if (this.#waiting.size >= WAITING_MAX) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined): void => {
        cancel();
        if (this.#waiting.get(key) === settle) this.#waiting.delete(key);
        resolve(answer);
      };
      const cancel = this.#scheduler.after(WAIT_MS, () => settle(undefined));
      this.#waiting.set(key, settle);
    });
  }

  /** Answers `from`; does nothing when it does not wait any more. */
  answer(from: string, answer: Answer): void {
    this.#waiting.get(keyOf(from, answer.id))?.(answer);
  }
}

function keyOf(from: string, id: number): string {
  return `${from} ${id}`;
}
