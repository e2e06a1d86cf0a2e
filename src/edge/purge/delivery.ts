/**
 * Who gets which entries of the purge log when: shields at once, edges once every shield has them. An edge that forgot first
 * could fetch the old response from a shield, and keep it.
 *
 * A shield that does not answer holds the edges up for `SHIELD_WAIT_MS` only. Whatever they were given without it may have come
 * back to them from there, so when it has caught up, those purges are to be repeated (see `Repeat`).
 */
import type { EdgeRole } from "../../config/index.ts";

/** How long edges wait for a shield that does not acknowledge: longer than one that lives takes, short for who waits. */
export const SHIELD_WAIT_MS = 2_000;

/** Purges to be appended to the log once more: these, or everything. */
export type Repeat = { readonly from: number; readonly to: number } | "everything";

/** What to send to a receiver: entries `from` to `to`; none when `from` is above `to`, to learn how far it is. */
export interface Due {
  readonly from: number;
  readonly to: number;
}

interface Receiver {
  readonly role: EdgeRole;
  /** Undefined until it has answered. */
  acked: number | undefined;
  /** Entries that edges were given though this shield had not acknowledged them. */
  owes: { from: number; to: number } | undefined;
}

export class Delivery {
  readonly #receivers = new Map<string, Receiver>();
  /** Entries that edges do not get yet, and when they came. */
  readonly #held: { readonly number: number; readonly atMs: number; readonly isRepeat: boolean }[] = [];
  #head: number;
  #released = 0;

  /** A log that is at `head` already: its entries are held once more, from `nowMs`. */
  constructor(head: number, nowMs: number) {
    this.#head = head;
    if (head > 0) this.#held.push({ number: head, atMs: nowMs, isRepeat: false });
  }

  get head(): number {
    return this.#head;
  }
  /** The latest entry that edges may have. */
  get released(): number {
    return this.#released;
  }
  /** When edges get more, should no shield acknowledge; undefined when nothing is held. */
  get releaseMs(): number | undefined {
    const [first] = this.#held;
    return first === undefined ? undefined : first.atMs + SHIELD_WAIT_MS;
  }
  get hasShields(): boolean {
    return [...this.#receivers.values()].some(({ role }) => role === "shield");
  }

  /** Receivers come and go with the config; of one that stays what is known is kept. */
  setReceivers(wanted: ReadonlyMap<string, EdgeRole>): void {
    for (const [name, { role }] of this.#receivers)
      if (wanted.get(name) !== role) this.#receivers.delete(name);
    for (const [name, role] of wanted)
      if (!this.#receivers.has(name)) this.#receivers.set(name, { role, acked: undefined, owes: undefined });
  }

  /** Entry `number` is in the log. One that repeats others waits for nobody: the shield that it is for has it already. */
  appended(number: number, nowMs: number, isRepeat: boolean): void {
    this.#head = number;
    this.#held.push({ number, atMs: nowMs, isRepeat });
  }

  /** What a receiver has to be sent now, if anything. */
  due(name: string, nowMs: number): Due | undefined {
    this.#release(nowMs);
    const receiver = this.#receivers.get(name);
    if (receiver === undefined) return undefined;
    const to = receiver.role === "shield" ? this.#head : this.#released;
    if (receiver.acked === undefined) return { from: to + 1, to };
    return receiver.acked < to ? { from: receiver.acked + 1, to } : undefined;
  }

  /** The latest entry that a receiver has acknowledged; undefined while it has not answered. */
  acked(name: string): number | undefined {
    return this.#receivers.get(name)?.acked;
  }

  /** A receiver has all up to `number`. What is to be repeated now. `droppedAll`: it has forgotten everything instead. */
  acknowledged(name: string, number: number, nowMs: number, droppedAll: boolean): Repeat | undefined {
    const receiver = this.#receivers.get(name);
    if (receiver === undefined) return undefined;
    const isFirst = receiver.acked === undefined;
    receiver.acked = number;
    if (receiver.role === "edge") return undefined;
    // What it lacked when it first answered, edges may have got from it until now.
    if (isFirst && number < this.#released) receiver.owes = { from: number + 1, to: this.#released };
    const { owes } = receiver;
    const isPaid = owes !== undefined && number >= owes.to;
    if (isPaid || droppedAll) receiver.owes = undefined;
    const repeat = isPaid ? owes : undefined;
    const all = droppedAll && this.#released > 0;
    this.#release(nowMs);
    return all ? "everything" : repeat;
  }

  /** Whether a shield still owes entry `number`: edges may have got back what it purged. */
  isOwed(number: number): boolean {
    return [...this.#receivers.values()].some(
      ({ owes }) => owes !== undefined && number >= owes.from && number <= owes.to,
    );
  }

  /** Lets edges have what every shield has, and what has waited long enough. */
  #release(nowMs: number): void {
    const shields = [...this.#receivers.values()].filter(({ role }) => role === "shield");
    const byAll = Math.min(...shields.map(({ acked }) => acked ?? 0));
    for (let [first] = this.#held; first !== undefined; [first] = this.#held) {
      const { number, atMs, isRepeat } = first;
      if (!isRepeat && number > byAll && nowMs - atMs < SHIELD_WAIT_MS) return;
      this.#held.shift();
      this.#released = number;
      if (!isRepeat) for (const shield of shields) owe(shield, number);
    }
  }
}

function owe(shield: Receiver, number: number): void {
  const { acked } = shield;
  if (acked === undefined || acked >= number) return; // one that never answered tells how far it is when it does
  shield.owes = { from: shield.owes?.from ?? acked + 1, to: number };
}
