/**
 * A loop that does one thing at a time: jobs in order of arrival, then a round over everything, again as long as a
 * round finds something to do. A job that fails is tried again after the next wake; nothing overtakes it.
 */

/** Rounds in a row without a pause; a pause lets sockets and timers have their turn. */
const ROUNDS_MAX = 20;

/** The queue and its loop. */
export class SerialQueue {
  readonly #round: () => Promise<boolean>;
  readonly #onProblem: (problem: unknown) => void;
  readonly #jobs: (() => Promise<void>)[] = [];
  #running = false;
  #finished: Promise<void> = Promise.resolve();
  #woken = false;
  #closed = false;

  /** `round` tells whether it did anything. */
  constructor(round: () => Promise<boolean>, onProblem: (problem: unknown) => void) {
    this.#round = round;
    this.#onProblem = onProblem;
  }

  /** Adds a job that must be done, however often it fails at first. */
  add(job: () => Promise<void>): void {
    this.#jobs.push(job);
    this.wake();
  }

  /** Runs a job in its turn and gives its outcome, or its failure, to the caller. */
  run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error("the controller has stopped"));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.add(() => job().then(resolve, reject));
    return promise;
  }

  /** Asks for a round. */
  wake(): void {
    this.#woken = true;
    if (this.#running || this.#closed) return;
    this.#running = true;
    this.#finished = this.#work();
  }

  async #work(): Promise<void> {
    try {
      for (let rounds = 0; this.#woken && rounds < ROUNDS_MAX && !this.#closed; rounds += 1) {
        this.#woken = false;
        await this.#doJobs();
        this.#woken = (await this.#round()) || this.#woken;
      }
    } catch (problem) {
      this.#onProblem(problem);
    } finally {
      this.#running = false;
    }
  }

  async #doJobs(): Promise<void> {
    for (let job = this.#jobs[0]; job !== undefined && !this.#closed; job = this.#jobs[0]) {
      await job();
      this.#jobs.shift();
    }
  }

  /** Waits for what is under way; nothing is done after. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#finished;
  }
}
