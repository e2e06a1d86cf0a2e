/**
 * Writes structured field values (RFC 9651 §4.1). What has no form on the wire (a token with a blank, an integer of
 * 16 digits) gives undefined, and the field is then left out: a wrong value is worse than none.
 */
import type { BareItem, InnerList, Item, Member, Parameters } from "./structured-fields.ts";

const KEY = /^[a-z*][a-z0-9_\-.*]*$/;
const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/;
const PRINTABLE = /^[\x20-\x7e]*$/;

const HALF_CHARACTER = /\p{Surrogate}/u;

const INTEGER_MAX = 999_999_999_999_999;
const DECIMAL_MAX = 999_999_999_999;

/** An item as text. */
export function writeItem(item: Item): string | undefined {
  return join("", [writeBareItem(item.value), writeParameters(item.parameters)]);
}

/** A list as text; empty for an empty one, whose field is then not sent at all. */
export function writeList(members: readonly Member[]): string | undefined {
  return join(", ", members.map(writeMember));
}

/** A dictionary as text. A member that is true is its key alone. */
export function writeDictionary(members: ReadonlyMap<string, Member>): string | undefined {
  return join(", ", [...members].map(writeEntry));
}

function writeEntry([key, member]: readonly [string, Member]): string | undefined {
  if (!KEY.test(key)) return undefined;
  const isTrue = member.kind === "item" && member.value.kind === "boolean" && member.value.value;
  return isTrue ? join("", [key, writeParameters(member.parameters)]) : join("=", [key, writeMember(member)]);
}

function writeMember(member: Member): string | undefined {
  return member.kind === "item" ? writeItem(member) : writeInnerList(member);
}

function writeInnerList({ items, parameters }: InnerList): string | undefined {
  const list = join(" ", items.map(writeItem));
  return list === undefined ? undefined : join("", [`(${list})`, writeParameters(parameters)]);
}

function writeParameters(parameters: Parameters): string | undefined {
  return join(
    "",
    [...parameters].map(([key, value]) => {
      if (!KEY.test(key)) return undefined;
      return value.kind === "boolean" && value.value
        ? `;${key}`
        : join("=", [`;${key}`, writeBareItem(value)]);
    }),
  );
}

/** A value without parameters, as text. */
function writeBareItem(item: BareItem): string | undefined {
  switch (item.kind) {
    case "integer":
      return writeInteger(item.value);
    case "decimal":
      return writeDecimal(item.value);
    case "date":
      return join("", ["@", writeInteger(item.value)]);
    case "string":
      return PRINTABLE.test(item.value) ? `"${item.value.replaceAll(/["\\]/g, "\\$&")}"` : undefined;
    case "token":
      return TOKEN.test(item.value) ? item.value : undefined;
    case "bytes":
      return `:${Buffer.from(item.value).toString("base64")}:`;
    case "boolean":
      return item.value ? "?1" : "?0";
    case "display-string":
      return writeDisplayString(item.value);
  }
}

function writeInteger(value: number): string | undefined {
  return Number.isInteger(value) && Math.abs(value) <= INTEGER_MAX ? String(value) : undefined;
}

/** Three digits after the point at most, rounded to the even one of two equally near (RFC 9651 §4.1.5). */
function writeDecimal(value: number): string | undefined {
  const scaled = value * 1000;
  const floor = Math.floor(scaled);
  const isTie = scaled - floor === 0.5;
  const thousandths = isTie ? floor + Math.abs(floor % 2) : Math.round(scaled);
  const rounded = thousandths / 1000;
  if (!Number.isFinite(rounded) || Math.abs(Math.trunc(rounded)) > DECIMAL_MAX) return undefined;
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}

function writeDisplayString(value: string): string | undefined {
  if (HALF_CHARACTER.test(value)) return undefined;
  const encoded = Array.from(Buffer.from(value, "utf8"), (byte) => {
    const char = String.fromCharCode(byte);
    const isPlain = byte >= 0x20 && byte < 0x7f && char !== "%" && char !== '"';
    return isPlain ? char : `%${byte.toString(16).padStart(2, "0")}`;
  });
  return `%"${encoded.join("")}"`;
}

function join(separator: string, parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join(separator);
}
