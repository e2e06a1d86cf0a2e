/** How long memory takes: one load that nothing could foresee, and a megabyte in a row. */
import { medianMs, scattered } from "./sampling.ts";

/** Larger than the share of a last-level cache that one core sees. */
const RAM_BYTES = 256 * 1024 * 1024;
/** Smaller than any first-level cache. */
const L1_BYTES = 16 * 1024;
const LINE_BYTES = 64;
const LINE_WORDS = LINE_BYTES / Int32Array.BYTES_PER_ELEMENT;
/** Loads of one sample: enough that looking at the clock costs nothing beside them. */
const LOADS = 50_000;
const MB = 1_000_000;

/** One load from the first-level cache, ms. */
export function l1Ms(momentMs: number): number {
  return chaseMs(momentMs, L1_BYTES);
}

/** One load from main memory, ms; finding its page is part of that. */
export function ramMs(momentMs: number): number {
  return chaseMs(momentMs, RAM_BYTES);
}

/**
 * Each load needs the one before it, so that neither the processor nor its prefetcher can run ahead: one random cycle
 * through all lines (Sattolo 1986).
 */
function chaseMs(momentMs: number, bytes: number): number {
  const next = cycle(bytes / LINE_BYTES);
  let at = 0;
  const sample = (): void => {
    for (let i = 0; i < LOADS; i++) at = next[at] ?? 0;
  };
  sample();
  return medianMs(momentMs, sample) / LOADS;
}

/** At the first word of each line, where the next line of the cycle begins. */
function cycle(lines: number): Int32Array {
  const order = Int32Array.from({ length: lines }, (_, line) => line);
  const draw = scattered();
  for (let i = lines - 1; i > 0; i--) {
    const j = draw(i);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  const next = new Int32Array(lines * LINE_WORDS);
  for (let line = 0; line < lines; line++) next[line * LINE_WORDS] = (order[line] ?? 0) * LINE_WORDS;
  return next;
}

/** A megabyte in a row, ms: looked through for a byte that is not there, as fast as the platform can. */
export function ramMegabyteMs(momentMs: number): number {
  const memory = Buffer.alloc(RAM_BYTES, 1);
  let from = 0;
  return medianMs(momentMs, () => {
    from = from + 2 * MB <= memory.length ? from + MB : 0;
    memory.subarray(from, from + MB).indexOf(0);
  });
}
