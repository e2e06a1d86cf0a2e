/**
 * How many reads that no replica serves may run on the primary at once. Without a bound a primary that has lost its replicas gets their whole
 * load, and writes wait behind it.
 */

/** The bound. */
export interface AdmissionLimits {
  /** Reads at once, of one worker. */
  readonly max: number;
  /** Reads that wait for their turn. */
  readonly queueMax: number;
  /** Longest wait. */
  readonly queueMs: number;
}

/** Half of a pool, so that writes find the other half free; a wait that people still bear. */
export const ADMISSION_LIMITS: AdmissionLimits = { max: 10, queueMax: 1000, queueMs: 2000 };

/** Whether a read may run now, waits for its turn, or is refused. */
export type Admitted = "admitted" | "waits" | "refused";

/** `Guest`: whoever asks; told by `admitted` when its turn has come. */
export class Admission<Guest> {
  readonly limits: AdmissionLimits;
  readonly #admitted: (guest: Guest) => void;
  /** In order of arrival. */
  readonly #waiting = new Set<Guest>();
  #running = 0;

  constructor(limits: AdmissionLimits, admitted: (guest: Guest) => void) {
    this.limits = limits;
    this.#admitted = admitted;
  }

  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#waiting.size;
  }

  ask(guest: Guest): Admitted {
    if (this.#running < this.limits.max) {
      this.#running++;
      return "admitted";
    }
    if (this.#waiting.size >= this.limits.queueMax) return "refused";
    this.#waiting.add(guest);
    return "waits";
  }

  /** It waits no longer. */
  leave(guest: Guest): void {
    this.#waiting.delete(guest);
  }

  /** One that ran has ended: the next one's turn. */
  done(): void {
    this.#running--;
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      this.#running++;
      this.#admitted(next);
      return;
    }
  }
}
