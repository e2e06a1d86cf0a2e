/** What the console sees of one worker, and does to it. */
import type { PausedNames } from "../../../router/console/facts.ts";
import type { StateDetail, WorkerState } from "../../../router/console/state.ts";
import type { RouterSettings } from "../router-settings.ts";
import { kill, renew } from "./pausing.ts";
import { type ShownWorker, stateOf } from "./worker-state.ts";

const NOT_PAUSED: PausedNames = { all: false, databases: [] };

export class WorkerConsole {
  readonly #worker: ShownWorker;
  readonly #workerId: number;

  constructor(worker: ShownWorker, { workerId, paused = NOT_PAUSED }: RouterSettings) {
    this.#worker = worker;
    this.#workerId = workerId;
    this.pause(paused);
  }

  /** Where the worker stands. `memoryBytes`: of its process. */
  state(detail: StateDetail, memoryBytes: number): WorkerState {
    return stateOf(this.#worker, detail, { worker: this.#workerId, memoryBytes });
  }

  /** Statements of these databases wait from now on, and of no others. */
  pause(names: PausedNames): void {
    this.#worker.context.paused.set(names, this.#worker.allPools);
  }

  /** New server connections take the place of those there are, as they come free. Default: of all databases. */
  reconnect(database?: string): void {
    const { allPools } = this.#worker;
    renew(allPools.filter((pool) => database === undefined || pool.database === database));
  }

  /** Cuts all clients of a database, and its server connections. */
  kill(database: string): void {
    kill(database, this.#worker.clients, this.#worker.allPools);
  }
}
