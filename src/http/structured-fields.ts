/**
 * Structured field values (RFC 9651, which replaces RFC 8941): items, lists and dictionaries, read strictly.
 *
 * A field either parses as a whole or counts as absent (§4.2): there is no repair and no half of a value. Several
 * lines of one field are joined with ", " before they come here. `structured-fields-write.ts` is the way back.
 */

/** One value without parameters. A date counts seconds since 1970; a display string is any Unicode text. */
export type BareItem =
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "decimal"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "token"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "date"; readonly value: number }
  | { readonly kind: "display-string"; readonly value: string };

/** Parameters in the order of their last appearance; `;a` alone is true. */
export type Parameters = ReadonlyMap<string, BareItem>;

/** A value with its parameters. */
export interface Item {
  readonly kind: "item";
  readonly value: BareItem;
  readonly parameters: Parameters;
}

/** A parenthesised list, itself with parameters. */
export interface InnerList {
  readonly kind: "inner-list";
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

/** What a list or a dictionary holds. */
export type Member = Item | InnerList;

/** Text and the place that is read next. */
interface Cursor {
  readonly text: string;
  at: number;
}

const TRUE: BareItem = { kind: "boolean", value: true };

/** The largest integers have 15 digits (RFC 9651 §3.3.1). */
const INTEGER_DIGITS_MAX = 15;

/** Digits before and after the point of a decimal (RFC 9651 §3.3.2). */
const DECIMAL_DIGITS_MAX = 12;
const FRACTION_DIGITS_MAX = 3;

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const NUMBER = /-?([0-9]+)(?:\.([0-9]+))?/y;
const DATE = /@(-?[0-9]+)(?![0-9.])/y;
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y;
const BOOLEAN = /\?([01])/y;
const DISPLAY = /%"((?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*)"/y;
const SPACES = / */y;
const BLANKS = /[ \t]*/y;

/** Reads a field that is one item; undefined when it is not. O(length). */
export function parseItem(text: string): Item | undefined {
  const cursor: Cursor = { text, at: 0 };
  take(cursor, SPACES);
  return atEnd(cursor, readItem(cursor));
}

/** Reads a field that is a list; undefined when it is not. An empty field is an empty list. O(length). */
export function parseList(text: string): Member[] | undefined {
  const members: Member[] = [];
  return readMembers(text, (cursor) => {
    const member = readMember(cursor);
    if (member !== undefined) members.push(member);
    return member !== undefined;
  })
    ? members
    : undefined;
}

/**
 * Reads a field that is a dictionary; undefined when it is not. A key that comes again replaces the value and moves
 * to the end. An empty field is an empty dictionary. O(length).
 */
export function parseDictionary(text: string): Map<string, Member> | undefined {
  const members = new Map<string, Member>();
  const complete = readMembers(text, (cursor) => {
    const key = take(cursor, KEY)?.[0];
    const member = key === undefined ? undefined : readEntry(cursor);
    if (key === undefined || member === undefined) return false;
    members.set(key, member);
    return true;
  });
  return complete ? members : undefined;
}

/** Reads what `read` takes, with commas between; whether the text ends there. A trailing comma is an error. */
function readMembers(text: string, read: (cursor: Cursor) => boolean): boolean {
  const cursor: Cursor = { text, at: 0 };
  take(cursor, SPACES);
  if (cursor.at === text.length) return true;
  for (;;) {
    if (!read(cursor)) return false;
    take(cursor, BLANKS);
    if (cursor.at === text.length) return true;
    if (!skip(cursor, ",")) return false;
    take(cursor, BLANKS);
  }
}

function readEntry(cursor: Cursor): Member | undefined {
  if (skip(cursor, "=")) return readMember(cursor);
  const parameters = readParameters(cursor);
  return parameters === undefined ? undefined : { kind: "item", value: TRUE, parameters };
}

function readMember(cursor: Cursor): Member | undefined {
  return cursor.text[cursor.at] === "(" ? readInnerList(cursor) : readItem(cursor);
}

function readInnerList(cursor: Cursor): InnerList | undefined {
  cursor.at++;
  const items: Item[] = [];
  for (;;) {
    take(cursor, SPACES);
    if (skip(cursor, ")")) break;
    const item = readItem(cursor);
    const next = cursor.text[cursor.at];
    if (item === undefined || (next !== " " && next !== ")")) return undefined;
    items.push(item);
  }
  const parameters = readParameters(cursor);
  return parameters === undefined ? undefined : { kind: "inner-list", items, parameters };
}

function readItem(cursor: Cursor): Item | undefined {
  const value = readBareItem(cursor);
  const parameters = value === undefined ? undefined : readParameters(cursor);
  return value === undefined || parameters === undefined ? undefined : { kind: "item", value, parameters };
}

function readParameters(cursor: Cursor): Map<string, BareItem> | undefined {
  const parameters = new Map<string, BareItem>();
  while (skip(cursor, ";")) {
    take(cursor, SPACES);
    const key = take(cursor, KEY)?.[0];
    const value = key === undefined ? undefined : skip(cursor, "=") ? readBareItem(cursor) : TRUE;
    if (key === undefined || value === undefined) return undefined;
    parameters.set(key, value);
  }
  return parameters;
}

function readBareItem(cursor: Cursor): BareItem | undefined {
  switch (cursor.text[cursor.at]) {
    case undefined:
      return undefined;
    case '"':
      return readText(take(cursor, STRING)?.[1]);
    case ":":
      return readBytes(take(cursor, BYTES)?.[1]);
    case "?":
      return readBoolean(take(cursor, BOOLEAN)?.[1]);
    case "@":
      return readDate(take(cursor, DATE)?.[1]);
    case "%":
      return readDisplayString(take(cursor, DISPLAY)?.[1]);
    default:
      return readNumber(take(cursor, NUMBER)) ?? readToken(take(cursor, TOKEN)?.[0]);
  }
}

function readNumber(match: RegExpExecArray | undefined): BareItem | undefined {
  if (match === undefined) return undefined;
  const [text, whole = "", fraction] = match;
  const value = Number(text) + 0;
  if (fraction === undefined) {
    return whole.length <= INTEGER_DIGITS_MAX ? { kind: "integer", value } : undefined;
  }
  const fits = whole.length <= DECIMAL_DIGITS_MAX && fraction.length <= FRACTION_DIGITS_MAX;
  return fits ? { kind: "decimal", value } : undefined;
}

function readText(escaped: string | undefined): BareItem | undefined {
  return escaped === undefined
    ? undefined
    : { kind: "string", value: escaped.replaceAll(/\\(["\\])/g, "$1") };
}

function readToken(value: string | undefined): BareItem | undefined {
  return value === undefined ? undefined : { kind: "token", value };
}

function readBoolean(digit: string | undefined): BareItem | undefined {
  return digit === undefined ? undefined : { kind: "boolean", value: digit === "1" };
}

function readDate(digits: string | undefined): BareItem | undefined {
  const fits = digits !== undefined && digits.replace("-", "").length <= INTEGER_DIGITS_MAX;
  return fits ? { kind: "date", value: Number(digits) } : undefined;
}

function readBytes(base64: string | undefined): BareItem | undefined {
  return base64 === undefined ? undefined : { kind: "bytes", value: Buffer.from(base64, "base64") };
}

function readDisplayString(encoded: string | undefined): BareItem | undefined {
  if (encoded === undefined) return undefined;
  try {
    return { kind: "display-string", value: decodeURIComponent(encoded) };
  } catch {
    // The percent-encoded bytes are no UTF-8.
    return undefined;
  }
}

function atEnd<T>(cursor: Cursor, value: T): T | undefined {
  take(cursor, SPACES);
  return cursor.at === cursor.text.length ? value : undefined;
}

function skip(cursor: Cursor, char: string): boolean {
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at++;
  return true;
}

/** Matches a sticky pattern here and moves behind it. */
function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match !== null) cursor.at += match[0].length;
  return match ?? undefined;
}
