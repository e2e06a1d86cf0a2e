/**
 * Keys of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), and the verifier that PostgreSQL stores of a password
 * (`pg_authid.rolpassword`): `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
 *
 * With a verifier one can check a client but not log in elsewhere; with the ClientKey that a client's proof reveals to
 * who holds the verifier, one can do both.
 */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";

/** What a password comes to with a salt and a number of iterations. */
export interface ScramKeys {
  readonly clientKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** What is stored of a password. */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** Bytes of SHA-256. */
export const KEY_BYTES = 32;

/** What PostgreSQL uses. */
const ITERATIONS = 4096;

/** More would only keep a processor busy: half a second of one. */
export const ITERATIONS_MAX = 1_000_000;

/** HMAC-SHA-256. */
export function hmac(key: Uint8Array, data: string | Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}

/** SHA-256. */
export function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

/** XOR of two keys. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, at) => byte ^ (b[at] ?? 0));
}

/** Whether two keys are equal, in time that tells nothing. */
export function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Bytes of strict Base64, undefined when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined;
}

/** Base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/**
 * The keys of a password. Takes about 2 ms at 4096 iterations: keep them.
 *
 * The password goes through SASLprep as PostgreSQL does it, as far as Unicode's NFKC goes: ASCII is unchanged, spaces of
 * other kinds become plain ones, and what SASLprep would refuse is used as it is.
 */
export function scramKeys(password: string, salt: Uint8Array, iterations: number): ScramKeys {
  const salted = new Uint8Array(pbkdf2Sync(saslPrep(password), salt, iterations, KEY_BYTES, "sha256"));
  return { clientKey: hmac(salted, "Client Key"), serverKey: hmac(salted, "Server Key") };
}

/** Spaces that become U+0020, and characters that become nothing (RFC 3454, tables C.1.2 and B.1). */
const SPACES = /[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/gu;
// oxlint-disable-next-line no-misleading-character-class -- each is one code point of the table
const NOTHINGS = /[\u00AD\u034F\u1806\u180B-\u180D\u200B-\u200D\u2060\uFE00-\uFE0F\uFEFF]/gu;

function saslPrep(password: string): string {
  return password.replace(SPACES, " ").replace(NOTHINGS, "").normalize("NFKC");
}

/** A verifier of a password, for a store of users. */
export function makeVerifier(
  password: string,
  salt: Uint8Array,
  iterations: number = ITERATIONS,
): ScramVerifier {
  const { clientKey, serverKey } = scramKeys(password, salt, iterations);
  return { iterations, salt, storedKey: sha256(clientKey), serverKey };
}

const VERIFIER = /^SCRAM-SHA-256\$(\d{1,7}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

/** The verifier as PostgreSQL stores it, undefined when `text` is none. */
export function parseVerifier(text: string): ScramVerifier | undefined {
  const [, count = "", salt = "", stored = "", server = ""] = VERIFIER.exec(text) ?? [];
  const iterations = Number(count);
  const saltBytes = fromBase64(salt);
  const storedKey = fromBase64(stored);
  const serverKey = fromBase64(server);
  if (saltBytes === undefined || storedKey?.length !== KEY_BYTES || serverKey?.length !== KEY_BYTES)
    return undefined;
  if (saltBytes.length === 0 || iterations < 1 || iterations > ITERATIONS_MAX) return undefined;
  return { iterations, salt: saltBytes, storedKey, serverKey };
}
