/**
 * Values of settings that a server reports, as it reports them: a client may ask for the encoding "utf-8", and is told that it
 * is "UTF8". The router tells a client its start-up's settings before any server connection has them, so it says them as the
 * server would (src/backend/commands/variable.c, src/common/encnames.c, guc.c of PostgreSQL).
 */

/** Names of encodings for clients. */
const ENCODINGS = [
  ..."BIG5 EUC_CN EUC_JIS_2004 EUC_JP EUC_KR EUC_TW GB18030 GBK ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8".split(
    " ",
  ),
  ..."JOHAB KOI8R KOI8U LATIN1 LATIN10 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9".split(" "),
  ..."MULE_INTERNAL SHIFT_JIS_2004 SJIS SQL_ASCII UHC UTF8 WIN1250 WIN1251 WIN1252 WIN1253 WIN1254".split(
    " ",
  ),
  ..."WIN1255 WIN1256 WIN1257 WIN1258 WIN866 WIN874".split(" "),
];

/** Other names of them. */
const ALIASES: Readonly<Record<string, string>> = {
  abc: "WIN1258",
  alt: "WIN866",
  iso88591: "LATIN1",
  iso885910: "LATIN6",
  iso885913: "LATIN7",
  iso885914: "LATIN8",
  iso885915: "LATIN9",
  iso885916: "LATIN10",
  iso88592: "LATIN2",
  iso88593: "LATIN3",
  iso88594: "LATIN4",
  iso88599: "LATIN5",
  koi8: "KOI8R",
  mskanji: "SJIS",
  shiftjis: "SJIS",
  tcvn: "WIN1258",
  tcvn5712: "WIN1258",
  unicode: "UTF8",
  vscii: "WIN1258",
  win: "WIN1251",
  win932: "SJIS",
  win936: "GBK",
  win949: "UHC",
  win950: "BIG5",
  windows1250: "WIN1250",
  windows1251: "WIN1251",
  windows1252: "WIN1252",
  windows1253: "WIN1253",
  windows1254: "WIN1254",
  windows1255: "WIN1255",
  windows1256: "WIN1256",
  windows1257: "WIN1257",
  windows1258: "WIN1258",
  windows866: "WIN866",
  windows874: "WIN874",
  windows932: "SJIS",
  windows936: "GBK",
  windows949: "UHC",
  windows950: "BIG5",
};

/** Capitals, hyphens and quotes mean nothing. */
const letters = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

const ENCODING_NAMES: ReadonlyMap<string, string> = new Map([
  ...ENCODINGS.map((name) => [letters(name), name] as const),
  ...Object.entries(ALIASES),
]);

/** Words of DateStyle, by how they begin: a style or an order. */
const DATE_WORDS: readonly { readonly word: RegExp; readonly style?: string; readonly order?: string }[] = [
  { word: /^iso$/i, style: "ISO" },
  { word: /^sql$/i, style: "SQL" },
  { word: /^postgres/i, style: "Postgres" },
  { word: /^german$/i, style: "German" },
  { word: /^ymd$/i, order: "YMD" },
  { word: /^(?:dmy$|euro)/i, order: "DMY" },
  { word: /^(?:mdy$|us$|noneuro)/i, order: "MDY" },
];

const BY_NAME: Readonly<Record<string, (value: string, before: string) => string>> = {
  client_encoding: (value) => ENCODING_NAMES.get(letters(value)) ?? value,
  datestyle: dateStyle,
  intervalstyle: (value) => value.toLowerCase(),
  standard_conforming_strings: onOff,
};

/** A value as the server reports it when it is asked for; as it is when that cannot be told. `before`: what it is in a fresh session. */
export function canonical(name: string, value: string, before: string): string {
  return BY_NAME[name.toLowerCase()]?.(value, before) ?? value;
}

/** What is not named stays as it was, but German dates begin with the day. */
function dateStyle(value: string, before: string): string {
  let [style = "", order = ""] = before.split(", ");
  let isOrdered = false;
  for (const word of value.split(",").map((text) => text.trim())) {
    const found = DATE_WORDS.find((row) => row.word.test(word));
    if (found === undefined) return value;
    style = found.style ?? style;
    if (found.order !== undefined) isOrdered = true;
    if (found.order !== undefined) order = found.order;
    else if (found.style === "German" && !isOrdered) order = "DMY";
  }
  return `${style}, ${order}`;
}

function onOff(value: string): string {
  if (/^(?:on|t|tr|tru|true|y|ye|yes|1)$/i.test(value)) return "on";
  return /^(?:off?|f|fa|fal|fals|false|n|no|0)$/i.test(value) ? "off" : value;
}
