/** Numbers as people read them: few digits, a unit, and a dash where there is none. */
import { formatDuration } from "../../base/index.ts";

/** Stands where there is no number. */
export const NONE = "-";

const THOUSAND = 1000;

/** "0", "3.2", "48", "1.2k", "31k", "2.4M": at most four characters. */
export function count(value: number): string {
  if (value < THOUSAND) return Number.isInteger(value) ? `${value}` : value.toFixed(value < 10 ? 1 : 0);
  if (value < THOUSAND * THOUSAND) return `${scaled(value / THOUSAND)}k`;
  return `${scaled(value / (THOUSAND * THOUSAND))}M`;
}

/** "0.42ms", "12ms", "1.2s", or a dash. */
export function latency(ms: number | null): string {
  return ms === null ? NONE : formatDuration(Number(ms.toPrecision(2)));
}

/** "42%" of one core, or a dash. */
export function percent(share: number | null): string {
  return share === null ? NONE : `${Math.round(share * 100)}%`;
}

/** "12s", "3m20s": how long ago an ISO time was. A time ahead of us, as after a clock was set, is now. */
export function ago(since: string, wallMs: number): string {
  const ms = wallMs - Date.parse(since);
  return Number.isNaN(ms) ? NONE : formatDuration(Math.max(0, Math.round(ms / THOUSAND) * THOUSAND));
}

/** "09:05:03" in the reader's own time zone. */
export function timeOfDay(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return NONE;
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => `${part}`.padStart(2, "0"))
    .join(":");
}

/** "1 task", "3 tasks", "2 processes". */
export function plural(amount: number, noun: string, nouns: string = `${noun}s`): string {
  return `${amount} ${amount === 1 ? noun : nouns}`;
}

function scaled(value: number): string {
  return value < 10 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(0);
}
