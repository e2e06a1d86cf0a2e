/** What estimates multiply by: spans of time, and the bits of a byte. */

/** Seconds of a day. */
export const DAY_S = 86_400;
/** Days of a year. */
export const YEAR_DAYS = 365;
/** Bits of a byte. */
export const BITS = 8;
/** Days for which traffic is paid by the month. */
export const MONTH_DAYS = 30;
