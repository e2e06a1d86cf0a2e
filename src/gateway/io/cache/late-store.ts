/** A response that found the store busy: tried again a little later, and forgotten if that does not help. */
import type { TimerEntry, TimerWheel } from "../../../base/index.ts";
import { ownHead } from "../../../edge/index.ts";
import type { Edge } from "./edge.ts";
import type { Keeping } from "./keeping.ts";

/** Other workers hold the store's lock for microseconds; a tick later they are done, unless one of them was stopped. */
const AGAIN_MS = 50;
const TRIES_MAX = 20;

export class LateStore implements TimerEntry {
  readonly #edge: Edge;
  readonly #wheel: TimerWheel;
  readonly #keeping: Keeping;
  #tries = 0;

  // Links of the timer wheel.
  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick = 0;

  /** Copies head and body, which may be borrowed. */
  constructor(edge: Edge, wheel: TimerWheel, keeping: Keeping) {
    this.#edge = edge;
    this.#wheel = wheel;
    const body = keeping.body.map(({ bytes, start, end }) => ({
      bytes: bytes.slice(start, end),
      start: 0,
      end: end - start,
    }));
    const head = ownHead(keeping.head);
    this.#keeping = { ...keeping, head, body };
  }

  wait(): void {
    if (this.#tries++ < TRIES_MAX) this.#wheel.schedule(this, AGAIN_MS);
  }

  onTimer(): void {
    if (!this.#edge.put(this.#keeping)) this.wait();
  }
}
