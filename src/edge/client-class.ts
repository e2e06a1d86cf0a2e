/** What kind of client asks: its device, and the language it likes best, so that each kind has its own response. */

/** Kinds of device that a response may be made for. */
export type Device = "mobile" | "tablet" | "desktop";

const TABLET = /ipad|tablet|kindle|silk|android(?!.*mobile)/i;
const MOBILE = /mobi|iphone|ipod|android|blackberry|opera mini|windows phone/i;

/** The device of a User-Agent; the client hint Sec-CH-UA-Mobile (`?1`, `?0`) counts more than its guess. */
export function deviceOf(userAgent: string | undefined, isMobileHint: string | undefined): Device {
  if (isMobileHint === "?1") return "mobile";
  const agent = userAgent ?? "";
  if (TABLET.test(agent)) return "tablet";
  return isMobileHint !== "?0" && MOBILE.test(agent) ? "mobile" : "desktop";
}

/** Of `supported` (small letters), what Accept-Language likes best (RFC 4647 §3.4, lookup); the first when it likes none. */
export function bestLanguage(supported: readonly string[], acceptLanguage: string | undefined): string {
  const [fallback = ""] = supported;
  const ranges = (acceptLanguage ?? "")
    .toLowerCase()
    .split(",")
    .map((part) => {
      const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim());
      const weight = parameters.find((parameter) => parameter.startsWith("q="));
      return { range, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
    })
    .filter(({ range, weight }) => range !== "" && weight > 0)
    .toSorted((a, b) => b.weight - a.weight);
  for (const { range } of ranges) {
    for (let tag = range; tag !== ""; tag = tag.slice(0, Math.max(0, tag.lastIndexOf("-")))) {
      if (supported.includes(tag)) return tag;
    }
  }
  return fallback;
}
