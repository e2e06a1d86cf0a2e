/**
 * SCRAM-SHA-256, the side that logs in (RFC 5802, RFC 7677), bound to a TLS channel or not:
 *
 *   first() -> server's first -> final() -> server's final -> verify()
 *
 * The user's name is not sent: PostgreSQL takes that of the start-up packet.
 */
import {
  fromBase64,
  hmac,
  ITERATIONS_MAX,
  type ScramKeys,
  sameKey,
  scramKeys,
  sha256,
  toBase64,
  xor,
} from "./scram-keys.ts";

/** GS2 headers, without another identity: no binding is possible, the server offers none, bound by the server's certificate. */
const HEADERS = { none: "n,,", unoffered: "y,,", bound: "p=tls-server-end-point,," } as const;

/** How an exchange stands to its TLS channel; "bound" comes with the binding's data (see `endpointBinding`). */
export type ScramBinding = "none" | "unoffered" | { readonly bound: Uint8Array };

export class ScramClient {
  readonly #secret: string | ScramKeys;
  readonly #bare: string;
  readonly #header: string;
  readonly #binding: Uint8Array;
  #serverSignature: Uint8Array | undefined;

  /** `secret` is the password, or keys made of it before. `nonce` is printable, without commas, and never used twice. */
  constructor(secret: string | ScramKeys, nonce: string, user = "", binding: ScramBinding = "none") {
    this.#secret = secret;
    this.#header = HEADERS[typeof binding === "object" ? "bound" : binding];
    this.#binding = typeof binding === "object" ? binding.bound : new Uint8Array(0);
    this.#bare = `n=${user},r=${nonce}`;
  }

  /** client-first-message. */
  first(): string {
    return this.#header + this.#bare;
  }

  /** client-final-message for the server's first; undefined when that is malformed or not an answer to ours. */
  final(serverFirst: string): string | undefined {
    const [, nonce = "", salt = "", count = ""] =
      /^r=([^,]+),s=([^,]+),i=(\d{1,9})(?:,.*)?$/.exec(serverFirst) ?? [];
    const saltBytes = fromBase64(salt);
    const iterations = Number(count);
    const ours = this.#bare.slice(this.#bare.indexOf(",r=") + 3);
    if (saltBytes === undefined || saltBytes.length === 0) return undefined;
    if (!nonce.startsWith(ours) || nonce.length === ours.length) return undefined;
    if (iterations < 1 || iterations > ITERATIONS_MAX) return undefined;
    const keys =
      typeof this.#secret === "string" ? scramKeys(this.#secret, saltBytes, iterations) : this.#secret;
    const binding = Buffer.concat([Buffer.from(this.#header), this.#binding]);
    const withoutProof = `c=${toBase64(binding)},r=${nonce}`;
    const message = `${this.#bare},${serverFirst},${withoutProof}`;
    this.#serverSignature = hmac(keys.serverKey, message);
    const proof = xor(keys.clientKey, hmac(sha256(keys.clientKey), message));
    return `${withoutProof},p=${toBase64(proof)}`;
  }

  /** Whether the server's final message shows that it knows the password too. */
  verify(serverFinal: string): boolean {
    const signature = fromBase64(/^v=([^,]+)/.exec(serverFinal)?.[1] ?? "");
    return (
      this.#serverSignature !== undefined &&
      signature !== undefined &&
      sameKey(signature, this.#serverSignature)
    );
  }
}
