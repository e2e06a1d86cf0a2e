/**
 * What the cookie holds: `<handle>.<secret>`, each 128 bits from the machine's generator for secrets, in base64url.
 *
 * The handle names the record and is no secret: it is what a list of devices shows. The secret proves that the bearer
 * may use it; the store has only its SHA-256, so that who reads the store can sign in as nobody. A rotation changes
 * the secret and leaves the record where it is, so that a request in flight loses nothing by it.
 */
import { createHash, timingSafeEqual } from "node:crypto";

/** Bytes of the handle and of the secret: 128 bits, twice what OWASP asks for. */
const PART_BYTES = 16;

const TOKEN = /^([\w-]{22})\.([\w-]{22})$/;

/** Bytes fit for secrets. */
export type RandomBytes = (size: number) => Uint8Array;

/** A cookie's value in its parts. */
export interface Token {
  readonly handle: string;
  readonly secret: string;
}

/** A new handle or secret. */
export function drawPart(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(PART_BYTES)).toString("base64url");
}

/** The parts of a cookie's value; undefined when it cannot be one of ours, which costs no look into the store. */
export function parseToken(value: string): Token | undefined {
  const [, handle, secret] = TOKEN.exec(value) ?? [];
  return handle === undefined || secret === undefined ? undefined : { handle, secret };
}

/** The cookie's value. */
export function formatToken({ handle, secret }: Token): string {
  return `${handle}.${secret}`;
}

/** SHA-256 of a text, base64url, 43 characters. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** Whether two digests are the same, in time that does not tell where they differ. */
export function equalDigests(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
