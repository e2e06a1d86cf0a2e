/** Nonces: what a process carries in its environment to prove whose it is. */
import type { Random } from "../base/index.ts";

/** 64 bits in hex: unique among all processes that this machine will ever start. */
export function nonceOf(random: Random): string {
  const half = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return half() + half();
}
