import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import { createLog, systemClock } from "../base/index.ts";
import type { TlsPaths } from "../base/io/index.ts";
import { hasOpenssl, makeAuthority, makeCertificate } from "../base/testing/certificates.ts";
import { textOf } from "../resp/index.ts";
import { RespClient } from "../resp/io/index.ts";
import { type RunningStore, runStore } from "./run-store.ts";

const folder = mkdtempSync(join(tmpdir(), "tenfold-store-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const events: string[] = [];
const log = createLog({ clock: systemClock, level: "info", write: (line) => void events.push(line) });

function start(tls: TlsPaths): RunningStore & { readonly port: number } {
  events.length = 0;
  const running = runStore({
    address: { host: "127.0.0.1", port: 0 },
    data: undefined,
    settings: { password: "s3cret" },
    tls,
    log,
  });
  ends.push(() => running.stop());
  return { ...running, port: running.address.port };
}

const urlOf = (port: number): string => `rediss://default:s3cret@127.0.0.1:${port}`;

/** Resolves to what a server showed and how the connection ended, after having said PING. */
function ping(port: number, options: ConnectionOptions): Promise<{ name: unknown; said: string }> {
  return new Promise((resolve) => {
    let said = "";
    let name: unknown;
    const socket = connectTls({ host: "127.0.0.1", port, ...options }, () => {
      name = socket.getPeerCertificate().subject.CN;
      socket.write("PING\r\n");
    });
    socket.on("data", (bytes) => {
      said += bytes.toString();
      socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve({ name, said }));
  });
}

/** Sends raw bytes and FIN; resolves when the store has closed. */
function intrude(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

describe.skipIf(!hasOpenssl)("a store with a certificate (needs openssl)", () => {
  const authority = hasOpenssl ? makeAuthority(folder) : { cert: "", key: "" };
  const first = hasOpenssl ? makeCertificate(folder, "first", authority) : authority;
  const second = hasOpenssl ? makeCertificate(folder, "second", authority) : authority;
  const ca = hasOpenssl ? readFileSync(authority.cert) : Buffer.alloc(0);

  test("serves ioredis, node-redis and our own client, and large values both ways", async () => {
    const { port } = start(first);
    const value = "v".repeat(3_000_000);
    const io = new Redis(urlOf(port), { tls: { ca } });
    ends.push(() => io.disconnect());
    expect(await io.set("k", value)).toBe("OK");
    const node = createClient({ url: urlOf(port), socket: { ca, tls: true } });
    await node.connect();
    ends.push(() => node.destroy());
    expect(await node.get("k")).toBe(value);
    const own = new RespClient({ url: urlOf(port), tls: { ca }, deadlineMs: 5000 });
    ends.push(() => own.close());
    const replies = await own.pipeline(Array.from({ length: 5000 }, (_, i) => ["INCRBY", "n", i]));
    expect(replies.at(-1)).toBe(12_497_500);
    expect(textOf(await own.call(["GET", "k"]))).toBe(value);
  });

  test.skipIf(Bun.which("redis-cli") === null)("serves redis-cli (needs redis-cli)", async () => {
    const { port } = start(first);
    const command = ["redis-cli", "-p", String(port), "--tls", "--cacert", authority.cert, "PING"];
    const cli = Bun.spawn(command, { env: { ...process.env, REDISCLI_AUTH: "s3cret" }, stderr: "pipe" });
    expect((await new Response(cli.stdout).text()).trim()).toBe("PONG");
  });

  test("is not believed by a client that does not know its authority", async () => {
    const own = new RespClient({ url: urlOf(start(first).port) });
    ends.push(() => own.close());
    expect(await own.call(["PING"]).catch((error: Error) => error.name)).toBe("StoreError");
  });

  test("shows a renewed certificate to new clients, and keeps the others", async () => {
    const paths = { cert: join(folder, "live.pem"), key: join(folder, "live.key") };
    copyFileSync(first.cert, paths.cert);
    copyFileSync(first.key, paths.key);
    const running = start(paths);
    const client = new RespClient({ url: urlOf(running.port), tls: { ca } });
    ends.push(() => client.close());
    const id = await client.call(["CLIENT", "ID"]);
    copyFileSync(second.cert, paths.cert);
    expect(running.renewCertificate()).toContain("is not the key of");
    expect((await ping(running.port, { ca })).name).toBe("first");
    copyFileSync(second.key, paths.key);
    expect(running.renewCertificate()).toBeUndefined();
    expect((await ping(running.port, { ca })).name).toBe("second");
    expect(await client.call(["CLIENT", "ID"])).toBe(id);
    writeFileSync(paths.cert, "");
    expect(running.renewCertificate()).toContain("holds no certificate in PEM");
    expect((await ping(running.port, { ca })).name).toBe("second");
    expect(events.join("")).not.toContain("PRIVATE KEY");
  });

  test("lets in only clients of its client authority where it has one", async () => {
    const others = makeAuthority(folder, "others");
    const good = makeCertificate(folder, "good", authority);
    const bad = makeCertificate(folder, "bad", others);
    const running = start({ ...first, clientCa: authority.cert });
    const { port } = running;
    const files = ({ cert, key }: typeof good): ConnectionOptions => ({
      ca,
      cert: readFileSync(cert),
      key: readFileSync(key),
    });
    expect((await ping(port, files(good))).said).toContain("NOAUTH");
    expect((await ping(port, { ca })).said).toBe("");
    expect((await ping(port, files(bad))).said).toBe("");
    expect((await ping(port, { ...files(bad), maxVersion: "TLSv1.2" })).said).toBe("");
    expect(running.store.connections).toBe(1);
    expect(events.join("")).toContain("store-handshakes-failed");
  });

  test("refuses TLS before 1.2, and plain requests", async () => {
    const { port, store } = start(first);
    expect((await ping(port, { ca, minVersion: "TLSv1", maxVersion: "TLSv1.1" })).said).toBe("");
    await intrude(port, new TextEncoder().encode("*1\r\n$4\r\nPING\r\n"));
    expect(store.connections).toBe(0);
  });

  test("closes who sends garbage, and serves on", async () => {
    const { port, store } = start(first);
    const garbage = Array.from({ length: 256 }, (_, i) => new Uint8Array(1 + i * 300).fill(i));
    await Promise.all(garbage.map((bytes) => intrude(port, bytes)));
    expect(store.connections).toBe(0);
    expect((await ping(port, { ca })).said).toContain("NOAUTH");
  });

  test("does not start on files that are none, and says which", () => {
    expect(() => start({ ...first, key: second.key })).toThrow("is not the key of");
    expect(() => start({ ...first, cert: join(folder, "none.pem") })).toThrow("none.pem cannot be read");
    expect(() => start({ ...first, clientCa: first.key })).toThrow("holds no certificate");
  });
});
