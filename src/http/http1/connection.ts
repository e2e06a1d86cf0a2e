/**
 * The Connection field (RFC 9110 §7.6.1): whether the connection stays, whether it changes protocol, and which other
 * fields end at this hop.
 */
import { asBytes, COMMA, equalPieces, equalsFolded, isBlank, type Slice } from "../bytes.ts";
import { FIELD } from "../field-names.ts";
import type { Fields } from "./fields.ts";

/** What Connection says, as bits of one number. */
export const OPTION = {
  close: 1,
  keepAlive: 2,
  upgrade: 4,
  /** It names other fields; those are marked in `fields.nominated`. */
  nominates: 8,
  /** It names more than `NOMINATIONS_MAX`: refuse the message. */
  tooMany: 16,
} as const;

/** Fields that Connection may name: each is looked for among all fields, so their number bounds that work. */
const NOMINATIONS_MAX = 32;

const CLOSE = asBytes("close");
const KEEP_ALIVE = asBytes("keep-alive");
const UPGRADE = asBytes("upgrade");

const option: Slice = { start: 0, end: 0 };

/** The options of all Connection fields as `OPTION` bits, 0 when there is none. O(bytes of the values). */
export function readConnection(bytes: Uint8Array, fields: Fields): number {
  const first = fields.first(FIELD.connection);
  if (first < 0) return 0;
  let options = 0;
  let nominations = 0;
  for (let i = first; i <= fields.last(FIELD.connection); i++) {
    if (fields.code[i] !== FIELD.connection) continue;
    option.end = fields.valueStart[i] as number;
    while (nextListItem(bytes, option, fields.valueEnd[i] as number)) {
      const bit = readOption(bytes, option);
      options |= bit;
      if (bit !== OPTION.nominates) continue;
      if (nominations++ === 0) fields.nominated.fill(0);
      if (nominations > NOMINATIONS_MAX) return options | OPTION.tooMany;
      nominate(bytes, fields, option);
    }
  }
  return options;
}

/** Moves `item` to the next non-empty item of a comma-separated list; false at the end of the list. */
function nextListItem(bytes: Uint8Array, item: Slice, end: number): boolean {
  let at = item.end;
  while (at < end && (bytes[at] === COMMA || isBlank(bytes[at]))) at++;
  item.start = at;
  while (at < end && bytes[at] !== COMMA && !isBlank(bytes[at])) at++;
  item.end = at;
  return at > item.start;
}

function readOption(bytes: Uint8Array, { start, end }: Slice): number {
  if (equalsFolded(bytes, start, end, KEEP_ALIVE)) return OPTION.keepAlive;
  if (equalsFolded(bytes, start, end, CLOSE)) return OPTION.close;
  if (equalsFolded(bytes, start, end, UPGRADE)) return OPTION.upgrade;
  return OPTION.nominates;
}

/**
 * Marks the fields with this name, but only ones the gateway does not know. Naming Host, Content-Length, Cookie or
 * another field meant for the target is an attempt to have it stripped; those that do end here are dropped anyway.
 */
function nominate(bytes: Uint8Array, fields: Fields, name: Slice): void {
  for (let i = 0; i < fields.count; i++) {
    if (fields.code[i] !== FIELD.other) continue;
    if (equalPieces(bytes, fields.nameStart[i] as number, fields.nameEnd[i] as number, name))
      fields.nominated[i] = 1;
  }
}

const HTTP2_CLEARTEXT = asBytes("h2c");

/**
 * Whether Upgrade asks for protocols that may be tunnelled. Not for h2c: inside that tunnel further requests would
 * pass unseen by rules and limits (RFC 9113 §3.1 made it obsolete).
 */
export function mayTunnel(bytes: Uint8Array, fields: Fields): boolean {
  const first = fields.first(FIELD.upgrade);
  if (first < 0) return false;
  let protocols = 0;
  for (let i = first; i <= fields.last(FIELD.upgrade); i++) {
    if (fields.code[i] !== FIELD.upgrade) continue;
    option.end = fields.valueStart[i] as number;
    while (nextListItem(bytes, option, fields.valueEnd[i] as number)) {
      if (equalsFolded(bytes, option.start, option.end, HTTP2_CLEARTEXT)) return false;
      protocols++;
    }
  }
  return protocols > 0;
}
