/**
 * Channel binding by the server's certificate (`tls-server-end-point`, RFC 5929): a log-in that is bound to it cannot be passed on by
 * somebody in the middle who has another certificate.
 */
import { createHash } from "node:crypto";

/** Signature algorithm (the bytes of its OID, in hexadecimal) -> hash. MD5 and SHA-1 are replaced by SHA-256. */
const HASHES: Readonly<Record<string, string>> = {
  "2a864886f70d010104": "sha256", // md5WithRSAEncryption
  "2a864886f70d010105": "sha256", // sha1WithRSAEncryption
  "2a864886f70d01010b": "sha256", // sha256WithRSAEncryption
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d0401": "sha256", // ecdsa-with-SHA1
  "2a8648ce3d040302": "sha256", // ecdsa-with-SHA256
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
};

/** The binding's data for a certificate (DER); undefined where its signature has no hash of its own (Ed25519), as in PostgreSQL. */
export function endpointBinding(certificate: Uint8Array): Uint8Array | undefined {
  const algorithm = HASHES[signatureOid(certificate)];
  if (algorithm === undefined) return undefined;
  return new Uint8Array(createHash(algorithm).update(certificate).digest());
}

const SEQUENCE = 0x30;
const OID = 0x06;

/** Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OID … } … }; "" when it is none. */
function signatureOid(der: Uint8Array): string {
  const certificate = elementAt(der, 0, SEQUENCE);
  const body = certificate && elementAt(der, certificate.start, SEQUENCE);
  const algorithm = body && elementAt(der, body.end, SEQUENCE);
  const oid = algorithm && elementAt(der, algorithm.start, OID);
  return oid === undefined ? "" : Buffer.from(der.subarray(oid.start, oid.end)).toString("hex");
}

function elementAt(
  der: Uint8Array,
  at: number,
  tag: number,
): { readonly start: number; readonly end: number } | undefined {
  let length = der[at + 1] ?? 0;
  let start = at + 2;
  if (length >= 0x80) {
    const bytes = length & 0x7f;
    length = 0;
    for (let left = bytes; left > 0; left--) length = length * 256 + (der[start++] ?? 0);
  }
  const end = start + length;
  return der[at] === tag && end <= der.length ? { start, end } : undefined;
}
