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

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => {} } }).stop(true);
    return true;
  } catch {
    return false; // somebody has it
  }
}
