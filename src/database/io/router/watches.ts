/** Reads that wait until some replica has replayed what they must see. */
import type { Lsn } from "../../../pgwire/index.ts";

/** One of them. `over` is called once; true: no replica was there in time. */
export interface Watch {
  readonly lsn: Lsn;
  readonly untilMs: number;
  readonly over: (isWaitOver: boolean) => void;
}

export class Watches {
  #waiting: Watch[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  add(watch: Watch): void {
    this.#waiting.push(watch);
  }

  /** `reached`: how far the furthest replica is that may be read; negative when there is none, for which nobody waits. O(waiting). */
  wake(reached: Lsn, nowMs: number): void {
    const isOver = ({ lsn, untilMs }: Watch): boolean => lsn <= reached || untilMs <= nowMs || reached < 0n;
    const woken = this.#waiting.filter(isOver);
    if (woken.length === 0) return;
    this.#waiting = this.#waiting.filter((watch) => !isOver(watch));
    for (const { lsn, over } of woken) over(lsn > reached);
  }
}
