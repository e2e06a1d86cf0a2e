import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { MessageWriter } from "./message-writer.ts";
import { writeCancelRequest, writeStartup } from "./requests.ts";
import { readStartup, type Startup, VERSION_3_0, VERSION_3_2 } from "./startup.ts";
import { joined, wire } from "./testing.ts";

const PARAMETERS: readonly (readonly [string, string])[] = [
  ["user", "ann"],
  ["database", "shop"],
  ["application_name", "naïve"],
];

function startup(
  parameters: Iterable<readonly [string, string]> = PARAMETERS,
  version = VERSION_3_0,
): Uint8Array {
  const writer = new MessageWriter();
  writeStartup(writer, parameters, version);
  return writer.take();
}

const read = (bytes: Uint8Array): Startup => readStartup(bytes, 0, bytes.length);

describe("the first packet", () => {
  test("as libpq sends it", () => {
    const bytes = wire("\0\0\0\x21\0\x03\0\0user\0ann\0database\0shop\0\0");
    bytes[3] = bytes.length;
    expect(read(bytes)).toEqual({
      kind: "startup",
      end: bytes.length,
      version: VERSION_3_0,
      parameters: new Map([
        ["user", "ann"],
        ["database", "shop"],
      ]),
      extensions: [],
    });
  });

  test("written and read again is the same, and waits for its last byte", () => {
    const bytes = startup([...PARAMETERS, ["_pq_.command_tag", "on"]], VERSION_3_2);
    for (let at = 0; at < bytes.length; at++) expect(readStartup(bytes, 0, at)).toEqual({ kind: "more" });
    const found = read(joined([bytes, wire("Q")]));
    expect(found).toMatchObject({ kind: "startup", end: bytes.length, version: VERSION_3_2 });
    expect(found.kind === "startup" && [...found.parameters]).toEqual(PARAMETERS.map(([a, b]) => [a, b]));
    expect(found.kind === "startup" && found.extensions).toEqual(["_pq_.command_tag"]);
  });

  test("may ask for TLS or GSSAPI, or begin TLS at once", () => {
    expect(read(wire("\0\0\0\x08\x04\xd2\x16\x2f"))).toEqual({ kind: "tls", end: 8 });
    expect(read(wire("\0\0\0\x08\x04\xd2\x16\x30"))).toEqual({ kind: "gss", end: 8 });
    expect(read(wire("\x16\x03\x01"))).toEqual({ kind: "direct-tls" });
  });

  test.each([4, 32, 256])("may be a wish to cancel, with a secret of %d bytes", (length) => {
    const secret = Uint8Array.from({ length }, (_, at) => at);
    const writer = new MessageWriter();
    writeCancelRequest(writer, -5, secret);
    expect(read(writer.take())).toEqual({ kind: "cancel", end: 12 + length, processId: -5, secret });
  });

  test.each([
    ["a length of 2^31", "\x80\0\0\0\0\x03\0\0"],
    ["a length beyond the bound", "\0\0\x27\x15\0\x03\0\0"],
    ["a length of 7", "\0\0\0\x07\0\x03\0"],
    ["no end of the list", "\0\0\0\x10\0\x03\0\0user\0ann"],
    ["an empty name before the end", "\0\0\0\x13\0\x03\0\0\0\0user\0ann\0\0"],
    ["a name without a value", "\0\0\0\x0d\0\x03\0\0user\0"],
    ["a TLS request that is too long", "\0\0\0\x09\x04\xd2\x16\x2fx"],
    ["a cancel key of 257 bytes", `\0\0\x01\x0d\x04\xd2\x16\x2e\0\0\0\0${"x".repeat(257)}`],
    ["HTTP", "GET / HTTP/1.1\r\n"],
  ])("is refused: %s", (_, text) => {
    expect(read(wire(text)).kind).toBe("mistake");
  });

  test("names a version that is not spoken", () => {
    expect(read(wire("\0\0\0\x08\0\x02\0\0"))).toEqual({ kind: "unsupported", version: "2.0" });
    expect(read(wire("\0\0\0\x08\0\x04\0\x01"))).toEqual({ kind: "unsupported", version: "4.1" });
  });

  test("10,000 mutations are read or refused, without an exception", () => {
    const random = seededRandom(23);
    const original = startup();
    for (let round = 0; round < 10_000; round++) {
      const bytes = original.slice();
      for (let i = 0; i < 1 + random() * 3; i++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      expect(["startup", "tls", "gss", "direct-tls", "cancel", "more", "mistake", "unsupported"]).toContain(
        read(bytes).kind,
      );
    }
  });
});
