/** Builders for the tests of this part. */
import { type Random, seededRandom } from "./random.ts";

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The bytes written as "00 ff 7f". */
export function hexBytes(hex: string): Uint8Array {
  const pairs = hex.match(/[0-9a-f]{2}/gi) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

/** `length` random bytes, the same for the same seed. */
export function randomBytes(length: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => below(random, 256));
}

/** A whole number in 0..limit-1. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** Below the ports that Linux gives to outgoing connections, which would take one that is free for now; below those of tasks. */
const PORTS = { first: 10_000, count: 8_000, triesMax: 1000 } as const;

/** A loopback port that was free a moment ago. */
export function freePort(): number {
  for (let tries = 0; tries < PORTS.triesMax; tries++) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (isFree(port)) return port;
  }
  throw new Error("no port is free");
}

/** The first of `count` loopback ports in a row that were free a moment ago. */
export function freePortsFrom(count: number): number {
  for (let tries = 0; tries < PORTS.triesMax; tries++) {
    const port = freePort();
    if (Array.from({ length: count }, (_, index) => port + index).every(isFree)) return port;
  }
  throw new Error(`no ${count} ports in a row are free`);
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => {} } }).stop(true);
    return true;
  } catch {
    return false; // somebody has it
  }
}

// Waiting on conditions: what a test waits for either comes soon, or the test says what did not come. Conditions are looked
// at whenever a socket of a test has moved (`poke`), and on a timer besides.

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
