/** What happened lately, for people: a bounded list that `status` and the console show; the log has all of it. */

/** Something that happened to a service or a task. */
export interface ControlEvent {
  /** Grows by one from event to event, from 1 at start of the controller. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Literal, as in the log. */
  readonly kind: string;
  readonly service?: string;
  readonly task?: string;
  readonly message: string;
}

/** Events kept: a day of a calm system, an hour of a busy one. */
const EVENTS_MAX = 1000;

/** The last events, oldest first. */
export class EventLog {
  #events: ControlEvent[] = [];
  #last = 0;

  add(event: Omit<ControlEvent, "number">): void {
    this.#last += 1;
    this.#events.push({ number: this.#last, ...event });
    if (this.#events.length >= 2 * EVENTS_MAX) this.#events = this.#events.slice(-EVENTS_MAX);
  }

  /** Those that came after the one with this number. */
  list(after = 0): readonly ControlEvent[] {
    return this.#events.slice(-EVENTS_MAX).filter((event) => event.number > after);
  }
}
