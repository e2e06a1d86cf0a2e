/**
 * Sealing: a value that a browser may keep but neither read nor change.
 *
 *     1.<key number>.<salt>.<ciphertext and tag>      base64url
 *
 * AES-256-GCM (NIST SP 800-38D). Key and nonce of each seal are derived from the secret and 128 random bits by
 * HKDF-SHA256 (RFC 5869): a nonce is never used twice under one key, however many seals are made. What the seal is for
 * (its cookie's name) goes into the derivation, so that a seal for one purpose opens for no other. When it ends is inside.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { SessionError } from "./errors.ts";
import type { RandomBytes } from "./token.ts";

/** Number -> secret. Add a key with a higher number to change it; take the old one out when its last seal has ended. */
export type Keys = Readonly<Record<number, string>>;

/** Why a seal does not open. */
export type SealRefusal = "malformed" | "unknown-key" | "tampered" | "expired";

/** What was sealed, or why it cannot be had. */
export type Unsealed =
  | { readonly status: "open"; readonly value: unknown; readonly endsMs: number }
  | { readonly status: "refused"; readonly reason: SealRefusal };

const VERSION = "1";
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Shortest secret, in characters: 32 of hex are the 128 bits below which guessing begins to be thinkable. */
const SECRET_LENGTH_MIN = 32;

/** No seal that we made is longer: a cookie has 4,096 bytes. What is longer is not even decoded. */
const SEAL_LENGTH_MAX = 8192;

const SEAL = /^1\.(\d{1,9})\.([\w-]{22})\.([\w-]{22,})$/;

/** Seals and opens for one purpose. */
export interface Sealer {
  /** `endsMs`: wall clock, after which it no longer opens. `value` is JSON. */
  seal(value: unknown, endsMs: number): string;
  unseal(text: string, wallMs: number): Unsealed;
}

/** @throws SessionError "session-options" when there is no key, or one is shorter than 32 characters. */
export function createSealer(keys: Keys, purpose: string, randomBytes: RandomBytes): Sealer {
  const newest = newestKey(keys);
  return {
    seal: (value, endsMs) => {
      const salt = randomBytes(SALT_BYTES);
      const { key, nonce } = derive(keys[newest] ?? "", salt, purpose);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(header(newest));
      const text = JSON.stringify({ endsMs, value });
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${newest}.${Buffer.from(salt).toString("base64url")}.${sealed.toString("base64url")}`;
    },
    unseal: (text, wallMs) => {
      const [, number = "", salt = "", body = ""] =
        text.length > SEAL_LENGTH_MAX ? [] : (SEAL.exec(text) ?? []);
      if (body === "") return refused("malformed");
      const secret = Object.hasOwn(keys, number) ? keys[Number(number)] : undefined;
      if (secret === undefined) return refused("unknown-key");
      const opened = decrypt(secret, Number(number), { salt, body, purpose });
      if (opened === undefined) return refused("tampered");
      return opened.endsMs > wallMs ? { status: "open", ...opened } : refused("expired");
    },
  };
}

function refused(reason: SealRefusal): Unsealed {
  return { status: "refused", reason };
}

interface SealParts {
  readonly salt: string;
  readonly body: string;
  readonly purpose: string;
}

/** Undefined when the tag does not fit: another key, another purpose, or a changed byte. */
function decrypt(
  secret: string,
  number: number,
  { salt, body, purpose }: SealParts,
): { endsMs: number; value: unknown } | undefined {
  const [salted, bytes] = [Buffer.from(salt, "base64url"), Buffer.from(body, "base64url")];
  // base64url has several spellings of one value; only the one that we write is ours.
  if (salted.toString("base64url") !== salt || bytes.toString("base64url") !== body) return undefined;
  if (bytes.length < TAG_BYTES) return undefined;
  const { key, nonce } = derive(secret, salted, purpose);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(header(number)).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(0, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
    return JSON.parse(text) as { endsMs: number; value: unknown };
  } catch {
    return undefined;
  }
}

function derive(secret: string, salt: Uint8Array, purpose: string): { key: Uint8Array; nonce: Uint8Array } {
  const bytes = hkdfSync(
    "sha256",
    secret,
    salt,
    `tenfold seal ${VERSION} ${purpose}`,
    KEY_BYTES + NONCE_BYTES,
  );
  return { key: new Uint8Array(bytes, 0, KEY_BYTES), nonce: new Uint8Array(bytes, KEY_BYTES) };
}

function header(number: number): Buffer {
  return Buffer.from(`${VERSION}.${number}`);
}

function newestKey(keys: Keys): number {
  const numbers = Object.keys(keys).map(Number);
  if (numbers.length === 0) throw new SessionError("session-options", "keys: give at least one");
  for (const number of numbers) {
    if (!Number.isInteger(number) || number < 0 || number > 999_999_999) {
      throw new SessionError("session-options", `keys: ${number} is no number of a key: 1, 2, 3 …`);
    }
    if ((keys[number] ?? "").length < SECRET_LENGTH_MIN) {
      throw new SessionError(
        "session-options",
        `keys: ${number} is shorter than ${SECRET_LENGTH_MIN} characters`,
      );
    }
  }
  return Math.max(...numbers);
}
