/**
 * The first packet of a connection: a start-up with its parameters, a wish for TLS or GSSAPI, a wish to cancel.
 *
 * It comes from somebody who has not said who he is, so everything is bounded: the packet, and by it the parameters.
 */
import { int32At } from "./bytes.ts";
import { FieldReader } from "./fields.ts";

/** Longest packet, as in PostgreSQL (MAX_STARTUP_PACKET_LENGTH, to which the length itself is added). */
export const STARTUP_BYTES_MAX = 10_004;

/** The versions as they stand in the packet. */
export const VERSION_3_0 = 0x0003_0000;
/** Cancel keys of up to 256 bytes (PostgreSQL 18). */
export const VERSION_3_2 = 0x0003_0002;

const MAJOR = 3;
const CANCEL_REQUEST = 0x04d2_162e;
const TLS_REQUEST = 0x04d2_162f;
const GSS_REQUEST = 0x04d2_1630;

/** Length and code. */
const HEADER = 8;

/** The first byte of a TLS handshake: the client speaks TLS without having asked. */
const TLS_HANDSHAKE = 0x16;

/** Names of protocol extensions start so; a server that does not know one says so (NegotiateProtocolVersion). */
const EXTENSION = "_pq_.";

/** What the first packet says. `end` is the offset behind it. */
export type Startup =
  | {
      readonly kind: "startup";
      readonly end: number;
      /** As asked for; may be newer than 3.2. */
      readonly version: number;
      /** Values by name, in the order of the packet. */
      readonly parameters: ReadonlyMap<string, string>;
      /** Protocol extensions that were asked for; we know none. */
      readonly extensions: readonly string[];
    }
  | { readonly kind: "tls" | "gss"; readonly end: number }
  /** The TLS handshake begins without a request ("direct TLS", PostgreSQL 17). */
  | { readonly kind: "direct-tls" }
  | { readonly kind: "cancel"; readonly end: number; readonly processId: number; readonly secret: Uint8Array }
  | { readonly kind: "more" }
  /** Another major version than ours. */
  | { readonly kind: "unsupported"; readonly version: string }
  /** `isGarbage`: not even a length, so hardly somebody who would understand an answer; or a wish to cancel, which never gets one. */
  | { readonly kind: "mistake"; readonly mistake: string; readonly isGarbage: boolean };

const mistaken = (mistake: string, isGarbage = false): Startup => ({ kind: "mistake", mistake, isGarbage });

/** Reads the packet at `start` of `bytes[start, end)`. "more" when it has not arrived whole; call again with all of it. */
export function readStartup(bytes: Uint8Array, start: number, end: number): Startup {
  if (start < end && bytes[start] === TLS_HANDSHAKE) return { kind: "direct-tls" };
  if (end - start < 4) return { kind: "more" };
  const length = int32At(bytes, start);
  if (length < HEADER || length > STARTUP_BYTES_MAX)
    return mistaken("invalid length of startup packet", true);
  if (end - start < length) return { kind: "more" };
  const code = int32At(bytes, start + 4);
  const packetEnd = start + length;
  if (code === TLS_REQUEST || code === GSS_REQUEST) {
    if (length !== HEADER) return mistaken("invalid length of startup packet");
    return { kind: code === TLS_REQUEST ? "tls" : "gss", end: packetEnd };
  }
  if (code === CANCEL_REQUEST) return readCancel(bytes, start, packetEnd);
  if (code >>> 16 !== MAJOR) return { kind: "unsupported", version: `${code >>> 16}.${code & 0xffff}` };
  return readParameters(new FieldReader(bytes, start + HEADER, packetEnd), code);
}

/** Longest secret of a cancel key (protocol 3.2). */
const SECRET_BYTES_MAX = 256;

function readCancel(bytes: Uint8Array, start: number, end: number): Startup {
  const secretStart = start + HEADER + 4;
  if (end <= secretStart || end - secretStart > SECRET_BYTES_MAX)
    return mistaken("invalid length of cancel request packet", true);
  const processId = int32At(bytes, start + HEADER);
  return { kind: "cancel", end, processId, secret: bytes.slice(secretStart, end) };
}

function readParameters(reader: FieldReader, version: number): Startup {
  const parameters = new Map<string, string>();
  const extensions: string[] = [];
  // An empty name is the list's end, and must be the packet's.
  for (let name = reader.cstring(); name !== ""; name = reader.cstring()) {
    const value = reader.cstring();
    if (name.startsWith(EXTENSION)) extensions.push(name);
    else parameters.set(name, value);
  }
  if (reader.isBroken || reader.left > 0)
    return mistaken("invalid startup packet layout: expected terminator as last byte");
  return { kind: "startup", end: reader.end, version, parameters, extensions };
}
