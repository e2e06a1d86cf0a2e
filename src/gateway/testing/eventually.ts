/**
 * Waiting on conditions: what a test waits for either comes soon, or the test says what did not come.
 *
 * Conditions are looked at whenever a socket of a test has moved (`poke`), and on a timer besides.
 */

/** Longest wait for anything in these tests; all of it is loopback. */
const DEADLINE_MS = 4_000;

const waiting = new Set<() => void>();

/** Something has happened: looks at every condition that is waited for. */
export function poke(): void {
  for (const look of waiting) look();
}

/** Waits until `holds` does. Throws with `what` when it never does. */
export function eventually(
  what: string,
  holds: () => boolean,
  withinMs: number = DEADLINE_MS,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const isOver = performance.now() > endMs;
      if (!holds() && !isOver) return;
      clearInterval(timer);
      waiting.delete(look);
      if (holds()) resolve();
      else reject(new Error(`did not happen within ${withinMs} ms: ${what}`));
    };
    const timer = setInterval(look, 2);
    waiting.add(look);
    look();
  });
}

/** Lets what is on its way over loopback arrive. For showing that something does not happen; else wait for it. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
}
