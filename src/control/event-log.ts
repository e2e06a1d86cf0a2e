/** What happened lately, for people: a bounded list that `status` and the console show; the log has all of it. */

/** Something that happened to a service or a task. */
export interface ControlEvent {
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

  add(event: ControlEvent): void {
    this.#events.push(event);
    if (this.#events.length >= 2 * EVENTS_MAX) this.#events = this.#events.slice(-EVENTS_MAX);
  }

  list(): readonly ControlEvent[] {
    return this.#events.slice(-EVENTS_MAX);
  }
}
