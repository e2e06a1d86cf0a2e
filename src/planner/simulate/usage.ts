/**
 * How much of something was in use over time: the area under busy, queued and capacity, exact at every change.
 */

/** Areas of one node. Call `move…` before or after a change, with the time of it. */
export class Usage {
  #sinceMs = 0;
  #fromMs = 0;
  busy = 0;
  queued = 0;
  capacity = 0;
  units = 0;
  queuedMax = 0;
  #busyArea = 0;
  #queuedArea = 0;
  #capacityArea = 0;
  #unitsArea = 0;

  moveBusy(by: number, nowMs: number): void {
    this.#pass(nowMs);
    this.busy += by;
  }
  moveQueued(by: number, nowMs: number): void {
    this.#pass(nowMs);
    this.queued += by;
    if (this.queued > this.queuedMax) this.queuedMax = this.queued;
  }
  /** `units` are what is paid for; `capacity` is what they can do at once. */
  moveCapacity(capacityBy: number, unitsBy: number, nowMs: number): void {
    this.#pass(nowMs);
    this.capacity += capacityBy;
    this.units += unitsBy;
  }

  /** Means since the last `clear`. */
  means(nowMs: number): { busy: number; queued: number; capacity: number; units: number } {
    this.#pass(nowMs);
    const spanMs = nowMs - this.#fromMs;
    const mean = (area: number): number => (spanMs > 0 ? area / spanMs : 0);
    return {
      busy: mean(this.#busyArea),
      queued: mean(this.#queuedArea),
      capacity: mean(this.#capacityArea),
      units: mean(this.#unitsArea),
    };
  }

  /** Busy time so far, in unit-milliseconds: for whoever takes differences. */
  busyArea(nowMs: number): number {
    this.#pass(nowMs);
    return this.#busyArea;
  }
  capacityArea(nowMs: number): number {
    this.#pass(nowMs);
    return this.#capacityArea;
  }

  /** Begins anew at this instant: what is in use stays, what was is forgotten. */
  clear(nowMs: number): void {
    this.#pass(nowMs);
    this.#fromMs = nowMs;
    this.queuedMax = this.queued;
    this.#busyArea = 0;
    this.#queuedArea = 0;
    this.#capacityArea = 0;
    this.#unitsArea = 0;
  }

  #pass(nowMs: number): void {
    const passedMs = nowMs - this.#sinceMs;
    if (passedMs === 0) return;
    this.#sinceMs = nowMs;
    this.#busyArea += this.busy * passedMs;
    this.#queuedArea += this.queued * passedMs;
    if (this.capacity !== Infinity) this.#capacityArea += this.capacity * passedMs;
    this.#unitsArea += this.units * passedMs;
  }
}
