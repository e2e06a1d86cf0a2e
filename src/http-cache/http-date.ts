/**
 * Dates of HTTP (RFC 9110 §5.6.7): the one form that is sent, and the three that are read.
 */

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const IMF = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/** Two-digit years from here on are of the last century. A year 50 years ahead is read as past (RFC 9110 §5.6.7). */
const CENTURY_TURN = 70;

/** "Sun, 06 Nov 1994 08:49:37 GMT", to the second. */
export function formatHttpDate(wallMs: number): string {
  return new Date(wallMs).toUTCString();
}

/** Ms since the epoch; undefined when it is no date of HTTP. */
export function parseHttpDate(text: string): number | undefined {
  const imf = IMF.exec(text);
  if (imf !== null) return dateOf(imf[3], imf[2], imf[1], imf.slice(4));
  const rfc850 = RFC_850.exec(text);
  if (rfc850 !== null) {
    const year = Number(rfc850[3]);
    return dateOf(year < CENTURY_TURN ? 2000 + year : 1900 + year, rfc850[2], rfc850[1], rfc850.slice(4));
  }
  const asctime = ASCTIME.exec(text);
  return asctime === null ? undefined : dateOf(asctime[6], asctime[1], asctime[2], asctime.slice(3, 6));
}

function dateOf(
  year: string | number | undefined,
  month: string | undefined,
  day: string | undefined,
  time: readonly string[],
): number | undefined {
  const index = MONTHS.indexOf(month ?? "");
  const [hours = 0, minutes = 0, seconds = 0] = time.map(Number);
  const ms = Date.UTC(Number(year), index, Number(day), hours, minutes, seconds);
  const isReal = index >= 0 && new Date(ms).getUTCDate() === Number(day) && hours < 24 && minutes < 60;
  return isReal && seconds <= 60 ? ms : undefined;
}
