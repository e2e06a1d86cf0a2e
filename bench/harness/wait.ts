/** Waiting on conditions, never on guesses: each wait has a deadline and says what did not come about. */

import { connect } from "node:net";

export { freePort, freePortsFrom } from "../../src/base/testing.ts";

/** How often a condition is looked at again: soon enough to add nothing to a measured second. */
const LOOK_AGAIN_MS = 20;

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when `holds` does; rejects naming `what` after `deadlineMs`. */
export async function until(
  what: string,
  deadlineMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for: ${what}`);
    await pause(LOOK_AGAIN_MS);
  }
}

/** Whether something accepts connections on the loopback port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.destroy() && resolve(true));
    socket.once("error", () => resolve(false));
  });
}
