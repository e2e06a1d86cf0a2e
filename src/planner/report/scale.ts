/**
 * From the values of an axis to places on it, with ticks at numbers that people would choose.
 *
 * Ticks are 1, 2 or 5 times a power of ten (Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990), or
 * whole decades on a logarithmic axis.
 */
import type { Axis } from "./report.ts";

/** One axis, ready to place values on. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  /** 0 at `min`, 1 at `max`; NaN for what cannot be placed. */
  readonly place: (value: number) => number;
  /** The inverse of `place`. */
  readonly valueAt: (place: number) => number;
  /** Ascending. */
  readonly ticks: readonly number[];
}

/** Ticks wanted on an axis; the nice step nearest to it decides. */
const TICKS_WANTED = 5;

/** Decades shown at most on a logarithmic axis: what lies below is noise beside what lies above. */
const DECADES_MAX = 9;

/** The scale that holds all finite `values`. A linear axis of values >= 0 begins at 0. */
export function scaleFor(axis: Axis, values: readonly number[]): Scale {
  return axis.scale === "log" ? logScale(values) : linearScale(values);
}

function linearScale(values: readonly number[]): Scale {
  const { least, most } = extent(values);
  const low = least >= 0 ? 0 : least;
  const high = most > low ? most : low + 1;
  const step = niceStep((high - low) / TICKS_WANTED);
  const min = Math.floor(low / step) * step;
  const max = Math.ceil(high / step - 1e-9) * step;
  const count = Math.round((max - min) / step);
  return {
    min,
    max,
    place: (value) => (value - min) / (max - min),
    valueAt: (place) => min + place * (max - min),
    ticks: Array.from({ length: count + 1 }, (_, i) => Number((min + i * step).toPrecision(12))),
  };
}

function logScale(values: readonly number[]): Scale {
  const { least, most } = extent(values.filter((value) => value > 0));
  const top = most > 0 ? Math.ceil(Math.log10(most) - 1e-9) : 0;
  const lowest = least > 0 ? Math.floor(Math.log10(least) + 1e-9) : top - 1;
  const bottom = Math.max(Math.min(lowest, top - 1), top - DECADES_MAX);
  return {
    min: 10 ** bottom,
    max: 10 ** top,
    place: (value) => (value > 0 ? (Math.log10(value) - bottom) / (top - bottom) : Number.NaN),
    valueAt: (place) => 10 ** (bottom + place * (top - bottom)),
    ticks: Array.from({ length: top - bottom + 1 }, (_, i) => 10 ** (bottom + i)),
  };
}

function extent(values: readonly number[]): { readonly least: number; readonly most: number } {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least <= most ? { least, most } : { least: 0, most: 1 };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  if (lead < 1.5) return power;
  if (lead < 3.5) return 2 * power;
  return lead < 7.5 ? 5 * power : 10 * power;
}
