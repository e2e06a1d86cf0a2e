/**
 * Values as bytes for a shared store: a byte that says how, then the payload.
 *
 * JSON unless another serializer is given. From a threshold on the payload is compressed when that makes it smaller. What
 * cannot be read (another program's value, a serializer that was changed) counts as not there: it is loaded again.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { aboutKey, CacheError } from "./errors.ts";

/** Turns values into bytes and back; msgpackr's `{ pack, unpack }` fits as `{ encode: pack, decode: unpack }`. */
export interface Serializer {
  /** One letter, "j" is JSON: a value that was written by another serializer is not read. */
  readonly letter: string;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** The default. Dates become texts, and Maps and Sets are lost, as JSON has it. */
export const JSON_SERIALIZER: Serializer = {
  letter: "j",
  encode: (value) => {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON`);
    return new TextEncoder().encode(text);
  },
  decode: (bytes) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)),
};

/** Below this compression saves nothing worth its time. */
export const COMPRESS_FROM_BYTES = 1024;
/** What a compressed value may become: a small one that unpacks to gigabytes is no value of ours. */
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

const ABSENT = "u".charCodeAt(0);
const COMPRESSED_BIT = 0x80;

/** Reads and writes payloads. */
export interface Codec {
  encode(value: unknown): Uint8Array;
  /** The value in a box; undefined when it cannot be read. */
  decode(bytes: Uint8Array): { readonly value: unknown } | undefined;
}

/** Makes a codec. `compressFromBytes` may be infinite. */
export function createCodec(serializer: Serializer, compressFromBytes: number): Codec {
  const letter = serializer.letter.charCodeAt(0);
  if (serializer.letter.length !== 1 || !(letter > 0x20 && letter < 0x7f) || letter === ABSENT) {
    throw new TypeError(`serializer: "${serializer.letter}" is not one letter other than "u"`);
  }
  return {
    encode(value) {
      if (value === undefined) return Uint8Array.of(ABSENT);
      const plain = serializer.encode(value);
      const packed = plain.length >= compressFromBytes ? deflateRawSync(plain) : plain;
      return packed.length < plain.length ? joined(letter | COMPRESSED_BIT, packed) : joined(letter, plain);
    },
    decode(bytes) {
      const [mark = 0] = bytes;
      if (mark === ABSENT) return { value: undefined };
      if ((mark & ~COMPRESSED_BIT) !== letter) return undefined;
      try {
        const body = bytes.subarray(1);
        const isCompressed = (mark & COMPRESSED_BIT) !== 0;
        const plain = isCompressed ? inflateRawSync(body, { maxOutputLength: INFLATED_BYTES_MAX }) : body;
        return { value: serializer.decode(plain) };
      } catch {
        return undefined;
      }
    },
  };
}

/** What is written where there is no store. */
export const NO_PAYLOAD: Uint8Array = new Uint8Array(0);

/** The payload of a value. Throws a `CacheError` "value-unwritable" that names the key. */
export function encoded(codec: Codec, value: unknown, key: string): Uint8Array {
  try {
    return codec.encode(value);
  } catch (error) {
    throw new CacheError("value-unwritable", aboutKey(key), error);
  }
}

function joined(mark: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = mark;
  bytes.set(body, 1);
  return bytes;
}
