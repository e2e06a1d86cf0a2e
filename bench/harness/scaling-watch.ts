/** Watching a service scale: how many tasks are wanted and healthy, and how often that turned round. */
import type { Deployment } from "./deployment.ts";
import { pause } from "./wait.ts";

const LOOK_EVERY_MS = 100;

/** One look. */
export interface Seen {
  readonly wanted: number;
  readonly healthy: number;
}

export class ScalingWatch {
  /** The number of wanted tasks as it was seen, one entry for each change. */
  readonly wanted: number[] = [];
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** Watches for at most `seconds`, or until `reached`; resolves with the seconds that it took. */
  async look(seconds: number, reached: (seen: Seen) => boolean = () => false): Promise<number> {
    const startMs = performance.now();
    const elapsed = (): number => (performance.now() - startMs) / 1000;
    while (elapsed() < seconds) {
      const seen = await this.#deployment.service();
      if (seen.wanted !== this.wanted.at(-1)) this.wanted.push(seen.wanted);
      if (reached(seen)) return elapsed();
      await pause(LOOK_EVERY_MS);
    }
    return elapsed();
  }

  /** How often the number changed its direction. */
  turns(): number {
    const signs = this.wanted.slice(1).map((value, index) => Math.sign(value - (this.wanted[index] ?? 0)));
    return signs.slice(1).filter((sign, index) => sign !== signs[index]).length;
  }
}
