/** What has to be kept: rows in a database, files in an object store. */
import { YEAR_DAYS } from "./spans.ts";
import { type Load, sumOf, type Workload } from "./workload.ts";

/** Bytes that are kept; one copy unless it says otherwise. */
export interface Storage {
  readonly rowsPerDay: number;
  readonly filesPerDay: number;
  readonly rowsPerYear: number;
  readonly filesPerYear: number;
  readonly filesPerYearCopied: number;
  /** After all years, growth included. */
  readonly rowsKept: number;
  readonly filesKept: number;
  /** Rows and files after all years in all copies. */
  readonly keptCopied: number;
}

/** The storage of a day's actions. */
export function storageOf(loads: readonly Load[], { years, growth, copies }: Workload): Storage {
  const rowsPerDay = sumOf(loads, ({ storedBytes }) => storedBytes);
  const filesPerDay = sumOf(loads, ({ kind, fileBytes }) => (kind === "write" ? fileBytes : 0));
  const span = grownYears(years, growth) * YEAR_DAYS;
  return {
    rowsPerDay,
    filesPerDay,
    rowsPerYear: rowsPerDay * YEAR_DAYS,
    filesPerYear: filesPerDay * YEAR_DAYS,
    filesPerYearCopied: filesPerDay * YEAR_DAYS * copies,
    rowsKept: rowsPerDay * span,
    filesKept: filesPerDay * span,
    keptCopied: (rowsPerDay + filesPerDay) * span * copies,
  };
}

/** Years of a traffic that grows, in years of the first: the sum of (1 + growth)^k for k below `years`. */
function grownYears(years: number, growth: number): number {
  return growth === 0 ? years : Math.expm1(years * Math.log1p(growth)) / growth;
}
