/**
 * SCRAM-SHA-256, the side that is logged in to (RFC 5802, RFC 7677), from a stored verifier, bound to a TLS channel or not:
 *
 *   client's first -> first() -> client's final -> final()
 *
 * For a user that does not exist, give a verifier made up from the name: the exchange then fails at its end, as for a
 * wrong password, and tells nobody which names exist.
 */
import type { ScramKeys, ScramVerifier } from "./scram-keys.ts";
import { fromBase64, hmac, KEY_BYTES, sameKey, sha256, toBase64, xor } from "./scram-keys.ts";

/** The end of an exchange that succeeded. */
export interface ScramSuccess {
  /** server-final-message. */
  readonly message: string;
  /** What the proof revealed: enough to log in to a server that holds the same verifier. */
  readonly keys: ScramKeys;
}

/** Longest nonce of a client; libpq's has 24 characters. */
const NONCE_MAX = 256;

export class ScramServer {
  readonly #verifier: ScramVerifier;
  readonly #serverNonce: string;
  readonly #binding: Uint8Array | undefined;
  #header = "";
  #isBound = false;
  #nonce = "";
  #transcript = "";

  /**
   * `serverNonce` is printable, without commas, and never used twice. `binding`: what ties the exchange to its TLS channel (see
   * `endpointBinding`); without it SCRAM-SHA-256-PLUS cannot be offered.
   */
  constructor(verifier: ScramVerifier, serverNonce: string, binding?: Uint8Array) {
    this.#binding = binding;
    this.#verifier = verifier;
    this.#serverNonce = serverNonce;
  }

  /**
   * server-first-message for the client's. Undefined when that is malformed, or its wish for binding does not fit the mechanism that it chose
   * (`isBound`: SCRAM-SHA-256-PLUS); also when it says that we offer no binding, and we do: somebody has taken the offer away.
   */
  first(clientFirst: string, isBound = false): string | undefined {
    const [, header, bare, nonce] =
      /^((?:[ny]|p=tls-server-end-point),(?:a=[^,]*)?,)(n=[^,]*,r=([!-+--~]+)(?:,.*)?)$/.exec(clientFirst) ??
      [];
    if (header === undefined || bare === undefined || nonce === undefined || nonce.length > NONCE_MAX)
      return undefined;
    if (header.startsWith("p") !== isBound || (isBound && this.#binding === undefined)) return undefined;
    if (header.startsWith("y") && this.#binding !== undefined) return undefined;
    this.#isBound = isBound;
    const { salt, iterations } = this.#verifier;
    this.#header = header;
    this.#nonce = nonce + this.#serverNonce;
    const message = `r=${this.#nonce},s=${toBase64(salt)},i=${iterations}`;
    this.#transcript = `${bare},${message}`;
    return message;
  }

  /** The end: undefined when the proof is wrong or the message malformed. May be called once. */
  final(clientFinal: string): ScramSuccess | undefined {
    const [, withoutProof, binding, nonce, proof = ""] =
      /^(c=([^,]+),r=([^,]+)(?:,.*)?),p=([^,]+)$/.exec(clientFinal) ?? [];
    const expected = this.#nonce;
    this.#nonce = "";
    if (withoutProof === undefined || expected === "" || nonce !== expected) return undefined;
    const bound = this.#isBound ? (this.#binding ?? []) : [];
    if (binding !== toBase64(Buffer.concat([Buffer.from(this.#header, "latin1"), Uint8Array.from(bound)])))
      return undefined;
    const proofBytes = fromBase64(proof);
    if (proofBytes?.length !== KEY_BYTES) return undefined;
    const { storedKey, serverKey } = this.#verifier;
    const message = `${this.#transcript},${withoutProof}`;
    const clientKey = xor(proofBytes, hmac(storedKey, message));
    if (!sameKey(sha256(clientKey), storedKey)) return undefined;
    return { message: `v=${toBase64(hmac(serverKey, message))}`, keys: { clientKey, serverKey } };
  }
}
