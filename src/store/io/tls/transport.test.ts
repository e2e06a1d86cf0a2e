import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulatedTime } from "../../../base/index.ts";
import { isFor, readIdentity } from "../../../base/io/index.ts";
import { hasOpenssl, makeAuthority, makeCertificate } from "../../../base/testing/certificates.ts";
import { TlsTransport } from "./transport.ts";

const folder = mkdtempSync(join(tmpdir(), "tenfold-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A port, and connections that never say a word; `open` resolves when the transport has seen so many. */
function setUp() {
  const time = simulatedTime();
  const failures: string[] = [];
  const identity = readIdentity(makeCertificate(folder, "server", makeAuthority(folder)));
  const transport = new TlsTransport({
    scheduler: time.scheduler,
    identity,
    failed: (reason) => failures.push(reason),
  });
  let accepted = 0;
  const listener = transport.listen({ host: "127.0.0.1", port: 0 }, () => {
    accepted++;
    return undefined;
  });
  const silent = () => {
    let closed = (): void => {};
    const end = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const socket = connect(listener.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => closed());
    const opened = new Promise<void>((resolve) => socket.on("connect", () => resolve()));
    return { end, opened };
  };
  const handshakes = async (count: number): Promise<void> => {
    while (transport.handshakes < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { time, failures, transport, silent, handshakes, accepted: () => accepted, listener };
}

describe.skipIf(!hasOpenssl)("handshakes of TLS (needs openssl)", () => {
  test("end at their deadline", async () => {
    const { time, failures, transport, silent, handshakes, accepted, listener } = setUp();
    const { end } = silent();
    await handshakes(1);
    time.advance(9999);
    expect(transport.handshakes).toBe(1);
    time.advance(1);
    await end;
    expect([failures, transport.handshakes, accepted()]).toEqual([["handshake-timeout"], 0, 0]);
    listener.stop();
  });

  test("are so many at once: one more ends the one that has taken longest", async () => {
    const { failures, transport, silent, handshakes, listener } = setUp();
    const oldest = silent();
    await oldest.opened;
    await handshakes(1);
    for (let i = 1; i < 1024; i++) await silent().opened;
    await handshakes(1024);
    expect(failures).toEqual([]);
    await silent().opened;
    await oldest.end;
    expect([failures, transport.handshakes]).toEqual([["too-many-handshakes"], 1024]);
    listener.stop();
    transport.stop();
    expect(transport.handshakes).toBe(0);
  });

  test("are for the names in the certificate", () => {
    const { cert } = readIdentity(
      makeCertificate(folder, "named", makeAuthority(folder), "DNS:*.shop.test,IP:::1"),
    );
    expect(["a.shop.test", "::1", "shop.test", "127.0.0.1"].map((host) => isFor(cert, host))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
