import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { endpointBinding } from "./channel-binding.ts";

/** As much of a certificate as is read: a body, and the signature's algorithm. */
function certificate(oid: string, body = 300): Uint8Array {
  const algorithm = Buffer.from(oid, "hex");
  const inner = Buffer.concat([
    Buffer.from([0x30, 0x82, body >> 8, body & 0xff]),
    Buffer.alloc(body),
    Buffer.from([0x30, algorithm.length + 2, 0x06, algorithm.length]),
    algorithm,
  ]);
  return Buffer.concat([Buffer.from([0x30, 0x82, inner.length >> 8, inner.length & 0xff]), inner]);
}

describe("tls-server-end-point (RFC 5929)", () => {
  test.each([
    ["sha256WithRSAEncryption", "2a864886f70d01010b", "sha256"],
    ["sha1WithRSAEncryption", "2a864886f70d010105", "sha256"],
    ["sha384WithRSAEncryption", "2a864886f70d01010c", "sha384"],
    ["ecdsa-with-SHA512", "2a8648ce3d040304", "sha512"],
  ])("%s", (_, oid, hash) => {
    const der = certificate(oid);
    expect(endpointBinding(der)).toEqual(new Uint8Array(createHash(hash).update(der).digest()));
  });

  test("a signature without a hash of its own has none, nor have bytes that are no certificate", () => {
    expect(endpointBinding(certificate("2b6570"))).toBeUndefined();
    const whole = certificate("2a8648ce3d040302");
    for (let end = 0; end < whole.length; end++)
      expect(endpointBinding(whole.subarray(0, end))).toBeUndefined();
    expect(endpointBinding(new Uint8Array(0))).toBeUndefined();
  });
});
