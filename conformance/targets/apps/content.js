// What the routes answer, in every framework.
import { setTimeout } from "node:timers/promises";

/** 8 MiB: more than all buffers between target and client. */
export const LARGE = Buffer.alloc(8 * 2 ** 20, "x");

/** Ten lines, each in a write of its own. */
export async function* ticks() {
  for (let tick = 0; tick < 10; tick++) {
    yield `tick ${tick}\n`;
    await setTimeout(2);
  }
}
