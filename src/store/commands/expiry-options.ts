/** EX, PX, EXAT, PXAT and PERSIST of SET and GETEX. */
import type { Call } from "../call.ts";
import { ERR, invalidExpire } from "../replies.ts";

/** When a key is to expire. */
export interface ExpiryOption {
  /** Milliseconds since the epoch; undefined when it does not change. */
  readonly atMs: number | undefined;
  readonly persist: boolean;
}

/** Unit in milliseconds, and whether it counts from now. */
const UNITS: Readonly<Record<string, readonly [unitMs: number, fromNow: boolean]>> = {
  EX: [1000, true],
  PX: [1, true],
  EXAT: [1000, false],
  PXAT: [1, false],
};

/** Reads the option at `place`, of `length` words; replies the error and gives undefined when it is wrong. */
export function expiryFrom(
  call: Call,
  place: number,
  command: string,
  length: number = call.count - place,
): ExpiryOption | undefined {
  if (length <= 0) return { atMs: undefined, persist: false };
  const word = call.word(place);
  if (length === 1 && word === "PERSIST" && command === "getex") return { atMs: undefined, persist: true };
  const unit = UNITS[word];
  if (unit === undefined || length !== 2) {
    call.fail(ERR.syntax);
    return undefined;
  }
  const value = call.integer(place + 1);
  if (value === undefined) return undefined;
  const atMs = expiryTime(value, unit[0], unit[1] ? call.space.ground.nowMs : 0);
  if (value > 0 && atMs !== undefined) return { atMs, persist: false };
  call.fail(invalidExpire(command));
  return undefined;
}

/** The moment `value` units from `baseMs`; undefined when it is beyond 64 bits. */
export function expiryTime(value: number, unitMs: number, baseMs: number): number | undefined {
  const atMs = value * unitMs + baseMs;
  return Math.abs(value * unitMs) < 2 ** 63 && Math.abs(atMs) < 2 ** 63 ? atMs : undefined;
}
